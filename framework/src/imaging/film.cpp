#include "imaging/film.hpp"

#include "imaging/kernels.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>

namespace osteon::imaging {

namespace {

using Choices = std::vector<std::string>;

/// Photons that arrive when `expected` do on average: Poisson's distribution by inversion below 30; above, the normal
/// one of the same mean and variance, which is then within two per cent of it.
double arrivals(double expected, Random& random) {
  if (expected >= 30) return std::max(0.0, expected + std::sqrt(expected) * random.normal());
  double share = std::exp(-expected), sum = share;
  const double drawn = random.uniform();
  int count = 0;
  while (drawn >= sum && count < 200) {
    ++count;
    share *= expected / count;
    sum += share;
  }
  return count;
}

/// Standard deviation, in pixels, of the shadow's blur by a focal spot: seen through a point of the object a square of
/// width f is f·(m - 1) wide on the detector, which is f·(m - 1)/m at the object; a uniform width has 1/√12 of it.
double focal_spot_sigma(const Parameters& film, double pixel_spacing, double magnification) {
  return film.real("focal_spot") * (magnification - 1) / magnification / std::sqrt(12.0) / pixel_spacing;
}

/// Both materials blurred; the water may be left out.
struct Softened {
  Softened(const MaterialImage& sharp, std::span<const float> kernel, bool bone_only) : image(sharp) {
    const bool blurs = kernel.size() > 1;
    if (!blurs && !bone_only) return;
    const auto count = static_cast<std::size_t>(sharp.rows * sharp.columns);
    values.resize(2 * count, 0.0F);
    image.water = values.data();
    if (!bone_only) blur(sharp.water, values.data(), sharp.rows, sharp.columns, kernel);
    if (!blurs) return;
    blur(sharp.bone, values.data() + count, sharp.rows, sharp.columns, kernel);
    image.bone = values.data() + count;
  }
  Softened(const Softened&) = delete;
  Softened& operator=(const Softened&) = delete;

  std::vector<float> values;
  MaterialImage image;
};

std::vector<Parameter> beam_parameters() {
  return {
      Parameter::text("spectrum", "mono", "mono takes one energy an image, tube the spectrum of an X-ray tube.")
          .one_of(Choices{"mono", "tube"}),
      Parameter::reals("energies", {140, 146, 152, 158},
                       "Photon energies of mono; each pose is shown at each of them (the study's: 140 to 158).")
          .unit("keV")
          .at_least(kLowestEnergy)
          .at_most(kHighestEnergy)
          .length_at_least(1),
      Parameter::reals("kilovolts", {60},
                       "Voltages of tube; each pose is shown at each of them (50 to 60 for cats, 70 to 80 for human "
                       "limbs). The index then gives the mean energy of the beam's photons.")
          .unit("kV")
          .at_least(kLowestVoltage)
          .at_most(kHighestVoltage)
          .length_at_least(1),
      Parameter::real("filtration", 2.5, "Aluminium between the tube's anode and the patient, all of it.")
          .unit("mm")
          .at_least(0.5)
          .at_most(30),
  };
}

std::vector<Parameter> image_parameters() {
  return {
      Parameter::text(
          "materials", "all",
          "all is an ordinary X-ray; bone leaves the water part out, as dual-energy subtraction does and as "
          "the study's images look, which show no soft tissue.")
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
      Parameter::text("polarity", "bone_bright", "bone_dark turns the grey values round, as on a negative.")
          .one_of(Choices{"bone_bright", "bone_dark"}),
      Parameter::real("blur", 1.0, "Standard deviation of the detector's Gaussian blur.")
          .unit("pixels")
          .at_least(0)
          .at_most(20),
      Parameter::real(
          "focal_spot", 0,
          "Width of the focal spot, whose shadow's blur grows with the magnification of the views; 0 is a point.")
          .unit("mm")
          .at_least(0)
          .at_most(5),
      Parameter::real("photons", 0,
                      "Mean photons per pixel in the unattenuated beam, for quantum noise; 0 means no noise.")
          .at_least(0)
          .at_most(1e9),
      Parameter::real("scatter", 0,
                      "Scatter-to-primary ratio, averaged over the pixels of the shadow; 0 is none, the default.")
          .at_least(0)
          .at_most(10),
      Parameter::real("scatter_width", 40, "Standard deviation of the smooth field that scatter forms.")
          .unit("mm")
          .at_least(1)
          .at_most(500),
  };
}

}  // namespace

Schema film_schema() {
  Schema schema{
      "From line integrals to 8-bit images: attenuation from NIST tables (Hubbell and Seltzer, NISTIR 5632), "
      "spectra, noise, blur and one fixed mapping.",
      beam_parameters()};
  for (Parameter& parameter : image_parameters()) schema.parameters.push_back(std::move(parameter));
  return schema;
}

Film::Film(const Parameters& film, double pixel_spacing, double magnification)
    : minimum_(film.real("minimum")),
      maximum_(film.real("maximum")),
      photons_(film.real("photons")),
      scatter_(film.real("scatter")),
      scatter_sigma_(film.real("scatter_width") / pixel_spacing),
      bone_only_(film.text("materials") == "bone"),
      bone_dark_(film.text("polarity") == "bone_dark") {
  if (maximum_ <= minimum_)
    throw Error(text("film.maximum must be above film.minimum; they are ", maximum_, " and ", minimum_));
  if (film.text("spectrum") == "tube") {
    for (const double kilovolts : film.reals("kilovolts")) {
      const Spectrum spectrum = tube_spectrum(kilovolts, film.real("filtration"));
      energies_.push_back(spectrum.mean_energy());
      tubes_.emplace_back(spectrum);
    }
  } else {
    energies_ = film.reals("energies");
    for (const double energy : energies_) attenuation_.push_back(attenuation(energy));
  }
  const double spot = focal_spot_sigma(film, pixel_spacing, magnification), detector = film.real("blur");
  before_ = gaussian(linear() ? std::hypot(spot, detector) : spot);
  after_ = gaussian(linear() ? 0 : detector);
}

void Film::expose(const MaterialImage& image, std::size_t energy, Random noise, std::uint8_t* pixels,
                  std::int64_t stride) const {
  const Softened softened(image, before_, bone_only_);
  develop(softened.image, energy, noise, pixels, stride);
}

void Film::expose_all(const MaterialImage& image, const std::function<Random(std::size_t)>& noise,
                      const std::function<std::uint8_t*(std::size_t)>& pixels, std::int64_t stride) const {
  const Softened softened(image, before_, bone_only_);
  for (std::size_t energy = 0; energy < energies_.size(); ++energy) {
    Random random = noise(energy);
    develop(softened.image, energy, random, pixels(energy), stride);
  }
}

void Film::develop(const MaterialImage& image, std::size_t energy, Random& noise, std::uint8_t* pixels,
                   std::int64_t stride) const {
  const double sign = bone_dark_ ? -1 : 1, scale = sign * 255 / (maximum_ - minimum_);
  const auto offset = static_cast<float>((bone_dark_ ? 255 : 0) - scale * minimum_);
  if (linear()) {
    const auto water = static_cast<float>(scale * attenuation_[energy].water);
    const auto bone = static_cast<float>(scale * attenuation_[energy].bone);
    for (std::int64_t row = 0; row < image.rows; ++row)
      mix_to_grey(image.water + row * image.columns, image.bone + row * image.columns, water, bone, offset,
                  pixels + row * stride, image.columns);
    return;
  }
  const auto count = static_cast<std::size_t>(image.rows * image.columns);
  std::vector<float> transmitted(count), quanta(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (tubes_.empty()) {
      const Attenuation& at = attenuation_[energy];
      transmitted[i] = quanta[i] = static_cast<float>(std::exp(-at.water * image.water[i] - at.bone * image.bone[i]));
    } else {
      const BeamTable::Seen seen = tubes_[energy].behind(image.water[i], image.bone[i]);
      transmitted[i] = std::exp(-seen.line_integral);
      quanta[i] = seen.quanta;
    }
  }
  if (scatter_ > 0) {
    const std::vector<float> direct = transmitted;
    add_scatter(transmitted, image.rows, image.columns);
    for (std::size_t i = 0; i < count; ++i) quanta[i] *= direct[i] > 0 ? transmitted[i] / direct[i] : 1.0F;
  }
  // One quantum is the least that can be told from none.
  std::vector<float> integrals(count);
  for (std::size_t i = 0; i < count; ++i) {
    double arrived = transmitted[i];
    if (photons_ > 0) {
      const double expected = std::max(photons_ * static_cast<double>(quanta[i]), 1e-30);
      arrived *= std::max(1.0, arrivals(expected, noise)) / expected;
    }
    integrals[i] = static_cast<float>(-std::log(std::max(arrived, 1e-37)));
  }
  if (after_.size() > 1) blur(integrals.data(), integrals.data(), image.rows, image.columns, after_);
  const std::vector<float> none(static_cast<std::size_t>(image.columns), 0.0F);
  for (std::int64_t row = 0; row < image.rows; ++row)
    mix_to_grey(integrals.data() + row * image.columns, none.data(), static_cast<float>(scale), 0, offset,
                pixels + row * stride, image.columns);
}

/// What was taken out of the direct beam is scattered: the field is the absorbed share, blurred widely, and scaled so
/// that its ratio to what arrives directly is `scatter_` on average over the shadow's pixels. Outside the shadow it
/// fades; a beam that meets nothing has none.
void Film::add_scatter(std::vector<float>& transmitted, std::int64_t rows, std::int64_t columns) const {
  constexpr float kShadow = 0.99F;  // of the open beam
  // The field is smooth: a grid with four nodes a standard deviation holds it.
  const auto cell = std::max<std::int64_t>(1, static_cast<std::int64_t>(scatter_sigma_ / 4));
  const std::int64_t down = (rows + cell - 1) / cell, across = (columns + cell - 1) / cell;
  std::vector<float> field(static_cast<std::size_t>(down * across), 0.0F);
  std::vector<float> counts(field.size(), 0.0F);
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column) {
      const auto to = static_cast<std::size_t>(row / cell * across + column / cell);
      field[to] += 1 - transmitted[static_cast<std::size_t>(row * columns + column)];
      counts[to] += 1;
    }
  for (std::size_t i = 0; i < field.size(); ++i) field[i] /= counts[i];
  blur(field.data(), field.data(), down, across, gaussian(scatter_sigma_ / static_cast<double>(cell)));

  const auto at = [&](std::int64_t row, std::int64_t column) {
    const auto place = [cell](std::int64_t pixel, std::int64_t nodes) {
      const double p = std::clamp((static_cast<double>(pixel) + 0.5) / static_cast<double>(cell) - 0.5, 0.0,
                                  static_cast<double>(nodes - 1));
      const auto low = std::min(static_cast<std::int64_t>(p), std::max<std::int64_t>(nodes - 2, 0));
      return std::pair(low, static_cast<float>(p - static_cast<double>(low)));
    };
    const auto [r, r_part] = place(row, down);
    const auto [c, c_part] = place(column, across);
    const auto value = [&](std::int64_t i, std::int64_t j) {
      return field[static_cast<std::size_t>(std::min(i, down - 1) * across + std::min(j, across - 1))];
    };
    const float above = value(r, c) + c_part * (value(r, c + 1) - value(r, c));
    const float below = value(r + 1, c) + c_part * (value(r + 1, c + 1) - value(r + 1, c));
    return above + r_part * (below - above);
  };
  std::vector<float> scattered(transmitted.size());
  double pixels = 0, ratios = 0;
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column) {
      const auto i = static_cast<std::size_t>(row * columns + column);
      scattered[i] = at(row, column);
      if (transmitted[i] >= kShadow) continue;
      pixels += 1;
      ratios += scattered[i] / std::max(transmitted[i], 1e-30F);
    }
  if (!(ratios > 0)) return;
  const auto factor = static_cast<float>(scatter_ * pixels / ratios);
  for (std::size_t i = 0; i < scattered.size(); ++i) transmitted[i] += factor * scattered[i];
}

double Film::line_integral(std::uint8_t grey) const {
  return minimum_ + (bone_dark_ ? 255 - grey : grey) / 255.0 * (maximum_ - minimum_);
}

Parameters first_energy(const Parameters& film) {
  auto values = film.values();
  values["energies"] = std::vector<double>{film.reals("energies").front()};
  return {film_schema(), values};
}

}  // namespace osteon::imaging
