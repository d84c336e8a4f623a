// Marching cubes (Lorensen and Cline, SIGGRAPH 1987), its table derived rather than typed in.
//
// On each of a cube's faces, walked counter-clockwise as seen from outside, every run of inside corners is cut off by
// one segment from the edge where the walk enters the run to the edge where it leaves it. This depends on the face's
// corners alone, so two cubes agree on their common face, ambiguous ones included (inside corners are parted), and the
// segments join head to tail into closed loops. A loop is cut into triangles by a fan none of whose diagonals lies in a
// face, or else around its own midpoint: a diagonal in a face could coincide with the neighbour's, and an edge would
// have four triangles. So the surface is closed and every edge has exactly two triangles, for any solid.

#include "marching_cubes.hpp"

#include <algorithm>
#include <cmath>

namespace osteon::isosurface {

namespace {

/// Edges of a cube are numbered axis * 4 + (one bit for each of the other two axes); corners x + 2y + 4z.
constexpr int edge_between(int a, int b) {
  const int bit = a ^ b, low = std::min(a, b);
  if (bit == 1) return low >> 1;
  if (bit == 2) return 4 + (low & 1) + ((low >> 2) << 1);
  return 8 + (low & 3);
}

/// The lower corner of an edge.
constexpr int corner_of(int edge) {
  const int rest = edge % 4;
  return edge < 4 ? rest << 1 : edge < 8 ? (rest & 1) | (rest & 2) << 1 : rest;
}

/// Corners of the six faces, counter-clockwise as seen from outside.
constexpr int kFaces[6][4] = {{0, 4, 6, 2}, {1, 3, 7, 5}, {0, 1, 5, 4}, {2, 6, 7, 3}, {0, 2, 3, 1}, {4, 5, 7, 6}};

struct Loop {
  std::vector<int> edges;  ///< rotated so that a fan from the first is allowed
  bool around_midpoint = false;
};

bool in_one_face(int a, int b) {
  for (const auto& face : kFaces) {
    int found = 0;
    for (int c = 0; c < 4; ++c) {
      const int edge = edge_between(face[c], face[(c + 1) % 4]);
      found += (edge == a) + (edge == b);
    }
    if (found == 2) return true;
  }
  return false;
}

Loop with_fan(std::vector<int> edges) {
  for (std::size_t turn = 0; turn < edges.size(); ++turn) {
    bool allowed = true;
    for (std::size_t i = 2; i + 1 < edges.size(); ++i) allowed = allowed && !in_one_face(edges[0], edges[i]);
    if (allowed) return {edges, false};
    std::rotate(edges.begin(), edges.begin() + 1, edges.end());
  }
  return {edges, true};
}

std::vector<Loop> loops_of(int inside) {
  std::array<int, 12> next;
  next.fill(-1);
  const auto is_in = [&](int corner) { return (inside >> corner & 1) != 0; };
  for (const auto& face : kFaces)
    for (int c = 0; c < 4; ++c) {
      if (is_in(face[c]) || !is_in(face[(c + 1) % 4])) continue;  // not where a run begins
      int end = (c + 1) % 4;
      while (is_in(face[(end + 1) % 4])) end = (end + 1) % 4;
      next[static_cast<std::size_t>(edge_between(face[c], face[(c + 1) % 4]))] =
          edge_between(face[end], face[(end + 1) % 4]);
    }
  std::vector<Loop> loops;
  for (int start = 0; start < 12; ++start) {
    std::vector<int> edges;
    for (int edge = start; next[static_cast<std::size_t>(edge)] >= 0;) {
      edges.push_back(edge);
      edge = std::exchange(next[static_cast<std::size_t>(edge)], -1);
    }
    if (!edges.empty()) loops.push_back(with_fan(std::move(edges)));
  }
  return loops;
}

const std::array<std::vector<Loop>, 256>& table() {
  static const auto loops = [] {
    std::array<std::vector<Loop>, 256> result;
    for (int inside = 0; inside < 256; ++inside) result[static_cast<std::size_t>(inside)] = loops_of(inside);
    return result;
  }();
  return loops;
}

class Marcher {
 public:
  Marcher(const Mask& solid, const float* density, const Grid& grid, double threshold)
      : solid_(solid), density_(density), grid_(grid), threshold_(threshold) {
    const auto plane = static_cast<std::size_t>(solid.size[0] * solid.size[1]);
    for (auto& slice : vertex_) slice.assign(3 * plane, -1);
  }

  Triangulation run() {
    for (std::int64_t k = 0; k + 1 < solid_.size[2]; ++k) {
      for (std::int64_t j = 0; j + 1 < solid_.size[1]; ++j) march_row(j, k);
      std::swap(vertex_[0], vertex_[1]);
      std::fill(vertex_[1].begin(), vertex_[1].end(), -1);
    }
    return std::move(result_);
  }

 private:
  void march_row(std::int64_t j, std::int64_t k) {
    const std::uint8_t* row[4] = {&solid_.inside[solid_.at(0, j, k)], &solid_.inside[solid_.at(0, j + 1, k)],
                                  &solid_.inside[solid_.at(0, j, k + 1)], &solid_.inside[solid_.at(0, j + 1, k + 1)]};
    const auto corners = [&](std::int64_t i) { return row[0][i] | row[1][i] << 2 | row[2][i] << 4 | row[3][i] << 6; };
    int left = corners(0);
    for (std::int64_t i = 0; i + 1 < solid_.size[0]; ++i) {
      const int right = corners(i + 1), inside = left | right << 1;
      left = right;
      if (inside != 0 && inside != 255) march_cube(i, j, k, inside);
    }
  }

  void march_cube(std::int64_t i, std::int64_t j, std::int64_t k, int inside) {
    for (const Loop& loop : table()[static_cast<std::size_t>(inside)]) {
      corner_.clear();
      for (const int edge : loop.edges) corner_.push_back(vertex_on(i, j, k, edge));
      const std::size_t n = corner_.size();
      if (!loop.around_midpoint) {
        for (std::size_t c = 1; c + 1 < n; ++c) result_.triangles.push_back({corner_[0], corner_[c], corner_[c + 1]});
        continue;
      }
      Vec3 middle;
      for (const auto v : corner_)
        middle = middle + result_.vertices[static_cast<std::size_t>(v)] * (1.0 / static_cast<double>(n));
      const auto hub = static_cast<std::int32_t>(result_.vertices.size());
      result_.vertices.push_back(middle);
      for (std::size_t c = 0; c < n; ++c) result_.triangles.push_back({hub, corner_[c], corner_[(c + 1) % n]});
    }
  }

  /// The surface's vertex on an edge of cube (i, j, k), made when it is first met.
  std::int32_t vertex_on(std::int64_t i, std::int64_t j, std::int64_t k, int edge) {
    const int corner = corner_of(edge), axis = edge / 4;
    const std::int64_t x = i + (corner & 1), y = j + (corner >> 1 & 1), above = corner >> 2;
    auto& slot =
        vertex_[static_cast<std::size_t>(above)][static_cast<std::size_t>((y * solid_.size[0] + x) * 3 + axis)];
    if (slot >= 0) return slot;
    const std::array<std::int64_t, 3> low{x, y, k + above};
    std::array<std::int64_t, 3> high = low;
    ++high[static_cast<std::size_t>(axis)];
    const double a = depth(low), b = depth(high);
    Vec3 index;
    for (int d = 0; d < 3; ++d)
      index[d] = static_cast<double>(low[static_cast<std::size_t>(d)] + solid_.low[static_cast<std::size_t>(d)]);
    index[axis] += a / (a - b);
    slot = static_cast<std::int32_t>(result_.vertices.size());
    result_.vertices.push_back(grid_.to_patient(index));
    return slot;
  }

  /// Above 0 inside the solid, below 0 outside: the distance of the density from the threshold, in HU, at least 1.
  double depth(const std::array<std::int64_t, 3>& voxel) const {
    const std::int64_t i = voxel[0] + solid_.low[0], j = voxel[1] + solid_.low[1], k = voxel[2] + solid_.low[2];
    const double value = density_[static_cast<std::size_t>((k * grid_.size[1] + j) * grid_.size[0] + i)];
    const double distance = std::max(1.0, std::abs(value - threshold_));
    return solid_.inside[solid_.at(voxel[0], voxel[1], voxel[2])] != 0 ? distance : -distance;
  }

  const Mask& solid_;
  const float* density_;
  const Grid& grid_;
  double threshold_;
  std::array<std::vector<std::int32_t>, 2> vertex_;  ///< of slices k and k + 1: three edges a voxel, -1 where none
  std::vector<std::int32_t> corner_;
  Triangulation result_;
};

}  // namespace

Triangulation marching_cubes(const Mask& solid, const float* density, const Grid& grid, double threshold) {
  return Marcher(solid, density, grid, threshold).run();
}

}  // namespace osteon::isosurface
