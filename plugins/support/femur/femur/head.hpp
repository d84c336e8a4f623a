#pragma once

// The femoral head as a sphere, whose centre is the hip's (Wu et al., "ISB recommendation on definitions of joint
// coordinate systems", J. Biomech. 35, 2002).

#include "femur/points.hpp"

#include <optional>

namespace osteon::femur {

struct Sphere {
  Vec3 centre;
  double radius = 0;
};

/// The sphere that fits most of the proximal fifth on the medial side of the shaft's line, with a radius of 3 to 9 % of
/// the bone's length: random samples of four points (Fischler & Bolles, Commun. ACM 24, 1981; always the same ones),
/// then least squares over the area within 4 % of the radius. The bone lies in its own frame (x medial, z proximal), or
/// within some 20° of it. Nothing where what fits covers less than a third of a sphere or lies on the shaft's line.
[[nodiscard]] std::optional<Sphere> find_head(std::span<const SurfacePoint> bone);

}  // namespace osteon::femur
