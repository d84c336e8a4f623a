#pragma once

// What shape plugins are told: the gallery of known bones that they learn from, and the X-ray pairs that they are asked
// about. Made in one place, so that a bone is told alike in a run's cases and to whoever asks about one later.

#include "pipeline/stages.hpp"

#include <functional>
#include <optional>
#include <set>
#include <string>

namespace osteon::pipeline {

[[nodiscard]] Schema reconstruction_schema();  ///< [reconstruction]

/// Whose bones' shapes a fold may learn from.
[[nodiscard]] std::set<std::string> known_people(const Parameters& reconstruction, const ImageTable& images,
                                                 std::size_t fold);

/// What one is told of a pair's exposures: the nominal views at the image's pixel spacing, mm.
[[nodiscard]] PairExposures told_pair(double pixel_spacing, const Parameters& views);

/// How well the scale of the images is known: a standard deviation, relative.
[[nodiscard]] double stated_scale_error(const config::Experiment& experiment);

/// What the grey values of a film stand for: float32 `[256]` line integrals.
[[nodiscard]] at::Tensor grey_values(const Parameters& film);

/// One pair of a query.
[[nodiscard]] ShapeQuery one_of(const ShapeQuery& query, std::int64_t which);

/// The surfaces of a run's bones, of their first acquisitions, and the exposures of its images.
class KnownShapes {
 public:
  /// `images` names the bones; which of them are held out makes no difference. Every scan must have a volume.
  KnownShapes(const RunContext& run, const Cohort& cohort, const ImageTable& images);

  /// Of each of `ImageTable::bones`, in the bone's own frame, both sides alike.
  [[nodiscard]] const std::vector<Mesh>& meshes() const { return meshes_; }
  /// The surface that a bone's simulated CT was made from, in the frame of the surface found in it.
  [[nodiscard]] std::optional<Mesh> made_from(std::size_t bone) const;

  /// The bones for which `is_known` holds, and their images that are no queries. `embeddings` float32 `[N, d]` has a
  /// row for each of `images`.
  [[nodiscard]] ShapeGallery gallery(const ImageTable& images, const at::Tensor& embeddings,
                                     const std::function<bool(std::size_t)>& is_known) const;
  /// The bone's query images, as one is told them; no images when it has none.
  [[nodiscard]] ShapeQuery query(const ImageTable& images, const at::Tensor& embeddings, std::size_t bone) const;

 private:
  [[nodiscard]] std::vector<PairExposures> told(const ImageTable& images, const at::Tensor& rows) const;
  [[nodiscard]] PairExposures real_pair(const ImageTable& images, std::size_t image) const;

  const RunContext& run_;
  const Parameters& views_;
  std::vector<const Scan*> scans_;          ///< of each bone: its first acquisition
  std::vector<imaging::BoneFrame> frames_;  ///< of each scan
  std::vector<Mesh> meshes_;
  bool is_told_exactly_;
  double scale_error_;  ///< relative
  at::Tensor line_integrals_;
};

}  // namespace osteon::pipeline
