#pragma once

// What the tests of metric/pairwise_separation share.

#include "scene.hpp"

namespace osteon {

inline constexpr const char* kSeparation = "pairwise_separation";
inline constexpr const char* kKinds = "pairs told apart, all angles and energies, never trained on";

inline ImageRow row_at(double axial, double in_plane, double energy, double tilt = 0) {
  ImageRow row;
  row.axial = row.ml_axial = axial;
  row.in_plane = row.ml_in_plane = in_plane;
  row.tilt = row.ml_tilt = tilt;
  row.energy = energy;
  return row;
}

/// `people` people with both femurs, each with `each` gallery and query images anywhere on a sphere of 5 dimensions,
/// drawn `spread` around a place of their bone.
inline Evidence::Contents cloud(int people, int each, double spread, std::uint64_t seed, bool held_out = true) {
  Random random(seed, "cloud");
  Scene scene;
  scene.contents.margin = 0.3;
  scene.contents.seed = seed;
  for (int b = 0; b < 2 * people; ++b) {
    const auto bone = scene.bone(held_out, text("person ", b / 2));
    double centre[5];
    for (double& c : centre) c = random.normal();
    for (int i = 0; i < 2 * each; ++i) {
      std::vector<double> at;
      double squares = 0;
      for (const double c : centre) {
        at.push_back(c + spread * random.normal());
        squares += at.back() * at.back();
      }
      for (double& x : at) x /= std::sqrt(squares);
      scene.image(bone, i < each ? Role::gallery : Role::query, at,
                  row_at(random.uniform(-10, 10), random.uniform(-10, 10), i % 2 == 0 ? 140 : 150));
    }
  }
  return scene.finished();
}

}  // namespace osteon
