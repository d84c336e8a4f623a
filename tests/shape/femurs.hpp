#pragma once

// An artificial femur in its own frame (x medial, y anterior, z proximal) whose measures are known: a shaft, a neck, a
// head and two condyles, each a closed surface that reaches into the next.

#include "solids.hpp"

namespace osteon::solids {

struct FemurForm {
  double neck_shaft = 125, anteversion = 12;  ///< degrees
  double head_radius = 24, length = 420;      ///< mm; the length from the condyles to the top of the shaft
  double shaft_radius = 14;                   ///< mm
};

inline Vec3 neck_base(const FemurForm& form) { return {0, 0, form.length / 2 - 25}; }

/// From the shaft to the head, unit.
inline Vec3 neck_direction(const FemurForm& form) {
  const double angle = radians(form.neck_shaft), version = radians(form.anteversion);
  return {std::sin(angle) * std::cos(version), std::sin(angle) * std::sin(version), -std::cos(angle)};
}

inline Vec3 head_centre(const FemurForm& form) { return neck_base(form) + neck_direction(form) * 55; }

/// A rounded rod from one point to another.
inline Mesh rod(Vec3 from, Vec3 to, double radius) {
  const Vec3 axis = normalised(from - to);
  const Vec3 side = normalised(std::abs(axis.z) < 0.9 ? cross(axis, {0, 0, 1}) : cross(axis, {0, 1, 0}));
  const Vec3 front = cross(axis, side);
  return around_axis(160, 60, [&](double h, double angle) {
    const double share = std::clamp((h - 0.1) / 0.8, 0.0, 1.0);  // a tenth of the rings is either end
    const double polar = h < 0.1   ? h / 0.1 * std::numbers::pi / 2
                         : h > 0.9 ? std::numbers::pi - (1 - h) / 0.1 * std::numbers::pi / 2
                                   : std::numbers::pi / 2;
    return from * (1 - share) + to * share + axis * (radius * std::cos(polar)) +
           (side * std::cos(angle) + front * std::sin(angle)) * (radius * std::sin(polar));
  });
}

inline Mesh joined(const std::vector<Mesh>& meshes) {
  std::vector<at::Tensor> vertices, triangles;
  std::int64_t before = 0;
  for (const Mesh& mesh : meshes) {
    vertices.push_back(mesh.vertices);
    triangles.push_back(mesh.triangles.add(before));
    before += mesh.vertices.size(0);
  }
  return {at::cat(vertices), at::cat(triangles).to(at::kInt)};
}

inline Mesh femur(const FemurForm& form = {}) {
  const double top = form.length / 2;
  std::vector<Mesh> parts{rod({0, 0, top - form.shaft_radius}, {0, 0, -top + 20}, form.shaft_radius),
                          rod(neck_base(form), head_centre(form), 15),
                          ellipsoid({form.head_radius, form.head_radius, form.head_radius}, 60, 90, head_centre(form))};
  for (const double side : {-1.0, 1.0}) parts.push_back(ellipsoid({22, 30, 22}, 60, 90, {25 * side, -6, -top + 22}));
  return joined(parts);
}

}  // namespace osteon::solids
