// Means and standard deviations of femoral measures, and how they hang together. Human figures are pooled over both
// sexes and sides (within-sex variance plus the variance of the two means):
//   length                 435, Solan & Kulkarni, J. Clin. Diagn. Res. 7 (2013), 150 femora; ± 30, between their 26 and
//                          the 38 of both sexes of 443 Greek femora, J. Clin. Med. Res. 11 (2019) 740
//   head diameter, offset  46.1 ± 4.8, 43.0 ± 6.8   Noble et al., Clin. Orthop. 235 (1988), 200 femora
//   neck–shaft, version    129.2 ± 6.2°, 9.7 ± 9.3°  Toogood et al., Clin. Orthop. 467 (2009), 375 femora
//   mid-shaft              27.6 ± 2.2 from the perimeter of 367 femora, J. Clin. Med. Res. 11 (2019) 740
//   bow radius             1120 ± 260, correlation with length 0.37   Maratt et al., J. Orthop. Trauma 28 (2014), 3922
//   lateral bow            0.1 ± 1.9°    Surg. Radiol. Anat. 41 (2019) 1489, 125 femora
//   condyles and notch     Terzidis et al., Anat. Res. Int. 2012:679658, 360 femora
//   trochanters            distance 67.5 ± 4.9, Int. J. Res. Med. Sci. 7 (2019); lesser trochanter's version −24
//   ± 11.5°,
//                          correlation with the neck's 0.63, Schröder et al., J. Hip Preserv. Surg. 2 (2015), 250 hips
// Size loadings are such that the linear measures correlate with length by 0.5 to 0.85, as published for head, condyles
// and mid-shaft.
// Cat: inclination 136.6 ± 3.9° (92 cats, Arq. Bras. Med. Vet. Zootec. 70, 2018); length and mid-shaft between the dry
// bones of Rahman Sarker (CVASU, 2012: 104 mm, 8.9 mm) and these radiographs (129 to 134 mm, magnified). Measures for
// which no published figure was found (neck diameter, trochanter height, lesser trochanter's prominence, most of the
// cat's) are proportions of a femur, spread by about 8 %.

#include "anatomy.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>

namespace osteon::phantom {

const std::array<Statistic, kMeasures>& statistics(Species species) {
  static const std::array<Statistic, kMeasures> human = {{
      {"length", &Measures::length, 435, 30, 0.93},
      {"head_diameter", &Measures::head_diameter, 46.1, 3.6, 0.88},
      {"offset", &Measures::offset, 43.0, 5.5, 0.62},
      {"neck_shaft_angle", &Measures::neck_shaft_angle, 127.5, 5.5, 0},
      {"anteversion", &Measures::anteversion, 9.7, 9.3, 0},
      {"neck_diameter", &Measures::neck_diameter, 33.5, 2.7, 0.85},
      {"shaft_width", &Measures::shaft_width, 27.6, 2.2, 0.75},
      {"shaft_depth", &Measures::shaft_depth, 28.4, 2.3, 0.75},
      {"bow_radius", &Measures::bow_radius, 1120, 260, 0.40},
      {"lateral_bow", &Measures::lateral_bow, 0.1, 1.9, 0},
      {"bicondylar_width", &Measures::bicondylar_width, 83.9, 6.2, 0.90},
      {"condylar_depth", &Measures::condylar_depth, 60.0, 4.1, 0.85},
      {"notch_width", &Measures::notch_width, 20.5, 2.2, 0.55},
      {"notch_depth", &Measures::notch_depth, 25.9, 2.5, 0.55},
      {"trochanter_height", &Measures::trochanter_height, -4.0, 4.5, 0},
      {"trochanter_distance", &Measures::trochanter_distance, 67.5, 4.9, 0.75},
      {"lesser_prominence", &Measures::lesser_prominence, 9.0, 1.8, 0.30},
      {"lesser_version", &Measures::lesser_version, 24, 11.5, 0},
  }};
  static const std::array<Statistic, kMeasures> cat = {{
      {"length", &Measures::length, 113, 6, 0.93},
      {"head_diameter", &Measures::head_diameter, 9.6, 0.6, 0.88},
      {"offset", &Measures::offset, 9.2, 0.8, 0.62},
      {"neck_shaft_angle", &Measures::neck_shaft_angle, 136.6, 3.9, 0},
      {"anteversion", &Measures::anteversion, 18, 6, 0},
      {"neck_diameter", &Measures::neck_diameter, 6.6, 0.5, 0.85},
      {"shaft_width", &Measures::shaft_width, 8.9, 0.6, 0.75},
      {"shaft_depth", &Measures::shaft_depth, 8.4, 0.6, 0.75},
      {"bow_radius", &Measures::bow_radius, 330, 75, 0.40},
      {"lateral_bow", &Measures::lateral_bow, 0, 1.5, 0},
      {"bicondylar_width", &Measures::bicondylar_width, 19.2, 1.2, 0.90},
      {"condylar_depth", &Measures::condylar_depth, 19.0, 1.2, 0.85},
      {"notch_width", &Measures::notch_width, 4.4, 0.4, 0.55},
      {"notch_depth", &Measures::notch_depth, 8.0, 0.7, 0.55},
      {"trochanter_height", &Measures::trochanter_height, 0.8, 1.0, 0},
      {"trochanter_distance", &Measures::trochanter_distance, 19.0, 1.3, 0.75},
      {"lesser_prominence", &Measures::lesser_prominence, 2.4, 0.4, 0.30},
      {"lesser_version", &Measures::lesser_version, 40, 8, 0},
  }};
  return species == Species::human ? human : cat;
}

namespace {

struct Pair {
  double Measures::*first;
  double Measures::*second;
  double correlation;
};

/// Correlations beyond overall size: a steep neck carries a small offset; lesser trochanter and neck turn together;
/// width and depth of a shaft, and of a notch, go together more than size makes them.
constexpr std::array<Pair, 5> kPairs = {{{&Measures::offset, &Measures::neck_shaft_angle, -0.45},
                                         {&Measures::anteversion, &Measures::lesser_version, -0.63},
                                         {&Measures::shaft_width, &Measures::shaft_depth, 0.65},
                                         {&Measures::head_diameter, &Measures::neck_diameter, 0.80},
                                         {&Measures::notch_width, &Measures::notch_depth, 0.45}}};

}  // namespace

double correlation(Species species, int a, int b) {
  if (a == b) return 1;
  const auto& table = statistics(species);
  const Statistic& first = table[static_cast<std::size_t>(a)];
  const Statistic& second = table[static_cast<std::size_t>(b)];
  for (const Pair& pair : kPairs)
    if ((pair.first == first.value && pair.second == second.value) ||
        (pair.first == second.value && pair.second == first.value))
      return pair.correlation;
  return first.size_loading * second.size_loading;
}

namespace {

using Matrix = std::array<std::array<double, kMeasures>, kMeasures>;

/// The lower triangular L with L·Lᵀ = correlation matrix.
Matrix cholesky_factor(Species species) {
  Matrix factor{};
  for (std::size_t row = 0; row < kMeasures; ++row)
    for (std::size_t column = 0; column <= row; ++column) {
      double sum = correlation(species, static_cast<int>(row), static_cast<int>(column));
      for (std::size_t k = 0; k < column; ++k) sum -= factor[row][k] * factor[column][k];
      if (row == column && sum <= 0) throw failure("the correlations of the femoral measures contradict each other");
      factor[row][column] = row == column ? std::sqrt(sum) : sum / factor[column][column];
    }
  return factor;
}

}  // namespace

Measures draw_measures(Species species, double variation, Random& random) {
  const auto& table = statistics(species);
  const Matrix factor = cholesky_factor(species);
  std::array<double, kMeasures> independent{};
  for (double& value : independent) value = random.normal();
  Measures bone;
  for (std::size_t row = 0; row < kMeasures; ++row) {
    double deviations = 0;
    for (std::size_t k = 0; k <= row; ++k) deviations += factor[row][k] * independent[k];
    deviations = std::clamp(deviations, -2.5, 2.5) * variation;
    bone.*table[row].value = table[row].mean + deviations * table[row].deviation;
  }
  return bone;
}

}  // namespace osteon::phantom
