#pragma once

// Which part of a femur a point of its surface belongs to. The bone lies in its own frame (z proximal). Of its extent
// along z the proximal 20 % and the distal 15 % are its ends, the rest is the shaft: on a human femur the lesser
// trochanter and the flare of the condyles end there. The head are the proximal points within 1.1 radii of the centre
// of its sphere; what is left of the proximal end is the neck with the trochanters.

#include "femur/head.hpp"

#include <array>

namespace osteon::femur {

enum class Region { head, neck_and_trochanters, shaft, condyles };
inline constexpr std::size_t kRegions = 4;
inline constexpr std::array<const char*, kRegions> kRegionNames = {"head", "neck and trochanters", "shaft", "condyles"};

class Regions {
 public:
  explicit Regions(const Mesh& bone);

  /// Nothing for points of the proximal end where no head was found: what is head and what neck is not known then.
  [[nodiscard]] std::optional<Region> of(Vec3 point) const;

 private:
  Reach along_;
  std::optional<Sphere> head_;
};

}  // namespace osteon::femur
