// Otsu's method (IEEE Transactions on Systems, Man, and Cybernetics 9:62, 1979): the threshold that makes the variance
// between the two classes largest, over a histogram of 1 HU a bin. Where many thresholds do equally well (nothing lies
// between the classes) it is the middle of them.

#include "otsu.hpp"

#include <osteon/error.hpp>

#include <cmath>
#include <cstdint>

namespace osteon::isosurface {

namespace {

constexpr std::int64_t kAir = -500, kMetal = 3000;  // HU
/// Muscle, liver and blood end here; a threshold below it parts fat from muscle, not tissue from bone.
constexpr double kSoftTissue = 100;  // HU

std::vector<std::int64_t> histogram(const std::vector<float>& density) {
  std::vector<std::int64_t> count(static_cast<std::size_t>(kMetal - kAir + 1), 0);
  for (const float value : density) {
    const std::int64_t bin = std::lround(value) - kAir;
    if (bin >= 0 && bin <= kMetal - kAir) ++count[static_cast<std::size_t>(bin)];
  }
  return count;
}

/// Between the bins of the histogram, counted from its first; below 0 when one bin holds everything.
double best_cut(const std::vector<std::int64_t>& count) {
  double all = 0, sum = 0;
  for (std::size_t bin = 0; bin < count.size(); ++bin) {
    all += static_cast<double>(count[bin]);
    sum += static_cast<double>(count[bin]) * static_cast<double>(bin);
  }
  double below = 0, below_sum = 0, best = 0, first = -1, last = -1;
  for (std::size_t bin = 0; bin + 1 < count.size(); ++bin) {
    below += static_cast<double>(count[bin]);
    below_sum += static_cast<double>(count[bin]) * static_cast<double>(bin);
    if (below == 0 || below == all) continue;
    const double apart = below_sum / below - (sum - below_sum) / (all - below);
    const double variance = below * (all - below) * apart * apart;
    if (variance > best) best = variance, first = static_cast<double>(bin);
    if (variance == best) last = static_cast<double>(bin);
  }
  return first < 0 ? first : (first + last) / 2 + 0.5;
}

}  // namespace

double otsu_threshold(const std::vector<float>& density) {
  const double cut = best_cut(histogram(density));
  if (cut < 0)
    throw Error(text("no bone: the volume has no two densities between air (", kAir, " HU) and metal (", kMetal,
                     " HU) for Otsu's method to part; check the volume's Hounsfield units"));
  const double threshold = cut + static_cast<double>(kAir);
  if (threshold < kSoftTissue)
    throw Error(text("no bone: Otsu's threshold is ", threshold,
                     " HU, which parts one soft tissue from another (bone "
                     "begins above ",
                     kSoftTissue,
                     " HU); give a volume that bone fills more of, or set surface.level "
                     "= \"threshold\""));
  return threshold;
}

}  // namespace osteon::isosurface
