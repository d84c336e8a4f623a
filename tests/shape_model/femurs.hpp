#pragma once

// Bones of two known modes of shape, and their X-rays, for tests of shape models.

#include "solids.hpp"

#include "shape_model/estimator.hpp"

#include <ATen/Functions.h>

#include <cmath>
#include <numbers>

namespace osteon::femurs {

/// A shaft with a head to the medial side and two condyles behind, so that every turning shows; `longer` and `thicker`
/// in units of 20 mm and of 8 %.
inline Mesh femur(double longer, double thicker, int rings = 70, int sectors = 48) {
  const double half = 200 + 10 * longer, girth = 1 + 0.08 * thicker;
  return solids::around_axis(rings, sectors, [&](double share, double around) {
    const double z = std::cos(std::numbers::pi * share), s = std::sin(std::numbers::pi * share);
    const double head = std::exp(-std::pow((z - 0.9) / 0.1, 2)), knee = std::exp(-std::pow((z + 0.9) / 0.12, 2));
    const double radius = std::sqrt(s) * (13 + 8 * head + 12 * knee) * girth;
    const double x = radius * std::cos(around) + 25 * head, y = radius * 0.8 * std::sin(around) - 12 * knee;
    return Vec3{x, y, half * z};
  });
}

/// Nominal views, 900 mm from the source, `pixel` mm between pixels.
inline Projection told(bool is_ml, std::int64_t rows = 512, double pixel = 1) {
  Projection p;
  const Vec3 right = is_ml ? Vec3{0, -1, 0} : Vec3{1, 0, 0}, towards = is_ml ? Vec3{1, 0, 0} : Vec3{0, 1, 0};
  p.rows = rows;
  p.columns = rows / 2;
  p.source = towards * 900;
  p.direction = -towards;
  p.column_step = right * (2 * pixel);
  p.row_step = Vec3{0, 0, -2 * pixel};
  p.first_pixel = towards * -900 - p.column_step * ((static_cast<double>(p.columns) - 1) / 2) -
                  p.row_step * ((static_cast<double>(p.rows) - 1) / 2);
  return p;
}

/// Where the ray from the source through a point meets the detector: column and row.
inline Eigen::Vector2d pixel_of(const Projection& p, Vec3 point) {
  const Vec3 normal = cross(p.column_step, p.row_step), ray = point - p.source;
  const Vec3 hit = p.source + ray * (dot(p.first_pixel - p.source, normal) / dot(ray, normal));
  const Vec3 offset = hit - p.first_pixel;
  return {dot(offset, p.column_step) / dot(p.column_step, p.column_step),
          dot(offset, p.row_step) / dot(p.row_step, p.row_step)};
}

/// Calls `at(index, a, b, c)` for every triangle and every place of a grid `fine` times as fine as the image's pixels
/// that its picture covers; a, b, c are the corners' shares there.
template <class At>
void for_each_covered(const Mesh& mesh, const Projection& p, int fine, const At& at) {
  const std::int64_t rows = p.rows * fine, columns = p.columns * fine;
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  const auto* vertex = mesh.vertices.data_ptr<float>();
  const auto place = [&](std::int64_t i) {
    const float* v = vertex + 3 * corner[i];
    const Eigen::Vector2d pixel = pixel_of(p, {v[0], v[1], v[2]});
    return Eigen::Vector2d(fine * pixel.x() + (fine - 1) / 2.0, fine * pixel.y() + (fine - 1) / 2.0);
  };
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t) {
    const Eigen::Vector2d a = place(3 * t), b = place(3 * t + 1), c = place(3 * t + 2);
    const Eigen::Vector2d low = a.cwiseMin(b).cwiseMin(c), high = a.cwiseMax(b).cwiseMax(c);
    const auto side = [](const Eigen::Vector2d& from, const Eigen::Vector2d& to, const Eigen::Vector2d& q) {
      return (to.x() - from.x()) * (q.y() - from.y()) - (to.y() - from.y()) * (q.x() - from.x());
    };
    const double area = side(a, b, c);
    if (area == 0) continue;
    for (auto y = std::max<std::int64_t>(0, std::llround(std::ceil(low.y()))); y <= high.y() && y < rows; ++y)
      for (auto x = std::max<std::int64_t>(0, std::llround(std::ceil(low.x()))); x <= high.x() && x < columns; ++x) {
        const Eigen::Vector2d q(static_cast<double>(x), static_cast<double>(y));
        const double at_a = side(b, c, q) / area, at_b = side(c, a, q) / area, at_c = side(a, b, q) / area;
        if (at_a >= 0 && at_b >= 0 && at_c >= 0) at(t, y * columns + x, Eigen::Vector3d(at_a, at_b, at_c), area > 0);
      }
  }
}

/// 1 where a ray meets the surface, softened over a pixel by sampling each at 3 × 3 places.
inline at::Tensor shadow(const Mesh& mesh, const Projection& p) {
  constexpr int kFine = 3;
  at::Tensor fine = at::zeros({1, 1, p.rows * kFine, p.columns * kFine});
  float* value = fine.data_ptr<float>();
  for_each_covered(mesh, p, kFine,
                   [&](std::int64_t, std::int64_t pixel, const Eigen::Vector3d&, bool) { value[pixel] = 1; });
  return at::avg_pool2d(fine, {kFine, kFine}).view({p.rows, p.columns});
}

/// Line integrals of a solid of water, about: 0.02 for each mm of thickness along the beam, softened as `shadow`.
inline at::Tensor xray(const Mesh& mesh, const Projection& p) {
  constexpr int kFine = 3;
  at::Tensor fine = at::zeros({1, 1, p.rows * kFine, p.columns * kFine});
  float* value = fine.data_ptr<float>();
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  const auto* vertex = mesh.vertices.data_ptr<float>();
  for_each_covered(mesh, p, kFine, [&](std::int64_t t, std::int64_t pixel, const Eigen::Vector3d& shares, bool turned) {
    double depth = 0;
    for (int k = 0; k < 3; ++k) {
      const float* v = vertex + 3 * corner[3 * t + k];
      depth += shares[k] * dot(Vec3{v[0], v[1], v[2]} - p.source, p.direction);
    }
    value[pixel] += static_cast<float>((turned ? 0.02 : -0.02) * depth);
  });
  const at::Tensor image = at::avg_pool2d(fine, {kFine, kFine}).view({p.rows, p.columns});
  return image.sum().item<double>() < 0 ? -image : image;
}

}  // namespace osteon::femurs
