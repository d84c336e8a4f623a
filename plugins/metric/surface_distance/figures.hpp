#pragma once

// The tables of surface distances: each bone's rows and the means over bones.

#include "open3d_support/surfaces.hpp"

#include <osteon/metric.hpp>

#include <string>
#include <vector>

namespace osteon::surface_distance {

/// One prediction of one bone against the true surface, which is `a` of `distance`.
struct Measured {
  std::string bone, estimator;
  open3d_support::SurfaceDistance distance;
  double diagonal = 0;  ///< mm, of the true surface's bounding box
  double scale = 1;     ///< that the prediction was given
};

/// "rigid alignment", "similarity alignment (size removed)" or "no alignment".
std::string alignment_text(const std::string& alignment);

/// Per estimator, with more than one bone, the means over bones; and, if `each_bone` or there is only one, the rows of
/// each bone. Each in a table of mm and one of per cent, with rows for both directions together and each of them.
std::vector<MetricValue> figures(const std::vector<Measured>& measured, const std::string& alignment, bool each_bone);

}  // namespace osteon::surface_distance
