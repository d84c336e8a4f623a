#include "imaging/film.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>

namespace osteon::imaging {

namespace {

using Choices = std::vector<std::string>;

std::vector<float> gaussian(double sigma) {
  if (sigma == 0) return {1.0F};
  const int radius = static_cast<int>(std::ceil(4 * sigma));
  std::vector<double> weights;
  double sum = 0;
  for (int i = -radius; i <= radius; ++i) sum += weights.emplace_back(std::exp(-0.5 * i * i / (sigma * sigma)));
  std::vector<float> kernel;
  for (const double weight : weights) kernel.push_back(static_cast<float>(weight / sum));
  return kernel;
}

/// to += weight · from, for `count` values.
void add_scaled(float* to, const float* from, float weight, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += weight * from[i];
}

}  // namespace

Schema film_schema() {
  return {
      "From line integrals to 8-bit images: attenuation from NIST tables (Hubbell and Seltzer, NISTIR 5632), "
      "noise, blur and one fixed mapping.",
      {
          Parameter::reals("energies", {140, 146, 152, 158},
                           "Photon energies; each pose is shown at each of them (the study's: 140 to 158).")
              .unit("keV")
              .at_least(kLowestEnergy)
              .at_most(kHighestEnergy)
              .length_at_least(1),
          Parameter::text("materials", "all",
                          "all is an ordinary X-ray; bone leaves the water part out, as dual-energy subtraction does "
                          "and as the study's images look, which show no soft tissue.")
              .one_of(Choices{"all", "bone"}),
          Parameter::real("minimum", 0.0,
                          "Line integral that is shown black; 0 is air. Above 0 it takes soft tissue out of view.")
              .at_least(0)
              .at_most(99),
          Parameter::real(
              "maximum", 3.0,
              "Line integral (-log of the transmission) that is shown white. 3 suits a human thigh at the standard "
              "energies, 1 a cat's.")
              .above(0)
              .at_most(100),
          Parameter::real("blur", 1.0, "Standard deviation of the detector's Gaussian blur.")
              .unit("pixels")
              .at_least(0)
              .at_most(20),
          Parameter::real("photons", 0,
                          "Mean photons per pixel in the unattenuated beam, for quantum noise; 0 means no noise.")
              .at_least(0)
              .at_most(1e9),
      }};
}

Film::Film(const Parameters& film)
    : energies_(film.reals("energies")),
      minimum_(film.real("minimum")),
      maximum_(film.real("maximum")),
      photons_(film.real("photons")),
      kernel_(gaussian(film.real("blur"))) {
  if (maximum_ <= minimum_)
    throw Error(text("film.maximum must be above film.minimum; they are ", maximum_, " and ", minimum_));
  for (const double energy : energies_) {
    attenuation_.push_back(attenuation(energy));
    if (film.text("materials") == "bone") attenuation_.back().water = 0;
  }
}

void Film::expose(const MaterialImage& image, std::size_t energy, Random noise, std::uint8_t* pixels,
                  std::int64_t stride) const {
  const auto water = static_cast<float>(attenuation_[energy].water),
             bone = static_cast<float>(attenuation_[energy].bone);
  std::vector<float> integrals(static_cast<std::size_t>(image.rows * image.columns));
  for (std::size_t i = 0; i < integrals.size(); ++i) integrals[i] = water * image.water[i] + bone * image.bone[i];
  if (photons_ > 0) add_noise(integrals, noise);
  if (kernel_.size() > 1) blur(integrals, image.rows, image.columns);

  const auto scale = static_cast<float>(255 / (maximum_ - minimum_)), black = static_cast<float>(minimum_);
  for (std::int64_t row = 0; row < image.rows; ++row) {
    const float* from = integrals.data() + row * image.columns;
    std::uint8_t* to = pixels + row * stride;
    for (std::int64_t column = 0; column < image.columns; ++column)
      to[column] = static_cast<std::uint8_t>(std::clamp((from[column] - black) * scale, 0.0F, 255.0F) + 0.5F);
  }
}

/// Poisson noise of the photons that arrive, as a normal deviate of the same variance: within a few per cent of
/// Poisson's distribution above some twenty photons per pixel. Fewer than one photon counts as one.
void Film::add_noise(std::span<float> integrals, Random& random) const {
  for (float& integral : integrals) {
    const double expected = photons_ * std::exp(-static_cast<double>(integral));
    const double arrived = std::max(1.0, expected + std::sqrt(expected) * random.normal());
    integral = static_cast<float>(std::log(photons_ / arrived));
  }
}

/// Separable; beyond the border the outermost pixels repeat.
void Film::blur(std::vector<float>& integrals, std::int64_t rows, std::int64_t columns) const {
  const auto taps = static_cast<std::int64_t>(kernel_.size()), radius = taps / 2;
  std::vector<float> padded(static_cast<std::size_t>(columns + 2 * radius));
  for (std::int64_t row = 0; row < rows; ++row) {
    float* line = integrals.data() + row * columns;
    std::fill_n(padded.begin(), radius, line[0]);
    std::copy_n(line, columns, padded.begin() + radius);
    std::fill_n(padded.begin() + radius + columns, radius, line[columns - 1]);
    std::fill_n(line, columns, 0.0F);
    for (std::int64_t tap = 0; tap < taps; ++tap)
      add_scaled(line, padded.data() + tap, kernel_[static_cast<std::size_t>(tap)], columns);
  }
  const std::vector<float> across = integrals;
  std::fill(integrals.begin(), integrals.end(), 0.0F);
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      const std::int64_t from = std::clamp<std::int64_t>(row + tap - radius, 0, rows - 1);
      add_scaled(integrals.data() + row * columns, across.data() + from * columns,
                 kernel_[static_cast<std::size_t>(tap)], columns);
    }
}

}  // namespace osteon::imaging
