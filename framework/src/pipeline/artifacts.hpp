#pragma once

// How the SDK's data types are kept in the store: named tensors and a few facts.

#include "imaging/imaging.hpp"
#include "store/store.hpp"

#include <osteon/image_set.hpp>
#include <osteon/metric.hpp>
#include <osteon/specimen.hpp>

namespace osteon::pipeline {

[[nodiscard]] store::Artifact to_artifact(const Acquisition& acquisition);
[[nodiscard]] Acquisition acquisition_from(const store::Artifact& artifact);

/// A surface and the bone's own frame that was found from it.
struct BoneSurface {
  Mesh mesh;
  imaging::BoneFrame frame;
};
[[nodiscard]] store::Artifact to_artifact(const BoneSurface& surface);
[[nodiscard]] BoneSurface bone_surface_from(const store::Artifact& artifact);

/// An image set is stored as two arrays that NumPy opens: `pixels.npy`, uint8 [N, H, W], AP left and ML right of the
/// middle column, and `rows.npy`, float64 [N, 13], how each image was taken; the columns' names are the fact "columns"
/// of its manifest, in the order of the index that `osteon render` writes.
[[nodiscard]] store::Artifact to_artifact(const ImageSet& images);
[[nodiscard]] ImageSet image_set_from(const store::Artifact& artifact);

/// The index of images as CSV: its first line, and the line of one image.
[[nodiscard]] std::string index_header();
[[nodiscard]] std::string index_line(const std::string& file, const ImageRow& row);

[[nodiscard]] store::Artifact to_artifact(const MetricResult& result);
[[nodiscard]] MetricResult metric_result_from(const store::Artifact& artifact);

[[nodiscard]] nlohmann::json to_json(const MetricValue& value);
[[nodiscard]] MetricValue metric_value_from(const nlohmann::json& json);
[[nodiscard]] nlohmann::json to_json(const Chart& chart);

}  // namespace osteon::pipeline
