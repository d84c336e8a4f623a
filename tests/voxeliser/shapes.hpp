#pragma once

// Surfaces with known volume and radius.

#include <osteon/mesh.hpp>

#include <ATen/Functions.h>

#include <cmath>
#include <map>
#include <vector>

namespace osteon::test {

inline Mesh mesh_of(const std::vector<Vec3>& points, const std::vector<std::array<std::int32_t, 3>>& corners) {
  Mesh mesh{at::empty({static_cast<std::int64_t>(points.size()), 3}, at::kFloat),
            at::empty({static_cast<std::int64_t>(corners.size()), 3}, at::kInt)};
  for (std::size_t i = 0; i < points.size(); ++i)
    for (int axis = 0; axis < 3; ++axis)
      mesh.vertices.data_ptr<float>()[3 * i + static_cast<std::size_t>(axis)] = static_cast<float>(points[i][axis]);
  for (std::size_t i = 0; i < corners.size(); ++i)
    for (std::size_t k = 0; k < 3; ++k) mesh.triangles.data_ptr<std::int32_t>()[3 * i + k] = corners[i][k];
  return mesh;
}

/// A sphere from an octahedron whose triangles were split into four `rounds` times.
inline Mesh sphere(double radius, Vec3 centre = {}, int rounds = 5) {
  std::vector<Vec3> points = {{1, 0, 0}, {-1, 0, 0}, {0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}};
  std::vector<std::array<std::int32_t, 3>> corners = {{0, 2, 4}, {2, 1, 4}, {1, 3, 4}, {3, 0, 4},
                                                      {2, 0, 5}, {1, 2, 5}, {3, 1, 5}, {0, 3, 5}};
  for (int round = 0; round < rounds; ++round) {
    std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> middle;
    const auto between = [&](std::int32_t a, std::int32_t b) {
      const auto [place, is_new] = middle.try_emplace(std::minmax(a, b), static_cast<std::int32_t>(points.size()));
      if (is_new)
        points.push_back(normalised(points[static_cast<std::size_t>(a)] + points[static_cast<std::size_t>(b)]));
      return place->second;
    };
    std::vector<std::array<std::int32_t, 3>> finer;
    for (const auto& [a, b, c] : corners) {
      const std::int32_t ab = between(a, b), bc = between(b, c), ca = between(c, a);
      finer.insert(finer.end(), {{a, ab, ca}, {ab, b, bc}, {ca, bc, c}, {ab, bc, ca}});
    }
    corners = std::move(finer);
  }
  for (Vec3& p : points) p = centre + p * radius;
  return mesh_of(points, corners);
}

/// An axis-parallel box of 12 triangles: edges and corners lie exactly on rows of voxels.
inline Mesh box(Vec3 low, Vec3 high) {
  std::vector<Vec3> points;
  for (int i = 0; i < 8; ++i)
    points.push_back({i & 1 ? high.x : low.x, i & 2 ? high.y : low.y, i & 4 ? high.z : low.z});
  return mesh_of(points, {{0, 2, 1},
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

}  // namespace osteon::test
