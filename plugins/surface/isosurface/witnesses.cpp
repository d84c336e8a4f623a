#include "witnesses.hpp"

#include "nearby.hpp"

#include <algorithm>
#include <limits>

namespace osteon::isosurface {

Witnesses::Witnesses(const std::vector<Vec3>& vertices, const std::vector<std::array<std::int32_t, 3>>& triangles,
                     const std::vector<double>& bounds)
    : points_(triangles.size()) {
  for (std::size_t t = 0; t < triangles.size(); ++t)
    for (std::size_t c = 0; c < 3; ++c) {
      const auto a = static_cast<std::size_t>(triangles[t][c]), b = static_cast<std::size_t>(triangles[t][(c + 1) % 3]);
      const double bound = std::min(bounds[a], bounds[b]);
      if (a < b) points_[t].push_back({(vertices[a] + vertices[b]) * 0.5, bound * bound});
    }
  std::vector<bool> placed(vertices.size(), false);
  for (std::size_t t = 0; t < triangles.size(); ++t)
    for (const auto corner : triangles[t]) {
      const auto v = static_cast<std::size_t>(corner);
      if (!placed[v]) points_[t].push_back({vertices[v], bounds[v] * bounds[v]});
      placed[v] = true;
    }
}

bool Witnesses::handed_on(const std::vector<std::size_t>& before, const std::vector<Left>& left) {
  next_.resize(std::max(next_.size(), left.size()));
  for (auto& points : next_) points.clear();
  for (const std::size_t triangle : before)
    for (const Point& point : points_[triangle]) {
      double best = std::numeric_limits<double>::infinity();
      std::size_t nearest = 0;
      for (std::size_t n = 0; n < left.size(); ++n) {
        const double distance = squared_distance(point.place, left[n].corner);
        if (distance < best) best = distance, nearest = n;
      }
      if (best > point.squared_bound) return false;
      next_[nearest].push_back(point);
    }
  for (const std::size_t triangle : before) points_[triangle].clear();
  for (std::size_t n = 0; n < left.size(); ++n) points_[left[n].triangle].swap(next_[n]);
  return true;
}

}  // namespace osteon::isosurface
