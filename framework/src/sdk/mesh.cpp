#include <osteon/error.hpp>
#include <osteon/mesh.hpp>

#include <ATen/Functions.h>

#include <unordered_map>

namespace osteon {

namespace {

struct Triangles {
  const float* vertex;
  const std::int32_t* corner;
  std::int64_t count;

  explicit Triangles(const Mesh& mesh)
      : vertex(mesh.vertices.data_ptr<float>()),
        corner(mesh.triangles.data_ptr<std::int32_t>()),
        count(mesh.triangles.size(0)) {}

  [[nodiscard]] Vec3 point(std::int64_t triangle, int which) const {
    const float* p = vertex + 3 * static_cast<std::int64_t>(corner[3 * triangle + which]);
    return {p[0], p[1], p[2]};
  }
};

}  // namespace

void Mesh::check() const {
  if (!vertices.defined() || !triangles.defined()) throw Error("the mesh is empty");
  if (vertices.scalar_type() != at::kFloat || vertices.dim() != 2 || vertices.size(1) != 3 || !vertices.is_contiguous())
    throw Error("a mesh's vertices must be a contiguous float32 tensor [N, 3]");
  if (triangles.scalar_type() != at::kInt || triangles.dim() != 2 || triangles.size(1) != 3 ||
      !triangles.is_contiguous())
    throw Error("a mesh's triangles must be a contiguous int32 tensor [M, 3]");
  if (vertices.size(0) == 0 || triangles.size(0) == 0) throw Error("the mesh has no triangles");
  const auto* corner = triangles.data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < triangles.numel(); ++i)
    if (corner[i] < 0 || corner[i] >= vertices.size(0))
      throw Error(text("triangle ", i / 3, " names vertex ", corner[i], ", but there are ", vertices.size(0)));
  const auto* coordinate = vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < vertices.numel(); ++i)
    if (!std::isfinite(coordinate[i]))
      throw Error(text("vertex ", i / 3, " has a coordinate that is not a finite number"));
}

Box bounding_box(const Mesh& mesh) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  Box box{{kFar, kFar, kFar}, {-kFar, -kFar, -kFar}};
  const auto* p = mesh.vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < mesh.vertices.size(0); ++i)
    for (int axis = 0; axis < 3; ++axis) {
      box.low[axis] = std::min<double>(box.low[axis], p[3 * i + axis]);
      box.high[axis] = std::max<double>(box.high[axis], p[3 * i + axis]);
    }
  return box;
}

double surface_area(const Mesh& mesh) {
  const Triangles t(mesh);
  double twice = 0;
  for (std::int64_t i = 0; i < t.count; ++i)
    twice += norm(cross(t.point(i, 1) - t.point(i, 0), t.point(i, 2) - t.point(i, 0)));
  return twice / 2;
}

double enclosed_volume(const Mesh& mesh) {
  const Triangles t(mesh);
  const Vec3 reference = t.count > 0 ? t.point(0, 0) : Vec3{};
  double six = 0;
  for (std::int64_t i = 0; i < t.count; ++i)
    six += dot(t.point(i, 0) - reference, cross(t.point(i, 1) - reference, t.point(i, 2) - reference));
  return six / 6;
}

Vec3 solid_centroid(const Mesh& mesh) {
  const Triangles t(mesh);
  const Vec3 reference = t.point(0, 0);
  double total = 0;
  Vec3 moment;
  for (std::int64_t i = 0; i < t.count; ++i) {
    const Vec3 a = t.point(i, 0) - reference, b = t.point(i, 1) - reference, c = t.point(i, 2) - reference;
    const double six = dot(a, cross(b, c));
    total += six;
    moment = moment + (a + b + c) * (six / 4);
  }
  return reference + moment * (1 / total);
}

Mesh transformed(const Mesh& mesh, const Affine& map) {
  Mesh result{mesh.vertices.clone(), mesh.triangles.clone()};
  auto* p = result.vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < result.vertices.size(0); ++i) {
    const Vec3 q = map * Vec3{p[3 * i], p[3 * i + 1], p[3 * i + 2]};
    for (int axis = 0; axis < 3; ++axis) p[3 * i + axis] = static_cast<float>(q[axis]);
  }
  if (determinant(map.linear) < 0) {
    auto* corner = result.triangles.data_ptr<std::int32_t>();
    for (std::int64_t i = 0; i < result.triangles.size(0); ++i) std::swap(corner[3 * i + 1], corner[3 * i + 2]);
  }
  return result;
}

std::int64_t open_edges(const Mesh& mesh) {
  // Each directed edge must occur once, and its reverse once. Count +1 for one direction, -1 for the other.
  std::unordered_map<std::uint64_t, std::pair<int, int>> edges;
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  edges.reserve(static_cast<std::size_t>(mesh.triangles.size(0)) * 2);
  for (std::int64_t i = 0; i < mesh.triangles.size(0); ++i)
    for (int k = 0; k < 3; ++k) {
      const auto a = static_cast<std::uint32_t>(corner[3 * i + k]);
      const auto b = static_cast<std::uint32_t>(corner[3 * i + (k + 1) % 3]);
      auto& [forward, backward] = edges[(std::uint64_t{std::min(a, b)} << 32) | std::max(a, b)];
      ++(a < b ? forward : backward);
    }
  std::int64_t open = 0;
  for (const auto& [edge, count] : edges) open += count != std::pair{1, 1};
  return open;
}

void require_closed(const Mesh& mesh, const std::string& what) {
  mesh.check();
  if (const std::int64_t open = open_edges(mesh); open > 0)
    throw Error(text(what, ": the surface is not closed: ", open,
                     " edges do not join exactly two triangles of the same orientation; close the holes "
                     "(MeshLab: Filters > Remeshing > Close Holes) and try again"));
  if (enclosed_volume(mesh) <= 0)
    throw Error(text(what,
                     ": the surface is turned inside out (its volume is negative); invert its faces "
                     "(MeshLab: Filters > Normals > Invert Faces Orientation) and try again"));
}

}  // namespace osteon
