// The points are sorted along a Z curve, so that a node's points stand together and the tree is a list in which each
// node is followed by its descendants. All points of a leaf see the same groups: those are gathered once, and the
// leaf's points go over them side by side, in the lanes of the processor's vectors.

#include "embedding/quadtree.hpp"

#include <osteon/parallel.hpp>

#include <algorithm>
#include <cmath>

namespace osteon::embedding {

namespace {

constexpr int kLevels = 16;        ///< halvings of the plane; what is still together stays in one leaf
constexpr std::int32_t kLeaf = 8;  ///< points in a leaf, above the last level
constexpr std::int64_t kLeavesAtOnce = 16;

/// The bits of a number below 2¹⁶ with a 0 between each and the next.
std::uint32_t spread(std::uint32_t value) {
  value = (value | value << 8) & 0x00FF00FFU;
  value = (value | value << 4) & 0x0F0F0F0FU;
  value = (value | value << 2) & 0x33333333U;
  return (value | value << 1) & 0x55555555U;
}

using Lanes = float __attribute__((vector_size(32)));

}  // namespace

QuadTree::QuadTree(std::span<const float> points) {
  sort(points);
  if (!order_.empty()) add(0, static_cast<std::int32_t>(order_.size()), 0);
}

void QuadTree::sort(std::span<const float> points) {
  const std::size_t n = points.size() / 2;
  float low_x = INFINITY, low_y = INFINITY, high = 0;
  for (std::size_t i = 0; i < n; ++i) {
    low_x = std::min(low_x, points[2 * i]);
    low_y = std::min(low_y, points[2 * i + 1]);
  }
  for (std::size_t i = 0; i < n; ++i) high = std::max({high, points[2 * i] - low_x, points[2 * i + 1] - low_y});
  const float scale = high > 0 ? 65535.0F / high : 0;
  std::vector<std::uint64_t> keys(n);  // the code, then the point, so that equal codes keep their order
  for (std::size_t i = 0; i < n; ++i) {
    const auto across = static_cast<std::uint32_t>(std::min(65535.0F, (points[2 * i] - low_x) * scale));
    const auto up = static_cast<std::uint32_t>(std::min(65535.0F, (points[2 * i + 1] - low_y) * scale));
    keys[i] = static_cast<std::uint64_t>(spread(across) | spread(up) << 1) << 32 | i;
  }
  std::sort(keys.begin(), keys.end());
  for (const std::uint64_t key : keys) {
    const auto i = static_cast<std::size_t>(key & 0xFFFFFFFFU);
    codes_.push_back(static_cast<std::uint32_t>(key >> 32));
    order_.push_back(static_cast<std::int32_t>(i));
    x_.push_back(points[2 * i]);
    y_.push_back(points[2 * i + 1]);
  }
}

void QuadTree::add(std::int32_t first, std::int32_t last, int level) {
  const std::size_t place = nodes_.size();
  Node node{0, 0, static_cast<float>(last - first), INFINITY, INFINITY, -INFINITY, -INFINITY, first, last, 0, true};
  double x = 0, y = 0;
  for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
    x += x_[i];
    y += y_[i];
    node.low_x = std::min(node.low_x, x_[i]);
    node.high_x = std::max(node.high_x, x_[i]);
    node.low_y = std::min(node.low_y, y_[i]);
    node.high_y = std::max(node.high_y, y_[i]);
  }
  node.x = static_cast<float>(x / (last - first));
  node.y = static_cast<float>(y / (last - first));
  node.is_leaf = last - first <= kLeaf || level == kLevels;
  nodes_.push_back(node);
  if (node.is_leaf) {
    leaves_.push_back(static_cast<std::int32_t>(place));
  } else {
    const int shift = 2 * (kLevels - 1 - level);
    for (std::int32_t begin = first; begin < last;) {
      const std::uint32_t quarter = codes_[static_cast<std::size_t>(begin)] >> shift;
      const auto end = std::partition_point(codes_.begin() + begin, codes_.begin() + last,
                                            [&](std::uint32_t code) { return code >> shift == quarter; });
      const auto next = static_cast<std::int32_t>(end - codes_.begin());
      add(begin, next, level + 1);
      begin = next;
    }
  }
  nodes_[place].after = static_cast<std::int32_t>(nodes_.size());
}

void QuadTree::gather(const Node& leaf, float angle, std::vector<Group>& groups) const {
  groups.clear();
  for (std::size_t at = 0; at < nodes_.size();) {
    const Node& node = nodes_[at];
    const float dx = std::max({leaf.low_x - node.x, node.x - leaf.high_x, 0.0F});
    const float dy = std::max({leaf.low_y - node.y, node.y - leaf.high_y, 0.0F});
    const float width = std::max(node.high_x - node.low_x, node.high_y - node.low_y);
    if (width * width < angle * angle * (dx * dx + dy * dy)) {
      groups.push_back({node.x, node.y, node.count});
      at = static_cast<std::size_t>(node.after);
    } else if (node.is_leaf) {
      for (auto i = static_cast<std::size_t>(node.first); i < static_cast<std::size_t>(node.last); ++i)
        groups.push_back({x_[i], y_[i], 1});
      at = static_cast<std::size_t>(node.after);
    } else {
      ++at;
    }
  }
}

double QuadTree::push_leaf(const Node& leaf, const std::vector<Group>& groups, std::span<float> push) const {
  double total = 0;
  for (std::int32_t first = leaf.first; first < leaf.last; first += kLanes) {
    const int count = std::min<std::int32_t>(kLanes, leaf.last - first);
    Lanes x{}, y{}, push_x{}, push_y{}, sum{};
    for (int lane = 0; lane < kLanes; ++lane) {
      const auto i = static_cast<std::size_t>(first + std::min(lane, count - 1));
      x[lane] = x_[i];
      y[lane] = y_[i];
    }
    for (const Group& group : groups) {
      const Lanes dx = x - group.x, dy = y - group.y, q = 1.0F / (1.0F + dx * dx + dy * dy);
      const Lanes share = group.count * q, force = share * q;
      sum += share;
      push_x += force * dx;
      push_y += force * dy;
    }
    for (int lane = 0; lane < count; ++lane) {
      const auto i = static_cast<std::size_t>(order_[static_cast<std::size_t>(first + lane)]);
      push[2 * i] = push_x[lane];
      push[2 * i + 1] = push_y[lane];
      total += static_cast<double>(sum[lane]) - 1;  // the point itself was among them
    }
  }
  return total;
}

double QuadTree::repulsion(double angle, std::span<float> push) const {
  std::vector<double> totals(leaves_.size());
  parallel_for(0, std::ssize(leaves_), kLeavesAtOnce, [&](std::int64_t begin, std::int64_t end) {
    std::vector<Group> groups;
    for (auto at = static_cast<std::size_t>(begin); at < static_cast<std::size_t>(end); ++at) {
      const Node& leaf = nodes_[static_cast<std::size_t>(leaves_[at])];
      gather(leaf, static_cast<float>(angle), groups);
      totals[at] = push_leaf(leaf, groups, push);
    }
  });
  double total = 0;
  for (const double one : totals) total += one;
  return total;
}

}  // namespace osteon::embedding
