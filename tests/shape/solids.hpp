#pragma once

// Surfaces whose measures are known, and an asymmetric elongated one for alignment.

#include <osteon/mesh.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

namespace osteon::solids {

inline Mesh mesh_of(const std::vector<Vec3>& points, const std::vector<std::array<std::int32_t, 3>>& triangles) {
  Mesh mesh{at::empty({static_cast<std::int64_t>(points.size()), 3}, at::kFloat),
            at::empty({static_cast<std::int64_t>(triangles.size()), 3}, at::kInt)};
  auto* p = mesh.vertices.data_ptr<float>();
  for (const Vec3& q : points)
    for (int axis = 0; axis < 3; ++axis) *p++ = static_cast<float>(q[axis]);
  auto* t = mesh.triangles.data_ptr<std::int32_t>();
  for (const auto& corners : triangles) t = std::copy(corners.begin(), corners.end(), t);
  return mesh;
}

/// A closed surface around the z axis: `place(h, angle)` for h in 0 … 1 from the upper pole to the lower one.
inline Mesh around_axis(int rings, int sectors, const std::function<Vec3(double, double)>& place) {
  std::vector<Vec3> points{place(0, 0)};
  for (int r = 1; r < rings; ++r)
    for (int s = 0; s < sectors; ++s)
      points.push_back(place(static_cast<double>(r) / rings, 2 * std::numbers::pi * s / sectors));
  points.push_back(place(1, 0));
  const auto at = [&](int r, int s) {
    return r == 0 ? 0 : r == rings ? static_cast<std::int32_t>(points.size()) - 1 : 1 + (r - 1) * sectors + s % sectors;
  };
  std::vector<std::array<std::int32_t, 3>> triangles;
  for (int r = 0; r < rings; ++r)
    for (int s = 0; s < sectors; ++s) {
      if (r > 0) triangles.push_back({at(r, s), at(r + 1, s), at(r, s + 1)});
      if (r + 1 < rings) triangles.push_back({at(r, s + 1), at(r + 1, s), at(r + 1, s + 1)});
    }
  return mesh_of(points, triangles);
}

inline Mesh ellipsoid(Vec3 radii, int rings = 60, int sectors = 90, Vec3 centre = {}) {
  return around_axis(rings, sectors, [&](double h, double angle) {
    const double polar = std::numbers::pi * h;
    return centre + Vec3{radii.x * std::sin(polar) * std::cos(angle), radii.y * std::sin(polar) * std::sin(angle),
                         radii.z * std::cos(polar)};
  });
}

inline Mesh sphere(double radius, int rings = 90, int sectors = 140) {
  return ellipsoid({radius, radius, radius}, rings, sectors);
}

/// Something like a long bone, 400 mm: bowed, thin in the middle, one end with two knobs, the other with a head aside.
inline Mesh bone(double length = 400, double girth = 1) {
  return around_axis(120, 48, [&](double h, double angle) {
    const double z = length * (0.5 - h);
    const double ends = std::min(1.0, std::sqrt(std::sin(std::numbers::pi * h)) * 1.6);
    double radius = girth * ends * (14 + 16 * std::pow(std::abs(2 * h - 1), 4));
    radius *= 1 + 0.35 * std::exp(-std::pow((h - 0.95) / 0.06, 2)) * std::cos(2 * angle);
    const double aside = 35 * girth * std::exp(-std::pow((h - 0.05) / 0.06, 2));
    const double bow = 18 * std::sin(std::numbers::pi * h);
    return Vec3{radius * std::cos(angle) + aside, radius * std::sin(angle) + bow, z};
  });
}

inline Mesh box(Vec3 size) {
  const Vec3 h = size * 0.5;
  std::vector<Vec3> p;
  for (int i = 0; i < 8; ++i) p.push_back({(i & 1 ? h.x : -h.x), (i & 2 ? h.y : -h.y), (i & 4 ? h.z : -h.z)});
  return mesh_of(p, {{0, 2, 1},
                     {1, 2, 3},
                     {4, 5, 6},
                     {5, 7, 6},
                     {0, 1, 4},
                     {1, 5, 4},
                     {2, 6, 3},
                     {3, 6, 7},
                     {0, 4, 2},
                     {2, 4, 6},
                     {1, 3, 5},
                     {3, 7, 5}});
}

/// A square of `side` in the plane z = `z`.
inline Mesh square(double side, double z) {
  const double h = side / 2;
  return mesh_of({{-h, -h, z}, {h, -h, z}, {h, h, z}, {-h, h, z}}, {{0, 1, 2}, {0, 2, 3}});
}

}  // namespace osteon::solids
