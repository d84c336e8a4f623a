#pragma once

// Measures of a femur that surgeons and anatomists name, found in its surface alone. The bone lies in its own frame (x
// medial, y anterior, z proximal), or within some 20° of it: the frame says only which end and which side is which, the
// measures don't change when the bone is turned.
//
//   head            its sphere (`find_head`); the centre is the hip's (Wu et al., J. Biomech. 35, 2002)
//   length          the greatest distance of two points, one at each end (Martin's no. 1: Martin & Saller,
//                   "Lehrbuch der Anthropologie", 1957)
//   shaft's axis    the line through the centroids of cross-sections at 30 to 70 % of the length, in least squares
//   neck's axis     from the centroid of the neck's narrowest cross-section, across that axis, to the head's centre
//   neck–shaft      the angle between the neck's axis and the shaft's, in space; about 125° in adults
//   anteversion     the angle between the neck's axis and the line that both condyles touch from behind, in the plane
//                   across the shaft; positive where the neck points forwards of that line (Murphy et al., "Femoral
//                   anteversion", J. Bone Joint Surg. Am. 69, 1987, with the neck's axis in place of the line from the
//                   head's centre to the neck's base)

#include "femur/head.hpp"

#include <limits>

namespace osteon::femur {

struct Morphometry {
  static constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

  std::optional<Sphere> head;       ///< mm
  double length = kUndefined;       ///< mm
  double neck_shaft = kUndefined;   ///< degrees
  double anteversion = kUndefined;  ///< degrees
};

/// Of a sound, closed surface. What cannot be found is undefined.
[[nodiscard]] Morphometry measured(const Mesh& bone);

}  // namespace osteon::femur
