#include "open3d_support/closest_points.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <open3d/t/geometry/RaycastingScene.h>
#include <open3d/utility/Logging.h>

#include <algorithm>

namespace osteon::open3d_support {

namespace {

namespace o3d = open3d;

// Queries handed to Open3D at once: enough to make its call cheap, few enough to share among threads.
constexpr std::int64_t kBatch = 1024;

struct Corners {
  Vec3 a, b, c;
};

Corners corners_of(const Mesh& mesh, std::int32_t triangle) {
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>() + 3 * std::int64_t{triangle};
  const auto at = [&](int which) {
    const float* p = mesh.vertices.data_ptr<float>() + 3 * std::int64_t{corner[which]};
    return Vec3{p[0], p[1], p[2]};
  };
  return {at(0), at(1), at(2)};
}

Vec3 nearest_in(const Corners& triangle, Vec3 p) {
  const auto& [a, b, c] = triangle;
  const Vec3 ab = b - a, ac = c - a, ap = p - a;
  const double d1 = dot(ab, ap), d2 = dot(ac, ap);
  if (d1 <= 0 && d2 <= 0) return a;
  const Vec3 bp = p - b;
  const double d3 = dot(ab, bp), d4 = dot(ac, bp);
  if (d3 >= 0 && d4 <= d3) return b;
  const double vc = d1 * d4 - d3 * d2;
  if (vc <= 0 && d1 >= 0 && d3 <= 0) return a + ab * (d1 / (d1 - d3));
  const Vec3 cp = p - c;
  const double d5 = dot(ab, cp), d6 = dot(ac, cp);
  if (d6 >= 0 && d5 <= d6) return c;
  const double vb = d5 * d2 - d1 * d6;
  if (vb <= 0 && d2 >= 0 && d6 <= 0) return a + ac * (d2 / (d2 - d6));
  const double va = d3 * d6 - d5 * d4;
  if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) return b + (c - b) * ((d4 - d3) / ((d4 - d3) + (d5 - d6)));
  const double scale = 1 / (va + vb + vc);
  return a + ab * (vb * scale) + ac * (vc * scale);
}

}  // namespace

struct ClosestPoints::Scene {
  o3d::t::geometry::RaycastingScene tree;
  Vec3 centre;  ///< subtracted before float32: CT coordinates may lie a metre from their origin

  [[nodiscard]] std::unordered_map<std::string, o3d::core::Tensor> ask(std::span<const Vec3> queries) {
    o3d::core::Tensor points({static_cast<std::int64_t>(queries.size()), 3}, o3d::core::Float32);
    auto* value = points.GetDataPtr<float>();
    for (const Vec3& query : queries)
      for (int axis = 0; axis < 3; ++axis) *value++ = static_cast<float>(query[axis] - centre[axis]);
    return tree.ComputeClosestPoints(points, 1);
  }
};

ClosestPoints::ClosestPoints(const Mesh& mesh) : mesh_(mesh), scene_(std::make_unique<Scene>()) {
  mesh.check();
  o3d::utility::SetVerbosityLevel(o3d::utility::VerbosityLevel::Error);
  const Box box = bounding_box(mesh);
  scene_->centre = (box.low + box.high) * 0.5;
  o3d::core::Tensor vertices({mesh.vertices.size(0), 3}, o3d::core::Float32);
  auto* coordinate = vertices.GetDataPtr<float>();
  const auto* from = mesh.vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < mesh.vertices.numel(); ++i)
    coordinate[i] = static_cast<float>(from[i] - scene_->centre[static_cast<int>(i % 3)]);
  o3d::core::Tensor triangles({mesh.triangles.size(0), 3}, o3d::core::UInt32);
  std::copy_n(mesh.triangles.data_ptr<std::int32_t>(), mesh.triangles.numel(), triangles.GetDataPtr<std::uint32_t>());
  scene_->tree.AddTriangles(vertices, triangles);
  // The first query builds the tree, which must not happen in two threads at once.
  (void)scene_->ask(std::span(&scene_->centre, 1));
}

ClosestPoints::~ClosestPoints() = default;
ClosestPoints::ClosestPoints(ClosestPoints&&) noexcept = default;
ClosestPoints& ClosestPoints::operator=(ClosestPoints&&) noexcept = default;

std::vector<ClosestPoint> ClosestPoints::find(std::span<const Vec3> queries) const {
  std::vector<ClosestPoint> answers(queries.size());
  const auto count = static_cast<std::int64_t>(queries.size());
  parallel_for(0, (count + kBatch - 1) / kBatch, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t batch = first; batch < last; ++batch) {
      const auto begin = static_cast<std::size_t>(batch * kBatch);
      const auto part = queries.subspan(begin, std::min<std::size_t>(kBatch, queries.size() - begin));
      const auto found = scene_->ask(part);
      const auto* triangle = found.at("primitive_ids").GetDataPtr<std::uint32_t>();
      for (std::size_t i = 0; i < part.size(); ++i) {
        const auto which = static_cast<std::int32_t>(triangle[i]);
        const Vec3 point = nearest_in(corners_of(mesh_, which), part[i]);
        answers[begin + i] = {point, dot(part[i] - point, part[i] - point), which};
      }
    }
  });
  return answers;
}

Vec3 ClosestPoints::normal(std::int32_t triangle) const {
  const Corners t = corners_of(mesh_, triangle);
  const Vec3 n = cross(t.b - t.a, t.c - t.a);
  return norm(n) > 0 ? normalised(n) : Vec3{};
}

}  // namespace osteon::open3d_support
