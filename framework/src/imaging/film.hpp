#pragma once

// From line integrals of the basis materials to an 8-bit image at one energy: attenuation, quantum noise, detector
// blur, and one fixed mapping for a whole data set.

#include "imaging/attenuation.hpp"

#include <osteon/parameters.hpp>
#include <osteon/random.hpp>

#include <span>
#include <vector>

namespace osteon::imaging {

/// [film]: energies, mapping, blur, noise.
[[nodiscard]] Schema film_schema();

/// One exposure's line integrals of the materials: mm, `rows` × `columns` each, row by row.
struct MaterialImage {
  const float* water = nullptr;
  const float* bone = nullptr;
  std::int64_t rows = 0, columns = 0;
};

class Film {
 public:
  explicit Film(const Parameters& film);

  [[nodiscard]] const std::vector<double>& energies() const { return energies_; }

  /// The image at energy number `energy`, written row by row `stride` bytes apart. The grey value is
  /// round(255 · (p - minimum) / (maximum - minimum)), p = Σ µ·length being the total line integral; it can be turned round
  /// but for black and white pixels. `noise` is this image's own stream.
  void expose(const MaterialImage& image, std::size_t energy, Random noise, std::uint8_t* pixels,
              std::int64_t stride) const;

 private:
  void add_noise(std::span<float> integrals, Random& random) const;
  void blur(std::vector<float>& integrals, std::int64_t rows, std::int64_t columns) const;

  std::vector<double> energies_;
  std::vector<Attenuation> attenuation_;
  double minimum_;
  double maximum_, photons_;
  std::vector<float> kernel_;  ///< of the blur, odd, sum 1; one entry for none
};

}  // namespace osteon::imaging
