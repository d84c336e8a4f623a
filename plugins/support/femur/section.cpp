#include "femur/section.hpp"

#include <ATen/Functions.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <numeric>
#include <unordered_map>

namespace osteon::femur {

namespace {

Vec3 vertex_of(const Mesh& mesh, std::int32_t i) {
  const float* p = mesh.vertices.data_ptr<float>() + 3 * static_cast<std::ptrdiff_t>(i);
  return {p[0], p[1], p[2]};
}

/// Outlines as groups of cut edges: two edges of one triangle belong together.
class Outlines {
 public:
  std::size_t edge(std::int32_t a, std::int32_t b) {
    const std::uint64_t key =
        static_cast<std::uint64_t>(std::min(a, b)) << 32U | static_cast<std::uint32_t>(std::max(a, b));
    const auto [place, is_new] = number_.try_emplace(key, parent_.size());
    if (is_new) parent_.push_back(parent_.size());
    return place->second;
  }
  std::size_t group(std::size_t edge) {
    while (parent_[edge] != edge) edge = parent_[edge] = parent_[parent_[edge]];
    return edge;
  }
  void join(std::size_t a, std::size_t b) { parent_[group(a)] = group(b); }

 private:
  std::unordered_map<std::uint64_t, std::size_t> number_;
  std::vector<std::size_t> parent_;
};

/// Where a triangle is cut, seen along the normal: the surface's inside lies to the left.
struct Cut {
  std::size_t edge;
  Vec3 from, to;
};

std::vector<Cut> cuts_of(const Mesh& mesh, Vec3 point, Vec3 normal, Outlines& outlines) {
  std::vector<double> height(static_cast<std::size_t>(mesh.vertices.size(0)));
  for (std::size_t i = 0; i < height.size(); ++i)
    height[i] = dot(vertex_of(mesh, static_cast<std::int32_t>(i)) - point, normal);
  std::vector<Cut> cuts;
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t, corner += 3) {
    Cut cut{};
    int crossed = 0;
    std::size_t other = 0;
    for (int k = 0; k < 3; ++k) {
      const std::int32_t a = corner[k], b = corner[(k + 1) % 3];
      const double above = height[static_cast<std::size_t>(a)], next = height[static_cast<std::size_t>(b)];
      if ((above >= 0) == (next >= 0)) continue;
      const Vec3 at = vertex_of(mesh, a) + (vertex_of(mesh, b) - vertex_of(mesh, a)) * (above / (above - next));
      (above >= 0 ? cut.from : cut.to) = at;
      (crossed++ == 0 ? cut.edge : other) = outlines.edge(a, b);
    }
    if (crossed != 2) continue;
    outlines.join(cut.edge, other);
    cuts.push_back(cut);
  }
  return cuts;
}

}  // namespace

std::vector<Section> sections(const Mesh& mesh, Vec3 point, Vec3 normal) {
  struct Sum {
    double area = 0;
    Vec3 moment;
  };
  Outlines outlines;
  std::unordered_map<std::size_t, Sum> sums;
  for (const Cut& cut : cuts_of(mesh, point, normal, outlines)) {  // Green's theorem, about `point`
    Sum& sum = sums[outlines.group(cut.edge)];
    const double area = dot(cross(cut.from - point, cut.to - point), normal) / 2;
    sum.area += area;
    sum.moment = sum.moment + (cut.from + cut.to - point * 2) * (area / 3);
  }
  std::vector<Section> result;
  for (const auto& [group, sum] : sums)
    if (sum.area > 0) result.push_back({sum.area, point + sum.moment * (1 / sum.area)});
  std::ranges::sort(result, std::greater{}, &Section::area);
  return result;
}

Mesh part_between(const Mesh& mesh, Vec3 direction, double from, double to) {
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  std::vector<std::int64_t> kept;
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t)
    if (std::any_of(corner + 3 * t, corner + 3 * t + 3, [&](std::int32_t i) {
          const double along = dot(vertex_of(mesh, i), direction);
          return along >= from && along <= to;
        }))
      kept.push_back(t);
  return {mesh.vertices, mesh.triangles.index_select(0, at::tensor(kept, at::kLong)).contiguous()};
}

}  // namespace osteon::femur
