#include "imaging/attenuation.hpp"

#include <osteon/error.hpp>

#include <array>
#include <cmath>

namespace osteon::imaging {

namespace {

struct Row {
  double energy;       ///< keV
  double water, bone;  ///< cm²/g
};

constexpr std::array<Row, 11> kTable = {{
    {10, 5.329, 28.51},
    {15, 1.673, 9.032},
    {20, 0.8096, 4.001},
    {30, 0.3756, 1.331},
    {40, 0.2683, 0.6655},
    {50, 0.2269, 0.4242},
    {60, 0.2059, 0.3148},
    {80, 0.1837, 0.2229},
    {100, 0.1707, 0.1855},
    {150, 0.1505, 0.1480},
    {200, 0.1370, 0.1309},
}};
constexpr double kWaterDensity = 1.00, kBoneDensity = 1.92;  // g/cm³
constexpr double kPerMillimetre = 0.1;                       // 1/cm in 1/mm

}  // namespace

Attenuation attenuation(double energy) {
  if (!(energy >= kLowestEnergy && energy <= kHighestEnergy))
    throw Error(text("attenuation is known from ", kLowestEnergy, " to ", kHighestEnergy, " keV; ", energy,
                     " keV was asked for"));
  return attenuation_in_spectrum(energy);
}

Attenuation attenuation_in_spectrum(double energy) {
  std::size_t i = 1;
  while (i + 1 < kTable.size() && energy > kTable[i].energy) ++i;
  const Row &below = kTable[i - 1], &above = kTable[i];
  const double share = std::log(energy / below.energy) / std::log(above.energy / below.energy);
  const auto between = [share](double a, double b) { return a * std::pow(b / a, share); };
  return {between(below.water, above.water) * kWaterDensity * kPerMillimetre,
          between(below.bone, above.bone) * kBoneDensity * kPerMillimetre};
}

}  // namespace osteon::imaging
