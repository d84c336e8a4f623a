#pragma once

// Inputs of the standard work: the same in every call, from counter-based random numbers.

#include <osteon/metric.hpp>
#include <osteon/renderer.hpp>
#include <osteon/shape.hpp>
#include <osteon/volume.hpp>

#include <cstdint>
#include <vector>

namespace osteon::bench {

/// float32 `[n, d]`.
[[nodiscard]] at::Tensor unit_rows(std::int64_t n, std::int64_t d, std::uint64_t seed);

/// Embeddings that overlap: one direction a class and noise 1.5 times as long. float32 `[labels.numel(), d]`, unit
/// rows.
[[nodiscard]] at::Tensor embeddings_of(const at::Tensor& labels, std::int64_t d);

/// A bone with cortex in soft tissue in air: a cube of 128 mm, `side` voxels each way.
[[nodiscard]] Volume bone_in_tissue(std::int64_t side);

/// AP and ML of that cube, all of it on `side` × `side` pixels; the source 900 mm from its middle.
[[nodiscard]] std::vector<Projection> two_exposures(std::int64_t side);

/// A closed surface, about 400 mm long: a shaft with a head to the medial side and two condyles behind, in its own
/// frame. `number` chooses length and girth. About 2 · rings² triangles.
[[nodiscard]] Mesh femur(std::int64_t number, int rings = 64);

/// So many femurs, two X-ray pairs of each (their shadows, 128 × 128), two femurs a person.
[[nodiscard]] ShapeGallery shape_gallery(std::int64_t bones);

/// One X-ray pair of a femur that is in no gallery.
[[nodiscard]] ShapeQuery shape_query();

/// A run's evidence: `bones` bones, the second half held out, `images` images of each, every fourth a query; with
/// `shapes` a predicted surface of each held-out bone.
[[nodiscard]] Evidence::Contents evidence(std::int64_t bones, std::int64_t images, bool shapes);

}  // namespace osteon::bench
