#include "triangle_tree.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::open3d_support {

namespace {

/// The closest point of a triangle (Ericson, "Real-Time Collision Detection", 2005, section 5.1.5).
Vec3 nearest_in(const std::array<Vec3, 3>& triangle, Vec3 p) {
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

std::array<Vec3, 3> TriangleTree::corners_of(std::int32_t triangle) const {
  const auto at = [&, corner = corner_ + 3 * std::int64_t{triangle}](int which) {
    const float* p = vertex_ + 3 * std::int64_t{corner[which]};
    return Vec3{p[0], p[1], p[2]};
  };
  return {at(0), at(1), at(2)};
}

/// Halves triangles at the median of their middles along the longest side of the box around these, twice a node.
class TriangleTree::Builder {
 public:
  explicit Builder(TriangleTree& tree) : tree_(tree), items_(static_cast<std::size_t>(tree.mesh_.triangles.size(0))) {
    for (std::size_t t = 0; t < items_.size(); ++t) {
      Item& item = items_[t];
      item.triangle = static_cast<std::int32_t>(t);
      for (const Vec3& corner : tree.corners_of(item.triangle))
        for (int axis = 0; axis < 3; ++axis) {
          item.low[axis] = std::min(item.low[axis], corner[axis]);
          item.high[axis] = std::max(item.high[axis], corner[axis]);
        }
    }
    add_node(0, items_.size());
  }

 private:
  static constexpr double kFar = std::numeric_limits<double>::infinity();
  static constexpr std::size_t kLeaf = 4;

  struct Item {
    Vec3 low{kFar, kFar, kFar}, high{-kFar, -kFar, -kFar};
    std::int32_t triangle = 0;
  };

  std::size_t halve(std::size_t first, std::size_t last) {
    Vec3 low{kFar, kFar, kFar}, high{-kFar, -kFar, -kFar};
    for (std::size_t i = first; i < last; ++i)
      for (int axis = 0; axis < 3; ++axis) {
        low[axis] = std::min(low[axis], items_[i].low[axis] + items_[i].high[axis]);
        high[axis] = std::max(high[axis], items_[i].low[axis] + items_[i].high[axis]);
      }
    const Vec3 size = high - low;
    const int axis = size.x >= size.y && size.x >= size.z ? 0 : size.y >= size.z ? 1 : 2;
    const std::size_t middle = first + (last - first) / 2;
    const auto at = [&](std::size_t i) { return items_.begin() + static_cast<std::ptrdiff_t>(i); };
    std::nth_element(at(first), at(middle), at(last), [axis](const Item& a, const Item& b) {
      return a.low[axis] + a.high[axis] < b.low[axis] + b.high[axis];
    });
    return middle;
  }

  std::int32_t add_node(std::size_t first, std::size_t last) {
    const std::size_t own = tree_.nodes_.size();
    tree_.nodes_.emplace_back();
    const std::size_t middle = halve(first, last);
    const std::array<std::size_t, 5> bound{first, halve(first, middle), middle, halve(middle, last), last};
    for (std::size_t part = 0; part < 4; ++part) {
      const std::size_t from = bound[part], to = bound[part + 1];
      enclose(tree_.nodes_[own], part, from, to);
      const std::int32_t child = from == to ? -1 : to - from <= kLeaf ? add_leaf(from, to) : add_node(from, to);
      tree_.nodes_[own].child[part] = child;
    }
    return static_cast<std::int32_t>(own);
  }

  void enclose(Node& node, std::size_t part, std::size_t first, std::size_t last) const {
    for (int axis = 0; axis < 3; ++axis) {
      double low = kFar, high = -kFar;
      for (std::size_t i = first; i < last; ++i) {
        low = std::min(low, items_[i].low[axis]);
        high = std::max(high, items_[i].high[axis]);
      }
      const auto a = static_cast<std::size_t>(axis);
      node.low[a][part] = static_cast<float>(low - tree_.centre_[axis]);
      node.high[a][part] = static_cast<float>(high - tree_.centre_[axis]);
    }
  }

  std::int32_t add_leaf(std::size_t first, std::size_t last) {
    Leaf& leaf = tree_.leaves_.emplace_back();
    for (std::size_t lane = 0; lane < 4; ++lane) {
      leaf.triangle[lane] = items_[std::min(first + lane, last - 1)].triangle;
      const auto [a, b, c] = tree_.corners_of(leaf.triangle[lane]);
      const Vec3 ab = b - a, ac = c - a, normal = cross(ab, ac);
      const auto put = [lane](FourPoints& points, Vec3 p) {
        for (int axis = 0; axis < 3; ++axis) points[static_cast<std::size_t>(axis)][lane] = static_cast<float>(p[axis]);
      };
      put(leaf.a, a - tree_.centre_);
      put(leaf.ab, ab);
      put(leaf.ac, ac);
      put(leaf.normal, normal);
      const auto per = [](Vec3 v) {
        const auto squared = static_cast<float>(osteon::dot(v, v));
        return squared > std::numeric_limits<float>::min() ? 1 / squared : 0;
      };
      leaf.ab_ab[lane] = static_cast<float>(osteon::dot(ab, ab));
      leaf.ab_ac[lane] = static_cast<float>(osteon::dot(ab, ac));
      leaf.ac_ac[lane] = static_cast<float>(osteon::dot(ac, ac));
      leaf.per_ab[lane] = per(ab);
      leaf.per_ac[lane] = per(ac);
      leaf.per_bc[lane] = per(c - b);
      leaf.per_normal[lane] = per(normal);
    }
    return ~static_cast<std::int32_t>(tree_.leaves_.size() - 1);
  }

  TriangleTree& tree_;
  std::vector<Item> items_;
};

TriangleTree::TriangleTree(const Mesh& mesh)
    : mesh_(mesh), vertex_(mesh_.vertices.data_ptr<float>()), corner_(mesh_.triangles.data_ptr<std::int32_t>()) {
  const Box box = bounding_box(mesh);
  centre_ = (box.low + box.high) * 0.5;
  extent_ = box.diagonal();
  Builder{*this};
}

TriangleTree::Four TriangleTree::dot(const FourPoints& a, const FourPoints& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

TriangleTree::Four TriangleTree::squared_distances(const Node& node, const FourPoints& query) {
  Four sum{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const Four below = node.low[axis] - query[axis], above = query[axis] - node.high[axis];
    Four outside = below > above ? below : above;
    outside = outside > 0 ? outside : Four{};
    sum += outside * outside;
  }
  return sum;
}

/// The least of the distances to the three sides and, above the inside, to the plane.
TriangleTree::Four TriangleTree::squared_distances(const Leaf& leaf, const FourPoints& query) {
  const auto to_side = [](const FourPoints& from, const FourPoints& side, Four along) {
    along = along > 0 ? along : Four{};
    along = along < 1 ? along : Four{} + 1;
    const FourPoints off{from[0] - side[0] * along, from[1] - side[1] * along, from[2] - side[2] * along};
    return dot(off, off);
  };
  const FourPoints ap{query[0] - leaf.a[0], query[1] - leaf.a[1], query[2] - leaf.a[2]};
  const FourPoints bp{ap[0] - leaf.ab[0], ap[1] - leaf.ab[1], ap[2] - leaf.ab[2]};
  const FourPoints bc{leaf.ac[0] - leaf.ab[0], leaf.ac[1] - leaf.ab[1], leaf.ac[2] - leaf.ab[2]};
  const Four on_ab = dot(ap, leaf.ab), on_ac = dot(ap, leaf.ac), height = dot(ap, leaf.normal);
  Four least = to_side(ap, leaf.ab, on_ab * leaf.per_ab);
  const Four second = to_side(ap, leaf.ac, on_ac * leaf.per_ac), third = to_side(bp, bc, dot(bp, bc) * leaf.per_bc);
  least = least < second ? least : second;
  least = least < third ? least : third;
  const Four towards_b = leaf.ac_ac * on_ab - leaf.ab_ac * on_ac, towards_c = leaf.ab_ab * on_ac - leaf.ab_ac * on_ab;
  const Four plane = height * height * leaf.per_normal;
  const Four whole = leaf.ab_ab * leaf.ac_ac - leaf.ab_ac * leaf.ab_ac;
  const Four inside = towards_b >= 0 && towards_c >= 0 && towards_b + towards_c <= whole ? plane : least;
  return inside < least ? inside : least;
}

/// One query on its way through the tree.
class TriangleTree::Search {
 public:
  Search(const TriangleTree& tree, Vec3 query, std::int32_t guess) : tree_(tree), query_(query) {
    constexpr double kMargin = 1e-6;  // some units in the last place of float32
    const Vec3 from_centre = query - tree.centre_;
    for (int axis = 0; axis < 3; ++axis) at_[static_cast<std::size_t>(axis)] += static_cast<float>(from_centre[axis]);
    margin_ = kMargin * (tree.extent_ + norm(from_centre));
    look_at(guess);
    open_[count_++] = {0, 0};
  }

  ClosestPoint result() {
    while (count_ > 0) {
      const Open here = open_[--count_];
      if (here.squared > limit_) continue;
      if (here.child < 0)
        look_at(tree_.leaves_[static_cast<std::size_t>(~here.child)]);
      else
        look_at(tree_.nodes_[static_cast<std::size_t>(here.child)]);
    }
    return best_;
  }

 private:
  struct Open {
    float squared;
    std::int32_t child;
  };
  static constexpr std::size_t kDeepest = 64;  // three a level, and 4^16 leaves are more than there can be

  void look_at(std::int32_t triangle) {
    const Vec3 found = nearest_in(tree_.corners_of(triangle), query_);
    const double squared = osteon::dot(query_ - found, query_ - found);
    if (squared == best_.squared_distance && triangle < best_.triangle) best_ = {found, squared, triangle};
    if (!(squared < best_.squared_distance)) return;
    best_ = {found, squared, triangle};
    const double far = std::sqrt(squared) + margin_;
    limit_ = std::nextafter(static_cast<float>(far * far), std::numeric_limits<float>::infinity());
  }

  void look_at(const Leaf& leaf) {
    const Four squared = squared_distances(leaf, at_);
    for (std::size_t lane = 0; lane < 4; ++lane)
      if (squared[lane] <= limit_) look_at(leaf.triangle[lane]);
  }

  /// Puts what is not too far on the stack, the nearest on top.
  void look_at(const Node& node) {
    const Four squared = squared_distances(node, at_);
    const std::size_t before = count_;
    for (std::size_t part = 0; part < 4; ++part) {
      if (!(squared[part] <= limit_)) continue;
      std::size_t place = count_++;
      for (; place > before && open_[place - 1].squared < squared[part]; --place) open_[place] = open_[place - 1];
      open_[place] = {squared[part], node.child[part]};
    }
  }

  const TriangleTree& tree_;
  Vec3 query_;
  FourPoints at_{};
  double margin_ = 0;
  ClosestPoint best_{{}, std::numeric_limits<double>::infinity(), -1};
  float limit_ =
      std::numeric_limits<float>::infinity();  ///< squared distance beyond which float32 shows that nothing is closer
  std::array<Open, kDeepest> open_;
  std::size_t count_ = 0;
};

ClosestPoint TriangleTree::nearest(Vec3 query, std::int32_t guess) const {
  return Search(*this, query, guess).result();
}

}  // namespace osteon::open3d_support
