#pragma once

// The shadow that a surface throws in an exposure: what a re-rendered bone covers of its X-ray.

#include <osteon/mesh.hpp>
#include <osteon/renderer.hpp>

namespace osteon::imaging {

/// Where points appear in an exposure. `slot`: the source travels with the rows (slot.hpp).
class Shadow {
 public:
  Shadow(const Projection& projection, bool slot);

  struct Pixel {
    double column, row;  ///< (0, 0) is the middle of the first pixel
  };
  /// Not a number for a point beside or behind the source.
  [[nodiscard]] Pixel of(Vec3 point) const;

 private:
  Projection projection_;
  bool slot_;
  Vec3 normal_;          ///< of the detector, unit
  double source_depth_;  ///< of the source over the detector along the normal, mm; unused when parallel
};

/// uint8 `[rows · finer, columns · finer]`: 1 in the surface's shadow, which has no holes where the surface has none;
/// `finer` times as many pixels each way as the exposure has.
[[nodiscard]] at::Tensor silhouette(const Mesh& mesh, const Projection& projection, bool slot, std::int64_t finer = 1);

/// The pixels of a silhouette that have one outside beside them, uint8 of the same size.
[[nodiscard]] at::Tensor outline_of(const at::Tensor& silhouette);

}  // namespace osteon::imaging
