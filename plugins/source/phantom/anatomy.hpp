#pragma once

// The measures of one femur: what an anatomist would write down of a bone, drawn from published means and spreads.

#include <osteon/random.hpp>

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace osteon::phantom {

enum class Species { human, cat };

/// Millimetres and degrees.
struct Measures {
  double length = 0;  ///< greatest length, along the line from the knee's centre to the head's
  double head_diameter = 0;
  double offset = 0;            ///< head centre to the shaft's axis
  double neck_shaft_angle = 0;  ///< degrees
  double anteversion = 0;       ///< degrees; of the neck, to the posterior condylar line
  double neck_diameter = 0;     ///< superior–inferior
  double shaft_width = 0;       ///< medial–lateral at mid-shaft
  double shaft_depth = 0;       ///< anterior–posterior at mid-shaft
  double bow_radius = 0;        ///< anterior bow
  double lateral_bow = 0;       ///< degrees; angle between the shaft's ends in the frontal plane
  double bicondylar_width = 0;
  double condylar_depth = 0;  ///< anterior–posterior
  double notch_width = 0;     ///< intercondylar
  double notch_depth = 0;
  double trochanter_height = 0;    ///< tip of the greater trochanter above the head's centre
  double trochanter_distance = 0;  ///< tip of the greater to tip of the lesser trochanter
  double lesser_prominence = 0;    ///< of the lesser trochanter over the shaft
  double lesser_version = 0;       ///< degrees behind the medial direction
};

inline constexpr int kMeasures = 18;

/// One measure's name, mean and standard deviation.
struct Statistic {
  const char* name;
  double Measures::*value;
  double mean, deviation;
  double size_loading;  ///< correlation with the bone's overall size
};

[[nodiscard]] const std::array<Statistic, kMeasures>& statistics(Species species);

/// Correlation of two measures: the product of their size loadings, and the published ones that size doesn't explain.
[[nodiscard]] double correlation(Species species, int a, int b);

/// A bone's measures: normal, correlated (Cholesky factor of the correlation matrix), standard deviations multiplied by
/// `variation`, each within 2.5 of them.
[[nodiscard]] Measures draw_measures(Species species, double variation, Random& random);

}  // namespace osteon::phantom
