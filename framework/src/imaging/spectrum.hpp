#pragma once

// The spectrum of an X-ray tube with a tungsten anode, and what an energy-integrating detector sees of it behind water
// and bone.
//
// The continuum is Kramers' (H. A. Kramers, Phil. Mag. 46, 836-871, 1923): an electron that slows down in a thick
// target radiates equally much at each energy below its own, so photons go as 1/E. Each depth's photons are weakened by
// the tungsten above: an electron of energy T, from T0, has come to the depth (T0² - T²) / C (Thomson and Whiddington's
// law), seen under 12°. The K lines rise with the tube's voltage as (kV/69.525 - 1)^1.63 (M. Green and V. E. Cosslett,
// Proc. Phys. Soc. 78, 1206-1214, 1961). C is the one free constant: 0.9e6 keV² cm²/g gives the half-value layers of
// IEC 61267's radiation qualities RQR 3 to 9 (50 to 120 kV, 2.5 mm aluminium) within 5 %, those of 40 and 150 kV within
// 8 %. Filters and anode: NISTIR 5632, as the attenuation of water and bone.

#include "imaging/attenuation.hpp"

#include <vector>

namespace osteon::imaging {

inline constexpr double kLowestVoltage = 40, kHighestVoltage = 150;  ///< kV

/// Photons in bins of 1 keV, their sum 1.
struct Spectrum {
  std::vector<double> energy;   ///< keV, the bins' middles
  std::vector<double> photons;  ///< share of the photons

  [[nodiscard]] double mean_energy() const;  ///< keV
  /// Thickness of aluminium (mm) that halves the air kerma.
  [[nodiscard]] double half_value_layer() const;
};

/// Behind `aluminium` mm of filter, the tube's own included. Throws `Error` outside 40 to 150 kV.
[[nodiscard]] Spectrum tube_spectrum(double kilovolts, double aluminium);

/// What a detector whose signal is the sum of the photons' energies, all of them absorbed, sees behind water and bone
/// (mm): tabulated, since every pixel asks. Between nodes within 0.001 of the sum over the spectrum.
class BeamTable {
 public:
  explicit BeamTable(const Spectrum& spectrum);

  struct Seen {
    float line_integral;  ///< -log of the signal's share that arrives
    float quanta;         ///< Poisson quanta, per photon of the open beam, with the signal's mean and variance
  };
  [[nodiscard]] Seen behind(float water, float bone) const;

 private:
  [[nodiscard]] Seen sum(double water, double bone) const;

  struct Bin {
    double energy, photons;
    Attenuation attenuation;
  };
  std::vector<Bin> bins_;
  double open_signal_ = 0;
  std::vector<Seen> table_;
};

}  // namespace osteon::imaging
