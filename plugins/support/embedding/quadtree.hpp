#pragma once

// A quadtree over points of the plane, made anew for each step of t-SNE: far groups of points push as one (Barnes and
// Hut, Nature 324, 1986; van der Maaten, JMLR 15, 2014, section 4.2).

#include <cstdint>
#include <span>
#include <vector>

namespace osteon::embedding {

class QuadTree {
 public:
  /// `points` is x, y, x, y, …; finite.
  explicit QuadTree(std::span<const float> points);

  /// With q(i, j) = 1 / (1 + |i - j|²): writes Σⱼ q² (i - j) of each point to `push` (x, y, x, y, …) and returns
  /// Σ q over all ordered pairs of different points. A group counts as one where its width is less than `angle`, at
  /// most 0.7, times its distance, measured from the nearest place of the leaf in which the point lies; 0 is exact. The
  /// same for every number of threads.
  [[nodiscard]] double repulsion(double angle, std::span<float> push) const;

 private:
  struct Node {
    float x, y, count;                   ///< centre of mass
    float low_x, low_y, high_x, high_y;  ///< what the points fill
    std::int32_t first, last;            ///< points, in the tree's order
    std::int32_t after;                  ///< the node behind this one's last descendant
    bool is_leaf;
  };
  struct Group {
    float x, y, count;
  };
  static constexpr int kLanes = 8;

  void sort(std::span<const float> points);
  void add(std::int32_t first, std::int32_t last, int level);
  void gather(const Node& leaf, float angle, std::vector<Group>& groups) const;
  double push_leaf(const Node& leaf, const std::vector<Group>& groups, std::span<float> push) const;

  std::vector<std::uint32_t> codes_;  ///< Morton codes, ascending
  std::vector<std::int32_t> order_;   ///< which point stands at each place
  std::vector<float> x_, y_;          ///< in the tree's order
  std::vector<Node> nodes_;           ///< each followed by its descendants
  std::vector<std::int32_t> leaves_;
};

}  // namespace osteon::embedding
