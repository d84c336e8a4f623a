#include "rasteriser.hpp"

#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

namespace osteon::report {

namespace {

struct Corner {
  double x, y, depth;  ///< pixels, rows running down; mm towards the eye
};

Vec3 vertex(const Mesh& mesh, std::int64_t index) {
  const float* p = mesh.vertices.data_ptr<float>() + 3 * index;
  return {p[0], p[1], p[2]};
}

Corner project(Vec3 point, const Camera& camera) {
  const double x = (dot(point, camera.right) - camera.centre_right) / camera.millimetres_per_pixel;
  const double y = (dot(point, camera.up) - camera.centre_up) / camera.millimetres_per_pixel;
  return {camera.width / 2.0 + x, camera.height / 2.0 - y, dot(point, camera.towards_eye)};
}

/// Twice the signed area of the triangle a, b, (x, y).
double edge(const Corner& a, const Corner& b, double x, double y) {
  return (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x);
}

/// The first and last whole pixel whose centre lies in [low, high], cut to the picture.
std::pair<int, int> pixels_between(double low, double high, int size) {
  const double first = std::clamp(std::ceil(low - 0.5), 0.0, static_cast<double>(size));
  const double last = std::clamp(std::floor(high - 0.5), -1.0, size - 1.0);
  return {static_cast<int>(first), static_cast<int>(last)};
}

void draw(const std::array<Corner, 3>& corner, std::int32_t index, Raster& raster) {
  const double area = edge(corner[0], corner[1], corner[2].x, corner[2].y);
  if (area == 0) return;
  const auto [left, right] = std::minmax({corner[0].x, corner[1].x, corner[2].x});
  const auto [top, bottom] = std::minmax({corner[0].y, corner[1].y, corner[2].y});
  const auto [first_column, last_column] = pixels_between(left, right, raster.width);
  const auto [first_row, last_row] = pixels_between(top, bottom, raster.height);
  for (int row = first_row; row <= last_row; ++row)
    for (int column = first_column; column <= last_column; ++column) {
      const double x = column + 0.5, y = row + 0.5;
      const double a = edge(corner[1], corner[2], x, y) / area, b = edge(corner[2], corner[0], x, y) / area;
      const double c = edge(corner[0], corner[1], x, y) / area;
      if (a < 0 || b < 0 || c < 0) continue;
      const auto depth = static_cast<float>(a * corner[0].depth + b * corner[1].depth + c * corner[2].depth);
      const auto sample =
          static_cast<std::size_t>(row) * static_cast<std::size_t>(raster.width) + static_cast<std::size_t>(column);
      if (depth <= raster.depth[sample]) continue;
      raster.depth[sample] = depth;
      raster.triangle[sample] = index;
      raster.weight[sample] = {static_cast<float>(a), static_cast<float>(b), static_cast<float>(c)};
    }
}

std::uint8_t byte(double value) { return static_cast<std::uint8_t>(std::lround(255 * std::clamp(value, 0.0, 1.0))); }

}  // namespace

Raster rasterise(const Mesh& mesh, const Camera& camera) {
  const auto samples = static_cast<std::size_t>(camera.width) * static_cast<std::size_t>(camera.height);
  Raster raster{camera.width, camera.height, std::vector<float>(samples, -INFINITY),
                std::vector<std::int32_t>(samples, -1), std::vector<std::array<float, 3>>(samples)};
  std::vector<Corner> corners;
  corners.reserve(static_cast<std::size_t>(mesh.vertices.size(0)));
  for (std::int64_t i = 0; i < mesh.vertices.size(0); ++i) corners.push_back(project(vertex(mesh, i), camera));
  const auto* index = mesh.triangles.data_ptr<std::int32_t>();
  const auto corner = [&](std::int64_t at) { return corners[static_cast<std::size_t>(index[at])]; };
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t)
    draw({corner(3 * t), corner(3 * t + 1), corner(3 * t + 2)}, static_cast<std::int32_t>(t), raster);
  return raster;
}

std::vector<Vec3> vertex_normals(const Mesh& mesh) {
  std::vector<Vec3> normals(static_cast<std::size_t>(mesh.vertices.size(0)));
  const auto* index = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t) {
    const Vec3 a = vertex(mesh, index[3 * t]);
    const Vec3 normal = cross(vertex(mesh, index[3 * t + 1]) - a, vertex(mesh, index[3 * t + 2]) - a);
    for (int k = 0; k < 3; ++k) {
      Vec3& sum = normals[static_cast<std::size_t>(index[3 * t + k])];
      sum = sum + normal;
    }
  }
  for (Vec3& normal : normals)
    if (const double length = norm(normal); length > 0) normal = normal * (1 / length);
  return normals;
}

double shade(const Raster& raster, std::size_t sample, const Mesh& mesh, const std::vector<Vec3>& normals,
             const Camera& camera) {
  constexpr double kEverywhere = 0.38;
  const Vec3 lamp = normalised(camera.towards_eye + camera.up * 0.45 - camera.right * 0.55);
  const auto* index = mesh.triangles.data_ptr<std::int32_t>() + 3 * static_cast<std::int64_t>(raster.triangle[sample]);
  Vec3 normal;
  for (std::size_t k = 0; k < 3; ++k)
    normal = normal + normals[static_cast<std::size_t>(index[k])] * raster.weight[sample][k];
  const double length = norm(normal);
  if (length == 0) return kEverywhere;
  // What is seen faces the eye, whichever way its corners run.
  const double lit = dot(normal, lamp) * (dot(normal, camera.towards_eye) < 0 ? -1 : 1) / length;
  return kEverywhere + (1 - kEverywhere) * std::max(0.0, lit);
}

at::Tensor resolve(int width, int height, int factor, const std::function<bool(std::size_t)>& covered,
                   const std::function<Colour(std::size_t)>& colour) {
  at::Tensor picture = at::zeros({height, width, 4}, at::kByte);
  auto* pixels = picture.data_ptr<std::uint8_t>();
  parallel_for(0, height, 8, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row)
      for (std::int64_t column = 0; column < width; ++column) {
        Colour sum{};
        int count = 0;
        for (int i = 0; i < factor * factor; ++i) {
          const auto sample =
              static_cast<std::size_t>((row * factor + i / factor) * width * factor + column * factor + i % factor);
          if (!covered(sample)) continue;
          const Colour one = colour(sample);
          for (std::size_t k = 0; k < 3; ++k) sum[k] += one[k];
          ++count;
        }
        auto* pixel = pixels + 4 * (row * width + column);
        for (std::size_t k = 0; k < 3; ++k) pixel[k] = byte(count > 0 ? sum[k] / count : 0);
        pixel[3] = byte(static_cast<double>(count) / (factor * factor));
      }
  });
  return picture;
}

}  // namespace osteon::report
