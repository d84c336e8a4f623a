#include "imaging/spectrum.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <span>

namespace osteon::imaging {

namespace {

struct TableEntry {
  double energy, value;
};

// cm²/g. NISTIR 5632: mass attenuation of tungsten and aluminium; mass energy absorption of dry air.
constexpr std::array<TableEntry, 18> kTungsten = {{{10, 96.91},
                                                   {10.2069, 92.01},
                                                   {10.207, 233.4},
                                                   {11.544, 168.9},
                                                   {11.5441, 231.2},
                                                   {12.0998, 206.5},
                                                   {12.0999, 238.2},
                                                   {15, 138.9},
                                                   {20, 65.73},
                                                   {30, 22.73},
                                                   {40, 10.67},
                                                   {50, 5.949},
                                                   {60, 3.713},
                                                   {69.525, 2.552},
                                                   {69.5251, 11.23},
                                                   {80, 7.810},
                                                   {100, 4.438},
                                                   {150, 1.581}}};
constexpr std::array<TableEntry, 10> kAluminium = {{{10, 26.23},
                                                    {15, 7.955},
                                                    {20, 3.441},
                                                    {30, 1.128},
                                                    {40, 0.5685},
                                                    {50, 0.3681},
                                                    {60, 0.2778},
                                                    {80, 0.2018},
                                                    {100, 0.1704},
                                                    {150, 0.1378}}};
constexpr std::array<TableEntry, 10> kAirKerma = {{{10, 4.742},
                                                   {15, 1.334},
                                                   {20, 0.5389},
                                                   {30, 0.1537},
                                                   {40, 0.06833},
                                                   {50, 0.04098},
                                                   {60, 0.03041},
                                                   {80, 0.02407},
                                                   {100, 0.02325},
                                                   {150, 0.02496}}};
constexpr double kAluminiumDensity = 2.699;  // g/cm³

constexpr double kDepthConstant = 0.9e6, kAnodeAngle = 12, kEdge = 69.525;  // keV² cm²/g, degrees, keV
/// Kα1, Kα2, Kβ1, Kβ2 in the bins of their energies, with their shares.
constexpr std::array<TableEntry, 4> kLines = {{{59.5, 0.505}, {58.5, 0.291}, {67.5, 0.162}, {69.5, 0.042}}};
/// Photons in the K lines per unit of the continuum at kV = 2·69.525: 5 % of all photons at 100 kV behind 2.5 mm
/// aluminium, as in J. M. Boone and J. A. Seibert's measured spectra (Med. Phys. 24, 1661-1670, 1997).
constexpr double kLineYield = 8.0;

double interpolated(std::span<const TableEntry> table, double energy) {
  std::size_t i = 1;
  while (i + 1 < table.size() && energy > table[i].energy) ++i;
  const TableEntry &below = table[i - 1], &above = table[i];
  return below.value *
         std::pow(above.value / below.value, std::log(energy / below.energy) / std::log(above.energy / below.energy));
}

double filtered(double energy, double aluminium) {
  return std::exp(-interpolated(kAluminium, energy) * kAluminiumDensity * aluminium / 10);
}

/// Photons per keV that leave the anode at `energy`: the integral over the electron's energies above it.
double continuum(double energy, double kilovolts) {
  const double along = kDepthConstant * std::sin(kAnodeAngle * std::numbers::pi / 180);
  const double attenuation = interpolated(kTungsten, energy);
  constexpr int kSteps = 100;
  double sum = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double electron = energy + (kilovolts - energy) * (i + 0.5) / kSteps;
    sum += std::exp(-attenuation * (kilovolts * kilovolts - electron * electron) / along);
  }
  return sum * (kilovolts - energy) / kSteps / energy;
}

}  // namespace

double Spectrum::mean_energy() const { return std::inner_product(energy.begin(), energy.end(), photons.begin(), 0.0); }

double Spectrum::half_value_layer() const {
  const auto kerma = [this](double aluminium) {
    double sum = 0;
    for (std::size_t i = 0; i < energy.size(); ++i)
      sum += photons[i] * energy[i] * interpolated(kAirKerma, energy[i]) * filtered(energy[i], aluminium);
    return sum;
  };
  double low = 0, high = 100;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (kerma(middle) > kerma(0) / 2 ? low : high) = middle;
  }
  return low;
}

Spectrum tube_spectrum(double kilovolts, double aluminium) {
  if (!(kilovolts >= kLowestVoltage && kilovolts <= kHighestVoltage))
    throw Error(text("tube spectra are known from ", kLowestVoltage, " to ", kHighestVoltage, " kV; ", kilovolts,
                     " kV was asked for"));
  Spectrum spectrum;
  for (double energy = kLowestInSpectrum + 0.5; energy < kilovolts; energy += 1) {
    double photons = continuum(energy, kilovolts);
    if (kilovolts > kEdge)
      for (const TableEntry& line : kLines)
        if (line.energy == energy) photons += kLineYield * std::pow(kilovolts / kEdge - 1, 1.63) * line.value;
    spectrum.energy.push_back(energy);
    spectrum.photons.push_back(photons * filtered(energy, aluminium));
  }
  const double sum = std::accumulate(spectrum.photons.begin(), spectrum.photons.end(), 0.0);
  for (double& photons : spectrum.photons) photons /= sum;
  return spectrum;
}

namespace {

// The table's nodes: lengths grow as squares, since the beam hardens most in the first millimetres.
constexpr int kNodes = 192;
constexpr float kMostWater = 600, kMostBone = 150;  // mm; beyond, the sum itself

}  // namespace

BeamTable::BeamTable(const Spectrum& spectrum) {
  for (std::size_t i = 0; i < spectrum.energy.size(); ++i) {
    bins_.push_back({spectrum.energy[i], spectrum.photons[i], attenuation_in_spectrum(spectrum.energy[i])});
    open_signal_ += spectrum.energy[i] * spectrum.photons[i];
  }
  for (int b = 0; b < kNodes; ++b)
    for (int w = 0; w < kNodes; ++w)
      table_.push_back(sum(kMostWater * std::pow(w / (kNodes - 1.0), 2), kMostBone * std::pow(b / (kNodes - 1.0), 2)));
}

BeamTable::Seen BeamTable::sum(double water, double bone) const {
  double signal = 0, squares = 0;
  for (const Bin& bin : bins_) {
    const double arrived = bin.photons * std::exp(-bin.attenuation.water * water - bin.attenuation.bone * bone);
    signal += arrived * bin.energy;
    squares += arrived * bin.energy * bin.energy;
  }
  // Far behind everything a double holds, nothing arrives.
  if (!(squares > 0)) return {700.0F, 0.0F};
  return {static_cast<float>(-std::log(signal / open_signal_)), static_cast<float>(signal * signal / squares)};
}

BeamTable::Seen BeamTable::behind(float water, float bone) const {
  if (!(water < kMostWater && bone < kMostBone)) return sum(water, bone);
  const auto place = [](float length, float most) {
    // Linear in the length between the nodes on either side of it.
    const int i = std::min(static_cast<int>(std::sqrt(length / most) * (kNodes - 1)), kNodes - 2);
    const float below = static_cast<float>(i * i), above = static_cast<float>((i + 1) * (i + 1));
    const float at = length / most * static_cast<float>((kNodes - 1) * (kNodes - 1));
    return std::pair(i, (at - below) / (above - below));
  };
  const auto [w, w_part] = place(water, kMostWater);
  const auto [b, b_part] = place(bone, kMostBone);
  const Seen* at = table_.data() + b * kNodes + w;
  const auto mix = [&](float Seen::*value) {
    const float low = at[0].*value + w_part * (at[1].*value - at[0].*value);
    const float high = at[kNodes].*value + w_part * (at[kNodes + 1].*value - at[kNodes].*value);
    return low + b_part * (high - low);
  };
  return {mix(&Seen::line_integral), mix(&Seen::quanta)};
}

}  // namespace osteon::imaging
