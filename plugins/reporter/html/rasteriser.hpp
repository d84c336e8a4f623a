#pragma once

// A small software rasteriser: orthographic, z-buffered, Lambert-shaded pictures of a surface, so that the report needs
// neither a window system nor a graphics library (Pineda, "A parallel algorithm for polygon rasterization", SIGGRAPH
// 1988: a pixel belongs to a triangle when it lies on the inner side of its three edges).

#include <osteon/mesh.hpp>

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

namespace osteon::report {

/// Where the eye is and how millimetres become pixels. The three directions are unit vectors at right angles.
struct Camera {
  Vec3 right, up, towards_eye;
  double centre_right = 0, centre_up = 0;  ///< mm along `right` and `up` of the picture's centre
  double millimetres_per_pixel = 1;
  int width = 0, height = 0;  ///< pixels
};

/// What is seen at each sample of the picture.
struct Raster {
  int width = 0, height = 0;
  std::vector<float> depth;                  ///< mm towards the eye; -infinity where there is nothing
  std::vector<std::int32_t> triangle;        ///< the nearest one; -1 where there is nothing
  std::vector<std::array<float, 3>> weight;  ///< barycentric, of its corners

  [[nodiscard]] bool covered(std::size_t sample) const { return triangle[sample] >= 0; }
};

/// One sample in the middle of each pixel of `camera`. `mesh` must be sound (`Mesh::check`).
[[nodiscard]] Raster rasterise(const Mesh& mesh, const Camera& camera);

/// Unit normals of the vertices: the mean of their triangles' normals, weighted by area.
[[nodiscard]] std::vector<Vec3> vertex_normals(const Mesh& mesh);

using Colour = std::array<double, 3>;  ///< red, green, blue, 0 … 1

/// Light on a surface that is seen at `sample`, 0 … 1: a lamp over the eye's left shoulder, and some light from
/// everywhere.
[[nodiscard]] double shade(const Raster& raster, std::size_t sample, const Mesh& mesh, const std::vector<Vec3>& normals,
                           const Camera& camera);

/// Each pixel's colour and coverage from `factor`² samples: uint8 `[H, W, 4]`, transparent where there is nothing.
/// `colour` answers for one covered sample; `covered` says which are.
[[nodiscard]] at::Tensor resolve(int width, int height, int factor, const std::function<bool(std::size_t)>& covered,
                                 const std::function<Colour(std::size_t)>& colour);

}  // namespace osteon::report
