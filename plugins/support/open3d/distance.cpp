// Symmetric surface distances from area-uniform samples to exact closest points (Aspert, Santa-Cruz & Ebrahimi, "MESH:
// measuring errors between surfaces using the Hausdorff distance", ICME 2002).

#include "fitting.hpp"
#include "open3d_support/surfaces.hpp"
#include "points.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace osteon::open3d_support {

namespace {

Vec3 vertex_of(const Mesh& mesh, std::int64_t i) {
  const float* p = mesh.vertices.data_ptr<float>() + 3 * i;
  return {p[0], p[1], p[2]};
}

/// What the distances of `points` say, times `scale`; `more` points count for the maximum only.
DirectedDistance directed(const std::vector<Vec3>& points, const std::vector<Vec3>& more, const ClosestPoints& to,
                          double scale) {
  DirectedDistance result;
  double squares = 0;
  std::vector<double> distances;
  distances.reserve(points.size());
  for (const ClosestPoint& c : to.find(points)) {
    distances.push_back(scale * std::sqrt(c.squared_distance));
    squares += distances.back() * distances.back();
    result.mean += distances.back();
    result.max = std::max(result.max, distances.back());
  }
  const auto rank = static_cast<std::ptrdiff_t>(std::ceil(0.95 * static_cast<double>(distances.size()))) - 1;
  std::nth_element(distances.begin(), distances.begin() + rank, distances.end());
  result.percentile_95 = distances[static_cast<std::size_t>(rank)];
  for (const ClosestPoint& c : to.find(more)) result.max = std::max(result.max, scale * std::sqrt(c.squared_distance));
  result.rms = std::sqrt(squares / static_cast<double>(points.size()));
  result.mean /= static_cast<double>(points.size());
  return result;
}

SurfaceDistance both(const DirectedDistance& there, const DirectedDistance& back) {
  return {there,
          back,
          std::sqrt((there.rms * there.rms + back.rms * back.rms) / 2),
          (there.mean + back.mean) / 2,
          std::max(there.percentile_95, back.percentile_95),
          std::max(there.max, back.max)};
}

}  // namespace

std::vector<Vec3> sample_surface(const Mesh& mesh, std::int64_t count, std::uint64_t seed, std::uint64_t index) {
  if (count < 1) throw Error(text("a surface needs at least 1 sample, not ", count));
  mesh.check();
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  std::vector<double> area_before;  // of each triangle's first point, then the whole
  area_before.reserve(static_cast<std::size_t>(mesh.triangles.size(0)) + 1);
  double total = 0;
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t) {
    area_before.push_back(total);
    const Vec3 a = vertex_of(mesh, corner[3 * t]);
    total += norm(cross(vertex_of(mesh, corner[3 * t + 1]) - a, vertex_of(mesh, corner[3 * t + 2]) - a)) / 2;
  }
  area_before.push_back(total);
  if (!(total > 0)) throw Error("the surface has no area");

  Random random(seed, "surface samples", index);
  std::vector<Vec3> samples;
  samples.reserve(static_cast<std::size_t>(count));
  std::int64_t t = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const double place = (static_cast<double>(i) + random.uniform()) / static_cast<double>(count) * total;
    while (t + 1 < mesh.triangles.size(0) && place >= area_before[static_cast<std::size_t>(t) + 1]) ++t;
    const double along = std::sqrt(random.uniform()), across = random.uniform();
    const Vec3 a = vertex_of(mesh, corner[3 * t]), b = vertex_of(mesh, corner[3 * t + 1]);
    const Vec3 c = vertex_of(mesh, corner[3 * t + 2]);
    samples.push_back(a * (1 - along) + b * (along * (1 - across)) + c * (along * across));
  }
  return samples;
}

SurfaceDistance surface_distance(const ClosestPoints& a, const ClosestPoints& b, const Affine& b_to_a,
                                 std::int64_t samples, std::uint64_t seed) {
  std::array<std::vector<Vec3>, 2> drawn;
  parallel_for(0, 2, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      drawn[static_cast<std::size_t>(i)] =
          sample_surface((i == 0 ? a : b).mesh(), samples, seed, static_cast<std::uint64_t>(i));
  });
  const Affine a_to_b = inverse(b_to_a);
  return both(directed(mapped(std::move(drawn[0]), a_to_b), mapped(vertices_of(a.mesh()), a_to_b), b, scale_of(b_to_a)),
              directed(mapped(std::move(drawn[1]), b_to_a), mapped(vertices_of(b.mesh()), b_to_a), a, 1));
}

SurfaceDistance vertex_surface_distance(const ClosestPoints& a, const ClosestPoints& b, const Affine& b_to_a) {
  return both(directed(mapped(vertices_of(a.mesh()), inverse(b_to_a)), {}, b, scale_of(b_to_a)),
              directed(mapped(vertices_of(b.mesh()), b_to_a), {}, a, 1));
}

SurfaceDistance surface_distance(const Mesh& a, const Mesh& b, std::int64_t samples, std::uint64_t seed) {
  return surface_distance(ClosestPoints(a), ClosestPoints(b), Affine{}, samples, seed);
}

at::Tensor vertex_distances(const Mesh& from, const Mesh& to) { return vertex_distances(from, ClosestPoints(to)); }

at::Tensor vertex_distances(const Mesh& from, const ClosestPoints& to) {
  from.check();
  at::Tensor result = at::empty({from.vertices.size(0)}, at::kFloat);
  const auto answers = to.find(vertices_of(from));
  std::transform(answers.begin(), answers.end(), result.data_ptr<float>(),
                 [](const ClosestPoint& c) { return static_cast<float>(std::sqrt(c.squared_distance)); });
  return result;
}

std::string digest_of(const Mesh& mesh) {
  Digest digest;
  for (const at::Tensor& part : {mesh.vertices, mesh.triangles})
    digest.add(std::span(static_cast<const std::byte*>(part.data_ptr()),
                         static_cast<std::size_t>(part.numel()) * part.element_size()));
  return digest.hex();
}

Affine inverse_rigid(const Affine& map) {
  const Mat3 back = transposed(map.linear);
  return {back, -(back * map.offset)};
}

}  // namespace osteon::open3d_support
