#include "open3d_support/closest_points.hpp"

#include "triangle_tree.hpp"

#include <osteon/parallel.hpp>

#include <algorithm>

namespace osteon::open3d_support {

namespace {

// Queries that one thread answers in a row: enough that neighbours help each other, few enough to share among threads.
constexpr std::int64_t kBatch = 1024;

const Mesh& sound(const Mesh& mesh) {
  mesh.check();
  return mesh;
}

}  // namespace

ClosestPoints::ClosestPoints(const Mesh& mesh) : mesh_(sound(mesh)), tree_(std::make_unique<TriangleTree>(mesh)) {}

ClosestPoints::~ClosestPoints() = default;
ClosestPoints::ClosestPoints(ClosestPoints&&) noexcept = default;
ClosestPoints& ClosestPoints::operator=(ClosestPoints&&) noexcept = default;

std::vector<ClosestPoint> ClosestPoints::find(std::span<const Vec3> queries) const {
  std::vector<ClosestPoint> answers(queries.size());
  const auto count = static_cast<std::int64_t>(queries.size());
  parallel_for(0, (count + kBatch - 1) / kBatch, 1, [&](std::int64_t first, std::int64_t last) {
    std::int32_t guess = 0;
    const auto end = static_cast<std::size_t>(std::min(count, last * kBatch));
    for (auto i = static_cast<std::size_t>(first * kBatch); i < end; ++i) {
      answers[i] = tree_->nearest(queries[i], guess);
      guess = answers[i].triangle;
    }
  });
  return answers;
}

Vec3 ClosestPoints::normal(std::int32_t triangle) const {
  const auto* corner = mesh_.triangles.data_ptr<std::int32_t>() + 3 * std::int64_t{triangle};
  const auto at = [&](int which) {
    const float* p = mesh_.vertices.data_ptr<float>() + 3 * std::int64_t{corner[which]};
    return Vec3{p[0], p[1], p[2]};
  };
  const Vec3 n = cross(at(1) - at(0), at(2) - at(0));
  return norm(n) > 0 ? normalised(n) : Vec3{};
}

}  // namespace osteon::open3d_support
