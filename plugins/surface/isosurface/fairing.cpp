// Taubin, A signal processing approach to fair surface design, SIGGRAPH 1995: a step towards the mean of the neighbours
// and a slightly larger one back, in turn. Waves longer than the pass band stay as long and as high as they were.

#include "fairing.hpp"

#include <algorithm>
#include <cmath>

namespace osteon::isosurface {

namespace {

constexpr int kPasses = 20;
constexpr double kPassBand = 0.1;                       // of the Laplacian's eigenvalues, which run from 0 to 2
constexpr double kForth = 0.5;                          // Taubin's λ
constexpr double kBack = 1 / (kPassBand - 1 / kForth);  // Taubin's μ

}  // namespace

Triangulation faired(Triangulation surface, double bound) {
  const std::vector<Vec3> start = surface.vertices;
  std::vector<Vec3> sum(start.size());
  std::vector<int> count(start.size());
  for (int step = 0; step < 2 * kPasses; ++step) {
    std::fill(sum.begin(), sum.end(), Vec3{});
    std::fill(count.begin(), count.end(), 0);
    // Every neighbour once: in a closed surface each edge is walked once in each direction.
    for (const auto& triangle : surface.triangles)
      for (std::size_t c = 0; c < 3; ++c) {
        const auto from = static_cast<std::size_t>(triangle[c]), to = static_cast<std::size_t>(triangle[(c + 1) % 3]);
        sum[from] = sum[from] + surface.vertices[to];
        ++count[from];
      }
    for (std::size_t v = 0; v < start.size(); ++v) {
      Vec3& p = surface.vertices[v];
      p = p + (sum[v] * (1.0 / count[v]) - p) * (step % 2 == 0 ? kForth : kBack);
      const double moved = norm(p - start[v]);
      if (moved > bound) p = start[v] + (p - start[v]) * (bound / moved);
    }
  }
  return surface;
}

}  // namespace osteon::isosurface
