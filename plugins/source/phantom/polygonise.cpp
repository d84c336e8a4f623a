// Surface nets: one vertex in each grid cell that the surface crosses, one quadrilateral for each grid edge that it
// crosses. Cells that the surface crosses twice can make an edge of four faces; the grid is then shifted and tried
// again.

#include "polygonise.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <numeric>
#include <unordered_map>
#include <vector>

namespace osteon::phantom {

namespace {

constexpr int kBlock = 6;  ///< cells along a block's edge: blocks far from the surface are skipped

class Sampler {
 public:
  Sampler(const std::function<double(Vec3)>& solid, const Box& box, double cell)
      : solid_(solid), low_(box.low), cell_(cell) {
    for (int axis = 0; axis < 3; ++axis)
      size_[static_cast<std::size_t>(axis)] =
          (static_cast<int>((box.high[axis] - box.low[axis]) / cell) / kBlock + 1) * kBlock + 1;
    values_.assign(static_cast<std::size_t>(size_[0]) * size_[1] * size_[2], 1e9F);
    for (int z = 0; z + 1 < size_[2]; z += kBlock)
      for (int y = 0; y + 1 < size_[1]; y += kBlock)
        for (int x = 0; x + 1 < size_[0]; x += kBlock) sample_block(x, y, z);
  }

  [[nodiscard]] const std::array<int, 3>& size() const { return size_; }
  [[nodiscard]] std::size_t index(int x, int y, int z) const {
    return (static_cast<std::size_t>(z) * size_[1] + y) * size_[0] + x;
  }
  [[nodiscard]] float value(std::size_t index) const { return values_[index]; }
  [[nodiscard]] Vec3 point(double x, double y, double z) const { return low_ + Vec3{x, y, z} * cell_; }

 private:
  void sample_block(int x0, int y0, int z0) {
    const double half = 0.5 * kBlock;
    const double centre = solid_(point(x0 + half, y0 + half, z0 + half));
    // The function may overestimate the distance by up to a factor of 2 before a surface is missed.
    const bool far = std::abs(centre) > 2 * std::sqrt(3.0) * half * cell_;
    for (int z = z0; z <= z0 + kBlock; ++z)
      for (int y = y0; y <= y0 + kBlock; ++y)
        for (int x = x0; x <= x0 + kBlock; ++x) {
          float& value = values_[index(x, y, z)];
          if (value < 1e8F) continue;
          if (far && centre > 0) continue;  // stays outside until a neighbour block samples it
          value = static_cast<float>(far ? centre : solid_(point(x, y, z)));
        }
  }

  const std::function<double(Vec3)>& solid_;
  Vec3 low_;
  double cell_;
  std::array<int, 3> size_{};
  std::vector<float> values_;
};

struct Surface {
  std::vector<Vec3> vertices;
  std::vector<std::array<std::int32_t, 3>> triangles;
};

constexpr std::array<std::array<int, 3>, 8> kCorners = {
    {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {1, 1, 0}, {0, 0, 1}, {1, 0, 1}, {0, 1, 1}, {1, 1, 1}}};
constexpr std::array<std::array<int, 2>, 12> kEdges = {
    {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {0, 2}, {1, 3}, {4, 6}, {5, 7}, {0, 4}, {1, 5}, {2, 6}, {3, 7}}};

/// The mean of the points where the cell's edges cross the surface.
bool crossing(const Sampler& grid, int x, int y, int z, Vec3& mean) {
  std::array<float, 8> value{};
  int inside = 0;
  for (std::size_t c = 0; c < 8; ++c) {
    value[c] = grid.value(grid.index(x + kCorners[c][0], y + kCorners[c][1], z + kCorners[c][2]));
    inside += value[c] < 0;
  }
  if (inside == 0 || inside == 8) return false;
  Vec3 sum;
  int count = 0;
  for (const auto& [a, b] : kEdges) {
    const float first = value[static_cast<std::size_t>(a)], second = value[static_cast<std::size_t>(b)];
    if ((first < 0) == (second < 0)) continue;
    const double t = first / (static_cast<double>(first) - second);
    const auto& p = kCorners[static_cast<std::size_t>(a)];
    const auto& q = kCorners[static_cast<std::size_t>(b)];
    sum = sum + Vec3{p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1]), p[2] + t * (q[2] - p[2])};
    ++count;
  }
  mean = grid.point(x, y, z) + (grid.point(1, 1, 1) - grid.point(0, 0, 0)).x * (sum * (1.0 / count));
  return true;
}

Surface surface_net(const Sampler& grid) {
  Surface surface;
  std::unordered_map<std::size_t, std::int32_t> vertex_of_cell;
  const auto& size = grid.size();
  std::vector<std::array<int, 3>> cells;
  for (int z = 0; z + 1 < size[2]; ++z)
    for (int y = 0; y + 1 < size[1]; ++y)
      for (int x = 0; x + 1 < size[0]; ++x) {
        Vec3 vertex;
        if (!crossing(grid, x, y, z, vertex)) continue;
        vertex_of_cell[grid.index(x, y, z)] = static_cast<std::int32_t>(surface.vertices.size());
        surface.vertices.push_back(vertex);
        cells.push_back({x, y, z});
      }
  for (const auto& cell : cells)
    for (int axis = 0; axis < 3; ++axis) {
      // The grid edge from the cell's first corner along `axis`, shared by four cells.
      const int u = (axis + 1) % 3, v = (axis + 2) % 3;
      if (cell[static_cast<std::size_t>(u)] == 0 || cell[static_cast<std::size_t>(v)] == 0) continue;
      auto end = cell;
      ++end[static_cast<std::size_t>(axis)];
      const bool from = grid.value(grid.index(cell[0], cell[1], cell[2])) < 0;
      const bool to = grid.value(grid.index(end[0], end[1], end[2])) < 0;
      if (from == to) continue;
      const auto at = [&](int du, int dv) {
        auto c = cell;
        c[static_cast<std::size_t>(u)] -= du;
        c[static_cast<std::size_t>(v)] -= dv;
        return vertex_of_cell.at(grid.index(c[0], c[1], c[2]));
      };
      std::array<std::int32_t, 4> quad = {at(0, 0), at(1, 0), at(1, 1), at(0, 1)};
      if (!from) std::swap(quad[1], quad[3]);
      const auto distance = [&](int a, int b) {
        return norm(surface.vertices[static_cast<std::size_t>(quad[static_cast<std::size_t>(a)])] -
                    surface.vertices[static_cast<std::size_t>(quad[static_cast<std::size_t>(b)])]);
      };
      if (distance(0, 2) <= distance(1, 3)) {
        surface.triangles.push_back({quad[0], quad[1], quad[2]});
        surface.triangles.push_back({quad[0], quad[2], quad[3]});
      } else {
        surface.triangles.push_back({quad[0], quad[1], quad[3]});
        surface.triangles.push_back({quad[1], quad[2], quad[3]});
      }
    }
  return surface;
}

/// Newton steps along the gradient, each at most half a cell.
void project(Surface& surface, const std::function<double(Vec3)>& solid, double cell, int rounds) {
  const double step = 0.05 * cell;
  for (Vec3& p : surface.vertices)
    for (int round = 0; round < rounds; ++round) {
      const double value = solid(p);
      const Vec3 gradient = Vec3{solid(p + Vec3{step, 0, 0}) - value, solid(p + Vec3{0, step, 0}) - value,
                                 solid(p + Vec3{0, 0, step}) - value} *
                            (1 / step);
      const double square = dot(gradient, gradient);
      if (square < 0.04) break;
      const Vec3 move = gradient * (-value / square);
      const double far = norm(move) / (0.5 * cell);
      p = p + (far > 1 ? move * (1 / far) : move);
    }
}

/// Evens out the triangles: each vertex towards the mean of its neighbours, in its tangent plane only.
void relax(Surface& surface) {
  const std::size_t count = surface.vertices.size();
  std::vector<Vec3> sum(count), normal(count);
  std::vector<int> neighbours(count);
  for (const auto& t : surface.triangles)
    for (std::size_t k = 0; k < 3; ++k) {
      const auto a = static_cast<std::size_t>(t[k]), b = static_cast<std::size_t>(t[(k + 1) % 3]),
                 c = static_cast<std::size_t>(t[(k + 2) % 3]);
      sum[a] = sum[a] + surface.vertices[b];
      ++neighbours[a];
      normal[a] =
          normal[a] + cross(surface.vertices[b] - surface.vertices[a], surface.vertices[c] - surface.vertices[a]);
    }
  for (std::size_t i = 0; i < count; ++i) {
    if (neighbours[i] == 0 || norm(normal[i]) == 0) continue;
    const Vec3 n = normalised(normal[i]), move = sum[i] * (1.0 / neighbours[i]) - surface.vertices[i];
    surface.vertices[i] = surface.vertices[i] + (move - n * dot(n, move)) * 0.6;
  }
}

/// The triangles of the piece with the most of them, and the vertices that these use.
Surface largest_piece(const Surface& surface) {
  std::vector<std::int32_t> root(surface.vertices.size());
  std::iota(root.begin(), root.end(), 0);
  const auto find = [&](std::int32_t i) {
    while (root[static_cast<std::size_t>(i)] != i) {
      root[static_cast<std::size_t>(i)] = root[static_cast<std::size_t>(root[static_cast<std::size_t>(i)])];
      i = root[static_cast<std::size_t>(i)];
    }
    return i;
  };
  for (const auto& t : surface.triangles) {
    root[static_cast<std::size_t>(find(t[1]))] = find(t[0]);
    root[static_cast<std::size_t>(find(t[2]))] = find(t[0]);
  }
  std::vector<std::int64_t> count(root.size());
  for (const auto& t : surface.triangles) ++count[static_cast<std::size_t>(find(t[0]))];
  const auto best = static_cast<std::int32_t>(std::max_element(count.begin(), count.end()) - count.begin());
  Surface piece;
  std::vector<std::int32_t> renamed(root.size(), -1);
  for (auto t : surface.triangles) {
    if (find(t[0]) != best) continue;
    for (std::int32_t& corner : t) {
      std::int32_t& name = renamed[static_cast<std::size_t>(corner)];
      if (name < 0) {
        name = static_cast<std::int32_t>(piece.vertices.size());
        piece.vertices.push_back(surface.vertices[static_cast<std::size_t>(corner)]);
      }
      corner = name;
    }
    piece.triangles.push_back(t);
  }
  return piece;
}

Mesh to_mesh(const Surface& surface) {
  Mesh mesh{at::empty({static_cast<std::int64_t>(surface.vertices.size()), 3}, at::kFloat),
            at::empty({static_cast<std::int64_t>(surface.triangles.size()), 3}, at::kInt)};
  auto* p = mesh.vertices.data_ptr<float>();
  for (const Vec3& v : surface.vertices)
    for (int axis = 0; axis < 3; ++axis) *p++ = static_cast<float>(v[axis]);
  auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (const auto& t : surface.triangles)
    for (const std::int32_t c : t) *corner++ = c;
  return mesh;
}

}  // namespace

Mesh polygonise(const std::function<double(Vec3)>& solid, const Box& box, double cell) {
  for (int attempt = 0; attempt < 12; ++attempt) {
    const double shift = 0.37 * attempt;
    const Box shifted{box.low - Vec3{1, 0.7, 0.4} * (cell * (shift - std::floor(shift))), box.high};
    const double size = cell * (1 - 0.013 * attempt);
    Surface surface = largest_piece(surface_net(Sampler(solid, shifted, size)));
    if (surface.triangles.empty()) break;
    project(surface, solid, size, 1);
    relax(surface);
    project(surface, solid, size, 1);
    Mesh mesh = to_mesh(surface);
    if (open_edges(mesh) == 0 && enclosed_volume(mesh) > 0) return mesh;
  }
  throw failure("the phantom's solid has no closed surface");
}

}  // namespace osteon::phantom
