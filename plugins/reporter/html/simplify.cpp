#include "simplify.hpp"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <unordered_map>

namespace osteon::report {

namespace {

struct Bounds {
  std::array<float, 3> low, size;
};

Bounds bounds_of(const Mesh& mesh) {
  constexpr float kFar = std::numeric_limits<float>::infinity();
  std::array<float, 3> low{kFar, kFar, kFar}, high{-kFar, -kFar, -kFar};
  const float* p = mesh.vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < mesh.vertices.numel(); ++i) {
    const auto k = static_cast<std::size_t>(i % 3);
    low[k] = std::min(low[k], p[i]);
    high[k] = std::max(high[k], p[i]);
  }
  return {low, {high[0] - low[0], high[1] - low[1], high[2] - low[2]}};
}

/// Which cell each vertex lies in, numbered in order of appearance.
struct Cells {
  std::vector<std::int32_t> of_vertex;
  std::int32_t count = 0;
};

Cells cells_of(const Mesh& mesh, const Bounds& bounds, double edge) {
  Cells cells;
  std::unordered_map<std::uint64_t, std::int32_t> numbers;
  const float* p = mesh.vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < mesh.vertices.size(0); ++i) {
    std::uint64_t key = 0;  // 21 bits a direction
    for (std::size_t k = 0; k < 3; ++k)
      key = key << 21 | static_cast<std::uint64_t>((p[3 * i + static_cast<std::int64_t>(k)] - bounds.low[k]) / edge);
    const auto [known, is_new] = numbers.try_emplace(key, cells.count);
    if (is_new) ++cells.count;
    cells.of_vertex.push_back(known->second);
  }
  return cells;
}

/// The finest grid, to a tenth, that leaves no more than `most`.
Cells few_cells(const Mesh& mesh, std::int64_t most) {
  const Bounds bounds = bounds_of(mesh);
  const double longest = std::max({bounds.size[0], bounds.size[1], bounds.size[2], 1e-6F});
  double edge = longest / std::sqrt(2.0 * static_cast<double>(most));
  Cells cells = cells_of(mesh, bounds, edge);
  // Not forever where many vertices share a place.
  for (; cells.count <= most && edge > longest / (1 << 20); cells = cells_of(mesh, bounds, edge)) edge /= 1.1;
  for (; cells.count > most; cells = cells_of(mesh, bounds, edge)) edge *= 1.1;
  return cells;
}

/// The triangles whose corners lie in three cells, each once.
std::vector<std::int32_t> triangles_between(const Mesh& mesh, const Cells& cells) {
  std::vector<std::int32_t> result;
  std::set<std::array<std::int32_t, 3>> known;
  const auto* index = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t) {
    std::array<std::int32_t, 3> corners{};
    for (std::size_t k = 0; k < 3; ++k)
      corners[k] = cells.of_vertex[static_cast<std::size_t>(index[3 * t + static_cast<std::int64_t>(k)])];
    if (corners[0] == corners[1] || corners[1] == corners[2] || corners[2] == corners[0]) continue;
    std::array<std::int32_t, 3> sorted = corners;
    std::ranges::sort(sorted);
    if (known.insert(sorted).second) result.insert(result.end(), corners.begin(), corners.end());
  }
  return result;
}

}  // namespace

Simplified simplified(const Mesh& mesh, const std::vector<float>& values, std::int64_t most) {
  if (mesh.vertices.size(0) <= most) return {mesh, values};
  const Cells cells = few_cells(mesh, most);
  const auto count = static_cast<std::size_t>(cells.count);
  std::vector<double> sums(3 * count), value_sums(count);
  std::vector<int> members(count), finite(count);
  const float* p = mesh.vertices.data_ptr<float>();
  for (std::size_t i = 0; i < cells.of_vertex.size(); ++i) {
    const auto cell = static_cast<std::size_t>(cells.of_vertex[i]);
    for (std::size_t k = 0; k < 3; ++k) sums[3 * cell + k] += p[3 * i + k];
    ++members[cell];
    if (values.empty() || !std::isfinite(values[i])) continue;
    value_sums[cell] += values[i];
    ++finite[cell];
  }
  Simplified result;
  std::vector<float> vertices;
  for (std::size_t i = 0; i < sums.size(); ++i) vertices.push_back(static_cast<float>(sums[i] / members[i / 3]));
  for (std::size_t i = 0; i < count && !values.empty(); ++i)
    result.values.push_back(finite[i] > 0 ? static_cast<float>(value_sums[i] / finite[i])
                                          : std::numeric_limits<float>::quiet_NaN());
  result.mesh = {at::tensor(vertices).reshape({-1, 3}),
                 at::tensor(triangles_between(mesh, cells), at::kInt).reshape({-1, 3})};
  return result;
}

}  // namespace osteon::report
