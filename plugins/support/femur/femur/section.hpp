#pragma once

// What a plane cuts out of a closed surface.

#include <osteon/mesh.hpp>

#include <vector>

namespace osteon::femur {

struct Section {
  double area = 0;  ///< mm²
  Vec3 centroid;    ///< of the area within the outline
};

/// The pieces that the plane through `point` across `normal` (unit) cuts out, one for each outline; holes are left out.
[[nodiscard]] std::vector<Section> sections(const Mesh& mesh, Vec3 point, Vec3 normal);

/// The triangles with a corner whose place along `direction` is `from` to `to`.
[[nodiscard]] Mesh part_between(const Mesh& mesh, Vec3 direction, double from, double to);

}  // namespace osteon::femur
