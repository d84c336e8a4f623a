#pragma once

// Coloured surfaces as one sees them from far away: orthographic, z-buffered and Lambert-shaded, without a window
// system (Pineda, "A parallel algorithm for polygon rasterization", SIGGRAPH 1988).

#include <osteon/mesh.hpp>

#include <array>
#include <utility>
#include <vector>

namespace osteon::imaging {

using Rgb = std::array<double, 3>;  ///< red, green, blue, 0 … 1

/// Where the eye is and how millimetres become pixels. The three directions are unit vectors at right angles.
struct SurfaceCamera {
  Vec3 right, up, towards_eye;
  double centre_right = 0, centre_up = 0;  ///< mm along `right` and `up` of the picture's centre
  double millimetres_per_pixel = 1;
  int width = 0, height = 0;  ///< pixels
};

/// Two views of a surface at right angles, its long axis upright where it has one. Never mirrored.
[[nodiscard]] std::pair<SurfaceCamera, SurfaceCamera> upright_cameras(const Mesh& mesh);

/// The camera moved and sized so that all `meshes` fill a picture of `height` pixels, with a rim of 2 %.
[[nodiscard]] SurfaceCamera fitted(SurfaceCamera camera, const std::vector<const Mesh*>& meshes, int height);

/// uint8 `[H, W, 3]` on the ground of `Canvas`. `colours` has one entry a vertex. `mesh` must be sound (`Mesh::check`).
[[nodiscard]] at::Tensor draw_surface(const Mesh& mesh, const std::vector<Rgb>& colours, const SurfaceCamera& camera);

/// The colour map viridis (van der Walt and Smith, 2015): dark blue at 0, yellow at 1 and beyond.
[[nodiscard]] Rgb viridis(double share);

}  // namespace osteon::imaging
