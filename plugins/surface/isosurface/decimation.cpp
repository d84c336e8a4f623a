// Edge collapse with quadric error metrics (Garland and Heckbert, SIGGRAPH 1997): the cost of a vertex is the sum of
// its squared distances to the planes of the triangles that it stands for, weighted by their areas. An edge goes only
// if its ends have exactly two common neighbours (the link condition: Dey et al. 1999), so the surface stays a closed
// manifold.

#include "decimation.hpp"

#include "nearby.hpp"
#include "witnesses.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <queue>
#include <tuple>

namespace osteon::isosurface {

namespace {

/// x ↦ xᵀ A x + 2 b·x + c, A symmetric.
struct Quadric {
  double xx = 0, xy = 0, xz = 0, yy = 0, yz = 0, zz = 0, c = 0;
  Vec3 b;

  void add_plane(Vec3 n, double offset, double weight) {
    xx += weight * n.x * n.x, xy += weight * n.x * n.y, xz += weight * n.x * n.z;
    yy += weight * n.y * n.y, yz += weight * n.y * n.z, zz += weight * n.z * n.z;
    b = b + n * (weight * offset);
    c += weight * offset * offset;
  }
  /// Squared distance from a point: keeps vertices from sliding along flat parts.
  void add_point(Vec3 p, double weight) {
    xx += weight, yy += weight, zz += weight;
    b = b - p * weight;
    c += weight * dot(p, p);
  }
  Quadric& operator+=(const Quadric& q) {
    xx += q.xx, xy += q.xy, xz += q.xz, yy += q.yy, yz += q.yz, zz += q.zz, c += q.c;
    b = b + q.b;
    return *this;
  }
  [[nodiscard]] Vec3 times(Vec3 p) const {
    return {xx * p.x + xy * p.y + xz * p.z, xy * p.x + yy * p.y + yz * p.z, xz * p.x + yz * p.y + zz * p.z};
  }
  [[nodiscard]] double operator()(Vec3 p) const { return dot(p, times(p)) + 2 * dot(b, p) + c; }

  /// The point of least cost (Cramer's rule; the point term keeps A regular).
  [[nodiscard]] Vec3 minimum() const {
    const Vec3 r0{xx, xy, xz}, r1{xy, yy, yz}, r2{xz, yz, zz};
    const Vec3 c0 = cross(r1, r2), c1 = cross(r2, r0), c2 = cross(r0, r1);
    return (c0 * b.x + c1 * b.y + c2 * b.z) * (-1 / dot(r0, c0));
  }
};

struct Collapse {
  double cost;
  std::int32_t a, b;
  std::uint32_t age;  ///< sum of the ends' versions: stale when one of them has moved since

  bool operator<(const Collapse& o) const {
    return std::tie(o.cost, o.a, o.b) < std::tie(cost, a, b);
  }  // cheapest on top
};

class Decimator {
 public:
  explicit Decimator(const Triangulation& surface)
      : vertex_(surface.vertices), triangle_(surface.triangles), left_(static_cast<std::int64_t>(triangle_.size())) {
    // Around the middle of the surface, where squares of coordinates keep their precision.
    for (const Vec3& v : vertex_) middle_ = middle_ + v * (1.0 / static_cast<double>(vertex_.size()));
    for (Vec3& v : vertex_) v = v - middle_;
    around_.resize(vertex_.size());
    quadric_.resize(vertex_.size());
    version_.assign(vertex_.size(), 0);
    for (std::size_t t = 0; t < triangle_.size(); ++t) {
      for (const auto v : triangle_[t]) around_[index(v)].push_back(static_cast<std::int32_t>(t));
      const Vec3 n = area_vector(triangle_[t]);
      const double twice = norm(n);
      if (!(twice > 0)) continue;
      const Vec3 unit = n * (1 / twice);
      for (const auto v : triangle_[t]) {
        quadric_[index(v)].add_plane(unit, -dot(unit, at(triangle_[t][0])), twice / 6);
        quadric_[index(v)].add_point(at(v), kPoint * twice / 6);
      }
    }
  }

  /// No collapse goes farther from the surface than the `bounds` of its vertices, mm, allow, none above `largest`.
  /// `original` finds what is near on it.
  void stay_near(const Nearby& original, const std::vector<double>& bounds, double largest) {
    original_ = &original, bounds_ = &bounds, largest_bound_ = largest;
    witnesses_.emplace(vertex_, triangle_, bounds);
  }

  Triangulation run(std::int64_t target) {
    std::vector<Collapse> first;
    for (std::size_t t = 0; t < triangle_.size(); ++t)
      for (std::size_t c = 0; c < 3; ++c) {
        const std::int32_t a = triangle_[t][c], b = triangle_[t][(c + 1) % 3];
        if (a < b) first.push_back(priced(a, b));
      }
    std::priority_queue<Collapse> queue(std::less<Collapse>(), std::move(first));
    while (left_ > target && !queue.empty()) {
      const Collapse top = queue.top();
      queue.pop();
      if (gone(top.a) || gone(top.b) || version_[index(top.a)] + version_[index(top.b)] != top.age) continue;
      if (!collapse(top.a, top.b)) continue;
      for (const auto n : neighbours(top.a)) queue.push(priced(std::min(top.a, n), std::max(top.a, n)));
    }
    return packed();
  }

 private:
  static constexpr double kPoint = 1e-3;  ///< weight of the point term beside the planes'
  using Corners = std::array<std::int32_t, 3>;

  static std::size_t index(std::int32_t v) { return static_cast<std::size_t>(v); }
  [[nodiscard]] Vec3 at(std::int32_t v) const { return vertex_[index(v)]; }
  [[nodiscard]] bool gone(std::int32_t v) const { return around_[index(v)].empty(); }
  [[nodiscard]] Vec3 area_vector(const Corners& t) const { return cross(at(t[1]) - at(t[0]), at(t[2]) - at(t[0])); }

  [[nodiscard]] Collapse priced(std::int32_t a, std::int32_t b) const {
    Quadric sum = quadric_[index(a)];
    sum += quadric_[index(b)];
    return {sum(sum.minimum()), a, b, version_[index(a)] + version_[index(b)]};
  }

  /// Sorted, each once.
  [[nodiscard]] std::vector<std::int32_t> neighbours(std::int32_t v) const {
    std::vector<std::int32_t> found;
    for (const auto t : around_[index(v)])
      for (const auto c : triangle_[index(t)])
        if (c != v) found.push_back(c);
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
  }

  [[nodiscard]] bool keeps_manifold(std::int32_t a, std::int32_t b) const {
    const auto first = neighbours(a), second = neighbours(b);
    std::vector<std::int32_t> common;
    std::set_intersection(first.begin(), first.end(), second.begin(), second.end(), std::back_inserter(common));
    return common.size() == 2 && around_[index(common[0])].size() > 3 && around_[index(common[1])].size() > 3;
  }

  /// No triangle around `v`, other than the two on the edge to `other`, turns by more than about 80 degrees.
  [[nodiscard]] bool keeps_side(std::int32_t v, std::int32_t other, Vec3 moved) const {
    for (const auto t : around_[index(v)]) {
      const Corners& corners = triangle_[index(t)];
      if (std::find(corners.begin(), corners.end(), other) != corners.end()) continue;
      std::array<Vec3, 3> p;
      for (std::size_t c = 0; c < 3; ++c) p[c] = corners[c] == v ? moved : at(corners[c]);
      const Vec3 before = area_vector(corners), after = cross(p[1] - p[0], p[2] - p[0]);
      if (dot(before, after) < 0.17 * norm(before) * norm(after) || norm(after) < 1e-9) return false;
    }
    return true;
  }

  /// Whether the surface stays near the original, and the original near it, when `a` and `b` become one at `moved`.
  [[nodiscard]] bool stays_near(std::int32_t a, std::int32_t b, Vec3 moved) {
    const auto near = [&](Vec3 point) { return original_->allows(point + middle_, *bounds_, largest_bound_); };
    if (!near(moved)) return false;
    std::vector<std::size_t> before;
    std::vector<Witnesses::Left> left;
    for (const auto v : {a, b})
      for (const auto t : around_[index(v)]) {
        const Corners& corners = triangle_[index(t)];
        const bool on_edge = std::count(corners.begin(), corners.end(), v == a ? b : a) > 0;
        if (v == a || !on_edge) before.push_back(index(t));
        if (on_edge) continue;
        const auto c = static_cast<std::size_t>(std::find(corners.begin(), corners.end(), v) - corners.begin());
        const Vec3 next = at(corners[(c + 1) % 3]), last = at(corners[(c + 2) % 3]);
        const Vec3 middle = (moved + next + last) * (1.0 / 3);
        for (const Vec3& point : {(moved + next) * 0.5, middle, (moved + middle) * 0.5, (next + middle) * 0.5,
                                  (last + middle) * 0.5, moved * 0.75 + next * 0.25, moved * 0.25 + next * 0.75})
          if (!near(point)) return false;
        left.push_back({index(t), {moved, next, last}});
      }
    return witnesses_->handed_on(before, left);
  }

  /// Where `a` and `b` may become one: where it costs least; beside an original to stay near, halfway or at either too.
  [[nodiscard]] std::optional<Vec3> place_for(std::int32_t a, std::int32_t b, const Quadric& sum) {
    const std::array<Vec3, 4> places{sum.minimum(), (at(a) + at(b)) * 0.5, at(a), at(b)};
    for (std::size_t p = 0; p < (witnesses_ ? places.size() : 1); ++p)
      if (keeps_side(a, b, places[p]) && keeps_side(b, a, places[p]) && (!witnesses_ || stays_near(a, b, places[p])))
        return places[p];
    return std::nullopt;
  }

  bool collapse(std::int32_t a, std::int32_t b) {
    if (!keeps_manifold(a, b)) return false;
    Quadric sum = quadric_[index(a)];
    sum += quadric_[index(b)];
    const std::optional<Vec3> moved = place_for(a, b, sum);
    if (!moved) return false;
    for (const auto t : around_[index(b)]) {
      Corners& corners = triangle_[index(t)];
      if (std::find(corners.begin(), corners.end(), a) == corners.end()) {
        *std::find(corners.begin(), corners.end(), b) = a;
        around_[index(a)].push_back(t);
        continue;
      }
      for (const auto c : corners)
        if (c != b) std::erase(around_[index(c)], t);
      corners = {-1, -1, -1};
      --left_;
    }
    around_[index(b)].clear();
    vertex_[index(a)] = *moved;
    quadric_[index(a)] = sum;
    ++version_[index(a)];
    return true;
  }

  [[nodiscard]] Triangulation packed() const {
    Triangulation result;
    std::vector<std::int32_t> renamed(vertex_.size(), -1);
    for (const Corners& corners : triangle_) {
      if (corners[0] < 0) continue;
      Corners out{};
      for (std::size_t c = 0; c < 3; ++c) {
        auto& name = renamed[index(corners[c])];
        if (name < 0) {
          name = static_cast<std::int32_t>(result.vertices.size());
          result.vertices.push_back(at(corners[c]) + middle_);
        }
        out[c] = name;
      }
      result.triangles.push_back(out);
    }
    return result;
  }

  std::vector<Vec3> vertex_;
  std::vector<Corners> triangle_;
  std::int64_t left_;
  Vec3 middle_;
  std::vector<std::vector<std::int32_t>> around_;  ///< triangles of each vertex; empty when the vertex is gone
  std::vector<Quadric> quadric_;
  std::vector<std::uint32_t> version_;
  const Nearby* original_ = nullptr;
  const std::vector<double>* bounds_ = nullptr;
  double largest_bound_ = 0;
  std::optional<Witnesses> witnesses_;
};

/// Bounds for the vertices of a surface; narrower wherever a result went beyond the tolerance.
class Bounds {
 public:
  Bounds(const Triangulation& surface, const Nearby& original, double tolerance)
      : surface_(surface),
        original_(original),
        tolerance_(tolerance),
        bounds_(surface.vertices.size(), kFirst * tolerance) {}

  [[nodiscard]] const std::vector<double>& of_vertices() const { return bounds_; }
  [[nodiscard]] double largest() const { return kFirst * tolerance_; }

  /// Whether every point of the result lies within the tolerance of the surface and the other way round; if not, the
  /// bounds around those that don't are narrowed.
  bool hold_for(const Triangulation& result) {
    std::vector<bool> narrow(bounds_.size(), false);
    std::vector<Vec3> beyond = original_.beyond(result, tolerance_);
    const std::vector<Vec3> back = Nearby(result).beyond(surface_, tolerance_);
    beyond.insert(beyond.end(), back.begin(), back.end());
    for (const Vec3& place : beyond)
      for (const std::size_t t : original_.around(place, tolerance_))
        for (const auto v : surface_.triangles[t]) narrow[static_cast<std::size_t>(v)] = true;
    for (std::size_t v = 0; v < bounds_.size(); ++v)
      if (narrow[v]) bounds_[v] *= kNarrower;
    return beyond.empty();
  }

 private:
  static constexpr double kFirst = 0.85, kNarrower = 0.6;
  const Triangulation& surface_;
  const Nearby& original_;
  double tolerance_;
  std::vector<double> bounds_;
};

}  // namespace

Triangulation decimated(const Triangulation& surface, std::int64_t triangles, double tolerance) {
  if (static_cast<std::int64_t>(surface.triangles.size()) <= triangles) return surface;
  if (tolerance == 0) return Decimator(surface).run(triangles);
  // Collapses are checked at points alone; what comes out of them is checked everywhere, and where it goes beyond the
  // tolerance it is made again within narrower bounds.
  const Nearby original(surface);
  Bounds bounds(surface, original, tolerance);
  static constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    Decimator decimator(surface);
    decimator.stay_near(original, bounds.of_vertices(), bounds.largest());
    Triangulation result = decimator.run(triangles);
    if (bounds.hold_for(result)) return result;
  }
  return surface;
}

}  // namespace osteon::isosurface
