// Smoothing and decimation: how far they move the surface, measured by naive loops over all triangles, and what they
// leave of it: closed, a manifold, of the same genus.

#include "scenes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace osteon::test {
namespace {

/// A rough potato of some 6000 triangles of about 0.9 mm.
Volume potato() {
  Grid grid = tilted_grid({44, 44, 44});
  grid.spacing = {0.9, 0.9, 0.9};
  grid.origin = kMiddle - grid.direction * (Vec3{21.5, 21.5, 21.5} * 0.9);
  return blurred(grid.canonical(), [](Vec3 p) {
    const Vec3 q = p - kMiddle;
    return norm({q.x, q.y * 1.3, q.z * 1.6}) - 14 + 0.5 * std::sin(1.7 * q.x) * std::cos(1.4 * q.y + 0.9 * q.z);
  });
}

double from_segment(Vec3 p, Vec3 a, Vec3 b) {
  const double along = std::clamp(dot(p - a, b - a) / std::max(1e-30, dot(b - a, b - a)), 0.0, 1.0);
  return norm(p - a - (b - a) * along);
}

double from_triangle(Vec3 p, Vec3 a, Vec3 b, Vec3 c) {
  const Vec3 n = cross(b - a, c - a);
  const bool above =
      dot(cross(b - a, p - a), n) >= 0 && dot(cross(c - b, p - b), n) >= 0 && dot(cross(a - c, p - c), n) >= 0;
  if (above && norm(n) > 1e-12) return std::abs(dot(p - a, n)) / norm(n);
  return std::min({from_segment(p, a, b), from_segment(p, b, c), from_segment(p, c, a)});
}

std::vector<std::array<Vec3, 3>> triangles_of(const Mesh& mesh) {
  std::vector<std::array<Vec3, 3>> all;
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t)
    all.push_back({vertex(mesh, corner[3 * t]), vertex(mesh, corner[3 * t + 1]), vertex(mesh, corner[3 * t + 2])});
  return all;
}

/// A triangle and a ball around it.
struct Face {
  std::array<Vec3, 3> corner;
  Vec3 middle;
  double radius;
};

std::vector<Face> with_balls(const Mesh& mesh) {
  std::vector<Face> faces;
  for (const auto& t : triangles_of(mesh)) {
    const Vec3 middle = (t[0] + t[1] + t[2]) * (1.0 / 3);
    faces.push_back({t, middle, std::max({norm(t[0] - middle), norm(t[1] - middle), norm(t[2] - middle)})});
  }
  return faces;
}

/// The largest distance from `to` of points of `from`: ten and more a triangle, at most `apart` mm apart.
double farthest(const Mesh& from, const Mesh& to, double apart = 0.5) {
  const auto targets = with_balls(to);
  double largest = 0;
  std::size_t last = 0;  // the one that was nearest to the point before
  for (const auto& [a, b, c] : triangles_of(from)) {
    const int steps = 3 + static_cast<int>(std::max({norm(b - a), norm(c - b), norm(a - c)}) / apart);
    for (int i = 0; i <= steps; ++i)
      for (int j = 0; i + j <= steps; ++j) {
        const Vec3 p = a + (b - a) * (1.0 * i / steps) + (c - a) * (1.0 * j / steps);
        const auto& first = targets[last].corner;
        double nearest = from_triangle(p, first[0], first[1], first[2]);
        for (std::size_t t = 0; t < targets.size(); ++t) {
          const auto& [corner, middle, radius] = targets[t];
          if (dot(p - middle, p - middle) > (nearest + radius) * (nearest + radius)) continue;
          const double distance = from_triangle(p, corner[0], corner[1], corner[2]);
          if (distance < nearest) nearest = distance, last = t;
        }
        largest = std::max(largest, nearest);
      }
  }
  return largest;
}

/// Vertices whose triangles don't form one fan, and V - E + F.
struct Topology {
  std::int64_t pinched = 0, euler = 0;
};

Topology topology(const Mesh& mesh) {
  std::map<std::int32_t, std::map<std::int32_t, std::int32_t>> fan;  // of each vertex: neighbour → next neighbour
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t)
    for (int c = 0; c < 3; ++c) fan[corner[3 * t + c]][corner[3 * t + (c + 1) % 3]] = corner[3 * t + (c + 2) % 3];
  Topology result;
  std::int64_t half_edges = 0;
  for (const auto& [v, next] : fan) {
    half_edges += std::ssize(next);
    std::size_t walked = 1;
    for (auto n = next.begin()->second; n != next.begin()->first; n = next.at(n)) ++walked;
    result.pinched += walked != next.size();
  }
  result.euler = std::ssize(fan) - half_edges / 2 + mesh.triangles.size(0);
  return result;
}

void expect_sphere_like(const Mesh& mesh) {
  require_closed(mesh, "the potato");
  const Topology found = topology(mesh);
  EXPECT_EQ(found.pinched, 0);
  EXPECT_EQ(found.euler, 2) << "one piece without handles";
}

const Given kAll{{"triangles", std::int64_t{0}}};
constexpr double kRounding = 1e-4;  // mm; of float32 coordinates

TEST(Decimation, StaysWithinTheToleranceWithAsFewTrianglesAsItAllows) {
  const Mesh all = extract(potato(), kAll);
  expect_sphere_like(all);
  std::int64_t before = all.triangles.size(0);
  for (const double tolerance : {0.05, 0.2, 0.8}) {
    const Mesh few = extract(potato(), {{"triangles", std::int64_t{0}}, {"tolerance", tolerance}});
    expect_sphere_like(few);
    const double apart = std::max(farthest(few, all), farthest(all, few));
    EXPECT_LE(apart, tolerance + kRounding);
    EXPECT_GT(apart, tolerance / 2) << "it could have gone on";
    EXPECT_LT(few.triangles.size(0), 0.8 * static_cast<double>(before)) << tolerance;
    before = few.triangles.size(0);
  }
}

TEST(Decimation, EndsAtTheNumberOfTrianglesWhereTheToleranceAllowsMore) {
  const Mesh few = extract(potato(), {{"triangles", std::int64_t{3000}}, {"tolerance", 0.8}});
  EXPECT_LE(few.triangles.size(0), 3000);
  EXPECT_GT(few.triangles.size(0), 2990);
}

TEST(Decimation, LetsTheToleranceGoBeforeTheNumberOfTriangles) {
  const Mesh all = extract(potato(), kAll);
  const Mesh few = extract(potato(), {{"triangles", std::int64_t{100}}, {"tolerance", 0.1}});
  EXPECT_GT(few.triangles.size(0), 100);
  EXPECT_LE(std::max(farthest(few, all), farthest(all, few)), 0.1 + kRounding);
}

TEST(Fairing, MovesTheSurfaceNoFartherThanSaid) {
  const Mesh rough = extract(potato(), kAll);
  for (const double bound : {0.02, 0.3}) {
    const Mesh smooth = extract(potato(), {{"triangles", std::int64_t{0}}, {"fairing", bound}});
    expect_sphere_like(smooth);
    ASSERT_TRUE(at::equal(smooth.triangles, rough.triangles));
    double farthest_vertex = 0;
    for (std::int64_t v = 0; v < rough.vertices.size(0); ++v)
      farthest_vertex = std::max(farthest_vertex, norm(vertex(smooth, v) - vertex(rough, v)));
    EXPECT_LE(farthest_vertex, bound + kRounding);
    EXPECT_GT(farthest_vertex, 0.9 * bound);
    EXPECT_NEAR(enclosed_volume(smooth), enclosed_volume(rough), 0.005 * enclosed_volume(rough)) << "it shrank";
  }
}

/// Root mean square of the angles between neighbouring triangles' normals, degrees, where `counts` holds of a corner.
template <class Counts>
double roughness(const Mesh& mesh, Counts counts) {
  std::map<std::pair<std::int32_t, std::int32_t>, Vec3> normal;
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  const auto faces = triangles_of(mesh);
  for (std::size_t t = 0; t < faces.size(); ++t) {
    const Vec3 n = cross(faces[t][1] - faces[t][0], faces[t][2] - faces[t][0]);
    if (!counts(faces[t][0])) continue;
    for (std::size_t c = 0; c < 3; ++c) normal[{corner[3 * t + c], corner[3 * t + (c + 1) % 3]}] = n;
  }
  double sum = 0;
  std::int64_t edges = 0;
  for (const auto& [edge, n] : normal) {
    const auto other = normal.find({edge.second, edge.first});
    if (other == normal.end() || norm(n) < 1e-6 || norm(other->second) < 1e-6) continue;
    const double cosine = dot(n, other->second) / norm(n) / norm(other->second);
    const double angle = degrees(std::acos(std::clamp(cosine, -1.0, 1.0)));
    sum += angle * angle;
    ++edges;
  }
  return std::sqrt(sum / static_cast<double>(edges));
}

TEST(Fairing, TakesTheStairsOfACutAway) {
  // Two balls that have grown together, one of them cut off: the cut runs along faces of voxels.
  const Volume volume = blurred(tilted_grid({72, 96, 50}), [](Vec3 p) {
    const Vec3 q = p - kMiddle + Vec3{0, 7, 0};
    return std::min(norm(q) - 9, norm(q - Vec3{0, 14.45, 0}) - 6);
  });
  const Mesh stairs = extract(volume, {{"triangles", std::int64_t{0}}, {"separation", 6.0}});
  const Mesh smooth = extract(volume, {{"triangles", std::int64_t{0}}, {"separation", 6.0}, {"fairing", 0.4}});
  const auto at_the_cut = [](Vec3 p) { return p.y - kMiddle.y + 7 > 8.3; };
  EXPECT_GT(roughness(stairs, at_the_cut), 15);
  EXPECT_LT(roughness(smooth, at_the_cut), 0.5 * roughness(stairs, at_the_cut));
}

}  // namespace
}  // namespace osteon::test
