#include "imaging/subset.hpp"

#include <limits>

namespace osteon::imaging {

std::vector<std::int64_t> subset(std::span<const ImageRow> rows, Range axial, Range in_plane, Range energy) {
  std::vector<std::int64_t> found;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ImageRow& row = rows[i];
    if (axial.holds(row.axial) && axial.holds(row.ml_axial) && in_plane.holds(row.in_plane) &&
        in_plane.holds(row.ml_in_plane) && energy.holds(row.energy))
      found.push_back(static_cast<std::int64_t>(i));
  }
  return found;
}

std::vector<Subset> study_subsets() {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr Range kAny{-kInfinity, kInfinity}, kFour{-4, 4}, kSeven{-7, 7}, kWide{-22, 22};
  return {{"within 4°, 146 to 158 keV", kFour, kFour, {146, 158}},
          {"within 4°", kFour, kFour, kAny},
          {"within 7°", kSeven, kSeven, kAny},
          {"axial up to 22°, in-plane within 4°", kWide, kFour, kAny},
          {"axial within 4°, in-plane up to 22°", kFour, kWide, kAny},
          {"all", kAny, kAny, kAny}};
}

}  // namespace osteon::imaging
