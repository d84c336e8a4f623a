#pragma once

// From line integrals of the basis materials to 8-bit images: attenuation at one energy or over a tube's spectrum,
// focal spot, scatter, quantum noise, detector blur, and one fixed mapping for a whole data set.
//
// In this order: the focal spot blurs the line integrals; Beer and Lambert's law gives what arrives of the beam, at one
// energy or as the sum of the photons' energies over a spectrum; scatter, if asked for, adds to it; photons are
// counted; the negative logarithm is taken, blurred by the detector, and mapped to grey values. Scatter is none by
// default.

#include "imaging/attenuation.hpp"
#include "imaging/spectrum.hpp"

#include <osteon/parameters.hpp>
#include <osteon/random.hpp>

#include <functional>
#include <span>
#include <vector>

namespace osteon::imaging {

/// [film]: beam, mapping, blur, noise, scatter.
[[nodiscard]] Schema film_schema();

/// One exposure's line integrals of the materials: mm, `rows` × `columns` each, row by row.
struct MaterialImage {
  const float* water = nullptr;
  const float* bone = nullptr;
  std::int64_t rows = 0, columns = 0;
};

class Film {
 public:
  /// `pixel_spacing`: mm at the isocentre, for what is measured in mm; `magnification` of the views (views.hpp), which
  /// the focal spot's blur grows with.
  explicit Film(const Parameters& film, double pixel_spacing = 1, double magnification = 1);

  /// keV of each image of a pose: the photons' energy, or their mean in a tube's spectrum.
  [[nodiscard]] const std::vector<double>& energies() const { return energies_; }

  /// The image at energy number `energy`, written row by row `stride` bytes apart. The grey value is
  /// round(255 · (p - minimum) / (maximum - minimum)), p being minus the logarithm of what arrives of the beam; 255
  /// minus that when bone is dark. `noise` is this image's own stream.
  void expose(const MaterialImage& image, std::size_t energy, Random noise, std::uint8_t* pixels,
              std::int64_t stride) const;

  /// The same at all energies, with what they share done once.
  void expose_all(const MaterialImage& image, const std::function<Random(std::size_t)>& noise,
                  const std::function<std::uint8_t*(std::size_t)>& pixels, std::int64_t stride) const;

  /// The mapping turned round: p in the middle of a grey value's interval. Of black and white pixels only a bound is
  /// known, which is what it returns.
  [[nodiscard]] double line_integral(std::uint8_t grey) const;

 private:
  void develop(const MaterialImage& image, std::size_t energy, Random& noise, std::uint8_t* pixels,
               std::int64_t stride) const;
  void add_scatter(std::vector<float>& transmitted, std::int64_t rows, std::int64_t columns) const;
  /// Nothing in the way is nonlinear: blur may come first, once for all energies.
  [[nodiscard]] bool linear() const { return tubes_.empty() && photons_ == 0 && scatter_ == 0; }

  std::vector<double> energies_;
  std::vector<Attenuation> attenuation_;  ///< of each energy; none with a tube
  std::vector<BeamTable> tubes_;          ///< of each voltage; none with single energies
  double minimum_, maximum_, photons_;
  double scatter_, scatter_sigma_;  ///< ratio, pixels
  bool bone_only_, bone_dark_;
  std::vector<float> before_;  ///< blur of the line integrals: the focal spot's, and the detector's where it is linear
  std::vector<float> after_;   ///< blur of what is left to the end; one entry for none
};

/// [film] at its first energy alone: energies of a pose show the same.
[[nodiscard]] Parameters first_energy(const Parameters& film);

/// Voxels above 3000 HU: metal, whose attenuation no mixture of water and bone describes.
inline constexpr int kMetalHounsfield = 3000;

}  // namespace osteon::imaging
