#include "imaging/spectrum.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace osteon::imaging {
namespace {

TEST(Spectrum, HalfValueLayersAreThoseOfTheStandardsRadiationQualities) {
  // IEC 61267:2005, RQR 3 to RQR 9: first half-value layers in mm aluminium.
  const std::vector<std::pair<double, double>> standard = {{50, 1.78}, {60, 2.19},  {70, 2.58}, {80, 3.01},
                                                           {90, 3.48}, {100, 3.97}, {120, 5.00}};
  for (const auto& [kilovolts, layer] : standard)
    EXPECT_NEAR(tube_spectrum(kilovolts, 2.5).half_value_layer(), layer, 0.051 * layer) << kilovolts << " kV";
  EXPECT_NEAR(tube_spectrum(40, 2.5).half_value_layer(), 1.42, 0.08 * 1.42);
  EXPECT_NEAR(tube_spectrum(150, 2.5).half_value_layer(), 6.57, 0.08 * 6.57);
}

TEST(Spectrum, HardensWithVoltageAndFilter) {
  double before = 0;
  for (double kilovolts = 40; kilovolts <= 150; kilovolts += 5) {
    const Spectrum spectrum = tube_spectrum(kilovolts, 2.5);
    EXPECT_NEAR(std::accumulate(spectrum.photons.begin(), spectrum.photons.end(), 0.0), 1, 1e-12);
    EXPECT_GT(spectrum.mean_energy(), before);
    EXPECT_LT(spectrum.energy.back(), kilovolts);
    before = spectrum.mean_energy();
  }
  EXPECT_GT(tube_spectrum(60, 5).mean_energy(), tube_spectrum(60, 2.5).mean_energy() + 1);
}

TEST(Spectrum, KLinesComeOnlyAboveTheirEdge) {
  const auto line_over_neighbours = [](double kilovolts) {
    const Spectrum spectrum = tube_spectrum(kilovolts, 2.5);
    return spectrum.photons[59 - 10] / spectrum.photons[56 - 10];  // the bin of Kα1
  };
  EXPECT_LT(line_over_neighbours(69), 1);
  EXPECT_GT(line_over_neighbours(100), 2);
}

TEST(Spectrum, IsRefusedOutsideTheTubesRange) {
  for (const double kilovolts : {39.0, 151.0}) try {
      (void)tube_spectrum(kilovolts, 2.5);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.what(), text("tube spectra are known from 40 to 150 kV; ", kilovolts, " kV was asked for"));
    }
}

/// The sum over the spectrum that the table stands for.
double exact(const Spectrum& spectrum, double water, double bone) {
  double open = 0, arrived = 0;
  for (std::size_t i = 0; i < spectrum.energy.size(); ++i) {
    const Attenuation at = attenuation_in_spectrum(spectrum.energy[i]);
    open += spectrum.photons[i] * spectrum.energy[i];
    arrived += spectrum.photons[i] * spectrum.energy[i] * std::exp(-at.water * water - at.bone * bone);
  }
  return -std::log(arrived / open);
}

TEST(BeamTable, IsTheSumOverTheSpectrum) {
  for (const double kilovolts : {50.0, 80.0, 140.0}) {
    const Spectrum spectrum = tube_spectrum(kilovolts, 2.5);
    const BeamTable table(spectrum);
    for (double water = 0; water < 320; water = water * 1.37 + 0.31)
      for (double bone = 0; bone < 90; bone = bone * 1.41 + 0.17)
        EXPECT_NEAR(table.behind(static_cast<float>(water), static_cast<float>(bone)).line_integral,
                    exact(spectrum, water, bone), 0.002)
            << kilovolts << " kV, " << water << " mm water, " << bone << " mm bone";
    EXPECT_NEAR(table.behind(700, 5).line_integral, exact(spectrum, 700, 5), 1e-3) << "beyond the table";
  }
}

TEST(BeamTable, BeamsHarden) {
  const BeamTable table(tube_spectrum(60, 2.5));
  const auto per_mm = [&](float bone) { return table.behind(0, bone).line_integral / bone; };
  EXPECT_GT(per_mm(1), per_mm(10));
  EXPECT_GT(per_mm(10), per_mm(40));
}

TEST(BeamTable, QuantaHaveTheSignalsVariance) {
  const Spectrum spectrum = tube_spectrum(70, 2.5);
  double signal = 0, squares = 0;
  for (std::size_t i = 0; i < spectrum.energy.size(); ++i) {
    signal += spectrum.photons[i] * spectrum.energy[i];
    squares += spectrum.photons[i] * spectrum.energy[i] * spectrum.energy[i];
  }
  const float quanta = BeamTable(spectrum).behind(0, 0).quanta;
  EXPECT_NEAR(quanta, signal * signal / squares, 1e-5);
  EXPECT_LT(quanta, 1) << "photons of unlike energy are noisier than as many alike";
}

}  // namespace
}  // namespace osteon::imaging
