// The solid is eroded by half the bridge's width, until what is left falls into pieces, and each piece grows back
// (Meyer's flooding of the distance map from markers; Beucher and Meyer 1993): deep voxels first, so two pieces meet
// where the solid between them is thinnest.

#include "separation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <queue>
#include <tuple>

namespace osteon::isosurface {

namespace {

constexpr float kFar = std::numeric_limits<float>::infinity();
/// A piece that is eroded must have had room for a ball this much larger than the one that eroded it: a plate about as
/// thick as the bridge is wide would fall into crumbs.
constexpr double kCore = 1.25;

/// The lower envelope of parabolas along one line (Felzenszwalb and Huttenlocher, Theory of Computing 8:415, 2012).
class Envelope {
 public:
  explicit Envelope(std::int64_t longest) : value_(static_cast<std::size_t>(longest)), apex_(value_), from_(value_) {}

  /// `squared`, `count` values `stride` apart on a line of points `step` mm apart, becomes the least over all points of
  /// their value plus the squared distance from them.
  void apply(float* squared, std::int64_t count, std::int64_t stride, double step) {
    std::size_t parabolas = 0;
    for (std::int64_t n = 0; n < count; ++n) {
      const double value = squared[n * stride], at = static_cast<double>(n) * step;
      if (value == static_cast<double>(kFar)) continue;
      double from = -std::numeric_limits<double>::infinity();
      while (parabolas > 0) {
        const double a = apex_[parabolas - 1];
        from = (value + at * at - value_[parabolas - 1] - a * a) / (2 * (at - a));
        if (from > from_[parabolas - 1]) break;
        if (--parabolas == 0) from = -std::numeric_limits<double>::infinity();
      }
      value_[parabolas] = value, apex_[parabolas] = at, from_[parabolas] = from;
      ++parabolas;
    }
    if (parabolas == 0) return;
    std::size_t p = 0;
    for (std::int64_t n = 0; n < count; ++n) {
      const double at = static_cast<double>(n) * step;
      while (p + 1 < parabolas && from_[p + 1] < at) ++p;
      squared[n * stride] = static_cast<float>(value_[p] + (at - apex_[p]) * (at - apex_[p]));
    }
  }

 private:
  std::vector<double> value_, apex_, from_;
};

/// Squared distance, mm², of each voxel of the solid from the nearest that is not.
std::vector<float> squared_depth(const Mask& solid, const Vec3& spacing) {
  std::vector<float> depth(solid.inside.size());
  for (std::size_t v = 0; v < depth.size(); ++v) depth[v] = solid.inside[v] != 0 ? kFar : 0;
  const auto [nx, ny, nz] = solid.size;
  Envelope envelope(std::max({nx, ny, nz}));
  for (std::int64_t k = 0; k < nz; ++k) {
    for (std::int64_t j = 0; j < ny; ++j) envelope.apply(&depth[solid.at(0, j, k)], nx, 1, spacing.x);
    for (std::int64_t i = 0; i < nx; ++i) envelope.apply(&depth[solid.at(i, 0, k)], ny, nx, spacing.y);
  }
  for (std::int64_t j = 0; j < ny; ++j)
    for (std::int64_t i = 0; i < nx; ++i) envelope.apply(&depth[solid.at(i, j, 0)], nz, nx * ny, spacing.z);
  return depth;
}

/// The pieces that erosion by `radius` mm leaves and that have a core.
struct Markers {
  Labels labels;
  std::uint32_t count = 0;
};

Markers eroded(const Mask& solid, const std::vector<float>& depth, double radius) {
  Mask rest{solid.low, solid.size, std::vector<std::uint8_t>(depth.size())};
  for (std::size_t v = 0; v < depth.size(); ++v) rest.inside[v] = depth[v] > radius * radius;
  Markers markers{components(rest)};
  std::vector<float> deepest(1, 0);
  for (std::size_t v = 0; v < depth.size(); ++v) {
    const auto label = markers.labels[v];
    if (label >= deepest.size()) deepest.resize(label + 1, 0);
    if (label > 0) deepest[label] = std::max(deepest[label], depth[v]);
  }
  std::vector<std::uint32_t> name(deepest.size(), 0);
  for (std::size_t label = 1; label < name.size(); ++label)
    if (deepest[label] >= kCore * kCore * radius * radius) name[label] = ++markers.count;
  for (std::size_t v = 0; v < depth.size(); ++v) markers.labels[v] = name[markers.labels[v]];
  return markers;
}

struct Front {
  float depth;
  std::size_t order, voxel;
  /// The deepest comes first, of equals the one that was reached first.
  bool operator<(const Front& o) const { return std::tie(depth, o.order) < std::tie(o.depth, order); }
};

template <class Do>
void for_each_neighbour(const Mask& mask, std::size_t voxel, Do&& act) {
  const auto v = static_cast<std::int64_t>(voxel), nx = mask.size[0], plane = nx * mask.size[1];
  const std::int64_t i = v % nx, j = v / nx % mask.size[1], k = v / plane;
  if (i > 0) act(voxel - 1);
  if (i + 1 < nx) act(voxel + 1);
  if (j > 0) act(voxel - static_cast<std::size_t>(nx));
  if (j + 1 < mask.size[1]) act(voxel + static_cast<std::size_t>(nx));
  if (k > 0) act(voxel - static_cast<std::size_t>(plane));
  if (k + 1 < mask.size[2]) act(voxel + static_cast<std::size_t>(plane));
}

void grow_back(const Mask& solid, const std::vector<float>& depth, const Labels& labels) {
  std::priority_queue<Front> queue;
  std::size_t order = 0;
  const auto reach = [&](std::size_t from) {
    for_each_neighbour(solid, from, [&](std::size_t voxel) {
      if (solid.inside[voxel] == 0 || labels[voxel] != 0) return;
      labels[voxel] = labels[from];
      queue.push({depth[voxel], order++, voxel});
    });
  };
  std::vector<std::size_t> marked;
  for (std::size_t v = 0; v < depth.size(); ++v)
    if (labels[v] != 0) marked.push_back(v);
  for (const std::size_t v : marked) reach(v);
  while (!queue.empty()) {
    const std::size_t voxel = queue.top().voxel;
    queue.pop();
    reach(voxel);
  }
}

/// What no marker reached is a piece of its own.
void name_the_rest(const Mask& solid, const Markers& markers) {
  Mask rest = solid;
  for (std::size_t v = 0; v < rest.inside.size(); ++v) rest.inside[v] &= markers.labels[v] == 0 ? 1 : 0;
  const Labels others = components(rest);
  for (std::size_t v = 0; v < rest.inside.size(); ++v)
    if (others[v] != 0) markers.labels[v] = markers.count + others[v];
}

}  // namespace

Labels parted(const Mask& solid, const Vec3& spacing, double bridge) {
  const std::vector<float> depth = squared_depth(solid, spacing);
  // A bridge of n voxels is (n + 1) / 2 voxels deep in its middle.
  const double radius = (bridge + std::max({spacing.x, spacing.y, spacing.z})) / 2;
  const Markers markers = eroded(solid, depth, radius);
  grow_back(solid, depth, markers.labels);
  name_the_rest(solid, markers);
  return markers.labels;
}

}  // namespace osteon::isosurface
