// The mean of surfaces whose points don't correspond: a template is carried onto each of them and the carried copies
// are averaged. Rigid, then affine, then a smoothed displacement to closest points: the simplest member of the family
// of non-rigid iterative closest points (Feldmar & Ayache 1996; Amberg, Romdhani & Vetter, CVPR 2007).

#include "fitting.hpp"
#include "open3d_support/surfaces.hpp"
#include "points.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>
#include <open3d/geometry/TriangleMesh.h>
#include <open3d/utility/Logging.h>

#include <algorithm>
#include <numeric>

namespace osteon::open3d_support {

Mesh simplified(const Mesh& mesh, std::int64_t triangles) {
  if (mesh.triangles.size(0) <= triangles) return mesh;
  open3d::utility::SetVerbosityLevel(open3d::utility::VerbosityLevel::Error);
  open3d::geometry::TriangleMesh full;
  const auto* vertex = mesh.vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < mesh.vertices.size(0); ++i)
    full.vertices_.emplace_back(vertex[3 * i], vertex[3 * i + 1], vertex[3 * i + 2]);
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < mesh.triangles.size(0); ++i)
    full.triangles_.emplace_back(corner[3 * i], corner[3 * i + 1], corner[3 * i + 2]);
  const auto coarse =
      full.SimplifyQuadricDecimation(static_cast<int>(triangles), std::numeric_limits<double>::infinity(), 1.0);
  Mesh result{at::empty({static_cast<std::int64_t>(coarse->vertices_.size()), 3}, at::kFloat),
              at::empty({static_cast<std::int64_t>(coarse->triangles_.size()), 3}, at::kInt)};
  auto* to = result.vertices.data_ptr<float>();
  for (const Eigen::Vector3d& p : coarse->vertices_)
    for (int axis = 0; axis < 3; ++axis) *to++ = static_cast<float>(p[axis]);
  auto* index = result.triangles.data_ptr<std::int32_t>();
  for (const Eigen::Vector3i& t : coarse->triangles_) index = std::copy_n(t.data(), 3, index);
  return result;
}

const Mesh& of_median_size(std::span<const Mesh> meshes) {
  std::vector<std::size_t> order(meshes.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return bounding_box(meshes[a]).diagonal() < bounding_box(meshes[b]).diagonal();
  });
  return meshes[order[order.size() / 2]];
}

namespace {

constexpr std::int64_t kTemplateTriangles = 12'000;  // on a femur about 3 mm a side
constexpr std::uint64_t kMeanShapeSeed = 0x3EA4;

/// The vertices that share an edge with each vertex, one list behind the other.
struct Neighbours {
  std::vector<std::size_t> first;
  std::vector<std::int32_t> vertex;

  explicit Neighbours(const Mesh& mesh) : first(static_cast<std::size_t>(mesh.vertices.size(0)) + 1, 0) {
    // In a closed surface each edge is met once in each direction, so one direction is enough.
    const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
    for (std::int64_t i = 0; i < mesh.triangles.numel(); ++i) ++first[static_cast<std::size_t>(corner[i]) + 1];
    std::partial_sum(first.begin(), first.end(), first.begin());
    vertex.resize(static_cast<std::size_t>(mesh.triangles.numel()));
    auto next = first;
    for (std::int64_t i = 0; i < mesh.triangles.numel(); ++i)
      vertex[next[static_cast<std::size_t>(corner[i])]++] = corner[i % 3 == 2 ? i - 2 : i + 1];
  }
};

/// Each vector moves half-way to the mean of its neighbours, `times` times.
void smooth(std::vector<Vec3>& field, const Neighbours& neighbours, int times) {
  for (; times > 0; --times) {
    const std::vector<Vec3> before = field;
    for (std::size_t i = 0; i < field.size(); ++i) {
      const std::size_t from = neighbours.first[i], to = neighbours.first[i + 1];
      if (from == to) continue;
      Vec3 sum;
      for (std::size_t k = from; k < to; ++k) sum = sum + before[static_cast<std::size_t>(neighbours.vertex[k])];
      field[i] = before[i] * 0.5 + sum * (0.5 / static_cast<double>(to - from));
    }
  }
}

Mesh with_vertices(const Mesh& mesh, const std::vector<Vec3>& points) {
  Mesh result{at::empty_like(mesh.vertices), mesh.triangles};
  auto* to = result.vertices.data_ptr<float>();
  for (const Vec3& p : points)
    for (int axis = 0; axis < 3; ++axis) *to++ = static_cast<float>(p[axis]);
  return result;
}

/// The template's vertices carried onto `bone`, in the template's frame. `rigid` (bone → template) is where to start
/// from, and is improved.
std::vector<Vec3> carried(const ClosestPoints& pattern, const Neighbours& neighbours, const ClosestPoints& bone,
                          Affine& rigid) {
  const FitProblem problem{pattern, bone, sample_surface(pattern.mesh(), 1500, kMeanShapeSeed, 0),
                           sample_surface(bone.mesh(), 1500, kMeanShapeSeed, 1)};
  const Affine to_bone = refined(problem, inverse_rigid(rigid), Motion::rigid, 10, 1e-4).map;
  rigid = inverse_rigid(to_bone);
  const Affine map = refined(problem, to_bone, Motion::affine, 15, 1e-3).map;
  std::vector<Vec3> points = vertices_of(pattern.mesh());
  for (Vec3& p : points) p = map * p;
  for (const int smoothing : {40, 15, 5}) {
    const auto onto = bone.find(points);
    std::vector<Vec3> displacement(points.size());
    for (std::size_t i = 0; i < points.size(); ++i) displacement[i] = onto[i].point - points[i];
    smooth(displacement, neighbours, smoothing);
    for (std::size_t i = 0; i < points.size(); ++i) points[i] = points[i] + displacement[i];
  }
  for (Vec3& p : points) p = rigid * p;
  return points;
}

}  // namespace

Mesh mean_shape(std::span<const Mesh> meshes) {
  if (meshes.empty()) throw Error("a mean shape needs at least one mesh");
  std::vector<ClosestPoints> bones;
  for (const Mesh& mesh : meshes) bones.emplace_back(mesh);
  Mesh mean = simplified(of_median_size(meshes), kTemplateTriangles);
  const Neighbours neighbours(mean);
  std::vector<Affine> rigid(meshes.size());
  const auto count = static_cast<std::int64_t>(meshes.size());
  for (int round = 0; round < 2; ++round) {
    const ClosestPoints pattern(mean);
    std::vector<std::vector<Vec3>> copies(meshes.size());
    parallel_for(0, count, 1, [&](std::int64_t first, std::int64_t last) {
      for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
        throw_if_stopped();
        if (round == 0) rigid[i] = align_rigid(bones[i], pattern);
        copies[i] = carried(pattern, neighbours, bones[i], rigid[i]);
      }
    });
    std::vector<Vec3> sum(copies.front().size());
    for (const auto& copy : copies)
      for (std::size_t v = 0; v < sum.size(); ++v) sum[v] = sum[v] + copy[v] * (1.0 / static_cast<double>(count));
    mean = with_vertices(mean, sum);
  }
  return mean;
}

}  // namespace osteon::open3d_support
