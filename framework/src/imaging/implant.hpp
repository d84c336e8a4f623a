#pragma once

// Metal in or on a femur: an intramedullary rod, a lateral plate, a hip stem. Shapes with the size of the real ones,
// not any maker's design.

#include "imaging/shaft.hpp"

#include <osteon/parameters.hpp>

#include <string>

namespace osteon::imaging {

/// Where an implant's metal is, in the bone's own coordinates.
class Implant {
 public:
  /// Throws `Error` for a hip stem in a bone without a head.
  Implant(const Mask& solid, const Grid& grid, const Shaft& shaft, const BoneFrame& frame, const Parameters& perturb);

  [[nodiscard]] bool contains(Vec3 own) const;
  [[nodiscard]] Vec3 low() const { return low_; }  ///< of the box around it
  [[nodiscard]] Vec3 high() const { return high_; }
  [[nodiscard]] double hounsfield() const { return hounsfield_; }

 private:
  /// A straight piece from `from` to `to`, whose half width and depth change evenly.
  struct Piece {
    Vec3 from, to;
    double first_radius = 0, last_radius = 0;  ///< round
    double half_width = 0;                     ///< flat, when above 0: along the anterior direction
  };

  void add(const Piece& piece);
  void add_stem(const Shaft& shaft, const BoneFrame& frame, double diameter, double length);

  std::vector<Piece> pieces_;
  Vec3 ball_{};
  double ball_radius_ = 0;
  Vec3 low_{1e9, 1e9, 1e9}, high_{-1e9, -1e9, -1e9};
  double hounsfield_;
};

/// Puts the implant into the volume; a voxel that it fills in part gets a part of its value.
void put_implant(Volume& volume, const Implant& implant, const Shaft& shaft);

}  // namespace osteon::imaging
