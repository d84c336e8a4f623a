#pragma once

// Exposures as tensors of rays in the frame of a volume's voxel indices, differentiable with respect to the pose of the
// volume.

#include <osteon/renderer.hpp>

#include <ATen/core/Tensor.h>

namespace osteon::torch_renderer {

/// The exposures of a call in voxel indices (i, j, k) of the volume: float64 `[V, 3]` each, with a graph where the
/// motions have one.
struct Exposures {
  at::Tensor source;       ///< unused where parallel
  at::Tensor direction;    ///< per mm; unused where perspective
  at::Tensor first_pixel;  ///< centre of pixel (row 0, column 0)
  at::Tensor row_step, column_step;
  at::Tensor parallel;  ///< bool `[V, 1, 1]`
  std::int64_t rows = 0, columns = 0;
};

/// `motions` is undefined or `[V, 6]`: rotation vector about `centre` (patient coordinates, radians), translation in
/// mm. Moving the volume is moving the exposures the other way.
[[nodiscard]] Exposures exposures_in_volume(std::span<const Projection> projections, const Grid& grid,
                                            const at::Tensor& motions, Vec3 centre, at::Device device);

/// Rays of some exposures through some of their pixels, in voxel indices: `start` + t·`direction`.
struct Rays {
  at::Tensor start, direction;  ///< float64 `[N, 3]`; `direction` is not of unit length
  at::Tensor both_ways;         ///< bool `[N]`: parallel rays; the others begin at their start
};

/// Views `first_view` … + `views`, pixels `first_pixel` … + `pixels` of each (row by row): N = `views`·`pixels`.
[[nodiscard]] Rays rays_of(const Exposures& exposures, std::int64_t first_view, std::int64_t views,
                           std::int64_t first_pixel, std::int64_t pixels);

}  // namespace osteon::torch_renderer
