#pragma once

// A small run as a metric sees it, made without a run: 8 femur-like bones of 4 people, of whom 2 were held out.

#include <osteon/metric.hpp>

namespace osteon::contract {

/// A closed ellipsoid about the origin, mm: two poles, and between them so many rings of so many vertices.
[[nodiscard]] Mesh ellipsoid(Vec3 radii, int rings = 16);

enum class Scene {
  usual,
  other,      ///< the same with other embeddings
  collapsed,  ///< all embeddings are equal, all distances 0, all predicted shapes the true ones
  lone        ///< one bone, held out, with one query image and one of its gallery
};

[[nodiscard]] Evidence::Contents evidence_of(Scene scene);
/// No bone, no image.
[[nodiscard]] Evidence::Contents no_evidence();

/// Digest of all tensors and numbers of the evidence: what a metric must leave as it is.
[[nodiscard]] std::string digest_of(const Evidence::Contents& contents);

}  // namespace osteon::contract
