#pragma once

// A smooth random function of space: a sum of plane waves with random directions and phases, a finite sample of a
// stationary Gaussian process (the spectral method; Shinozuka & Deodatis, Appl. Mech. Rev. 44, 1991). It needs no grid,
// so that it means the same on any mesh and any volume.

#include <osteon/geometry.hpp>
#include <osteon/random.hpp>

#include <vector>

namespace osteon::voxeliser {

class SmoothField {
 public:
  /// `deviation`: standard deviation of the values; wavelengths are uniform in wave number between `longest` and
  /// `shortest` (mm).
  SmoothField(Random& random, double deviation, double shortest, double longest, int waves = 24) {
    const double low = 2 * std::numbers::pi / longest, high = 2 * std::numbers::pi / shortest;
    const double amplitude = deviation * std::sqrt(2.0 / waves);
    waves_.reserve(static_cast<std::size_t>(waves));
    for (int i = 0; i < waves; ++i) {
      const double number = random.uniform(low, high), z = random.uniform(-1, 1);
      const double azimuth = random.uniform(0, 2 * std::numbers::pi), r = std::sqrt(1 - z * z);
      const double phase = random.uniform(0, 2 * std::numbers::pi);
      waves_.push_back({static_cast<float>(number * r * std::cos(azimuth)),
                        static_cast<float>(number * r * std::sin(azimuth)), static_cast<float>(number * z),
                        static_cast<float>(phase), static_cast<float>(amplitude)});
    }
  }

  [[nodiscard]] float operator()(float x, float y, float z) const {
    float sum = 0;
    for (const Wave& w : waves_) sum += w.amplitude * std::cos(w.x * x + w.y * y + w.z * z + w.phase);
    return sum;
  }
  [[nodiscard]] double operator()(Vec3 p) const {
    return (*this)(static_cast<float>(p.x), static_cast<float>(p.y), static_cast<float>(p.z));
  }

 private:
  struct Wave {
    float x, y, z, phase, amplitude;
  };
  std::vector<Wave> waves_;
};

}  // namespace osteon::voxeliser
