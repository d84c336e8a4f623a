#pragma once

// Linear attenuation of the two basis materials. Mass attenuation coefficients with coherent scattering from J. H.
// Hubbell and S. M. Seltzer, "Tables of X-ray mass attenuation coefficients", NISTIR 5632 (NIST Standard Reference
// Database 126): liquid water, 1.00 g/cm³, and cortical bone (ICRU-44), 1.92 g/cm³.

#include <osteon/materials.hpp>

namespace osteon::imaging {

inline constexpr double kLowestEnergy = 20, kHighestEnergy = 200;  ///< keV; what can be asked for
inline constexpr double kLowestInSpectrum = 10;                    ///< keV; where the tables begin

/// 1/mm.
struct Attenuation {
  double water, bone;
};

/// At `energy` keV, interpolated in the logarithms of energy and coefficient, as NIST recommends. Throws `Error`
/// outside the tables.
[[nodiscard]] Attenuation attenuation(double energy);

/// The same from `kLowestInSpectrum` keV on, for the soft end of a tube's spectrum, little of which leaves the filter.
[[nodiscard]] Attenuation attenuation_in_spectrum(double energy);

}  // namespace osteon::imaging
