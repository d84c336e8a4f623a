#pragma once

// The zero surface of a function as a closed triangle mesh: naive surface nets (Gibson, "Constrained elastic surface
// nets", MICCAI 1998), the vertices then moved onto the surface along the gradient.

#include <osteon/mesh.hpp>

#include <functional>

namespace osteon::phantom {

/// `solid` is negative inside, about the signed distance in mm (it may be wrong by half, but never by its sign), and
/// positive on the boundary of `box`. Returns the largest piece of its zero surface, with cells of about `cell` mm;
/// closed, outward. Throws a failure when no closed surface was found.
[[nodiscard]] Mesh polygonise(const std::function<double(Vec3)>& solid, const Box& box, double cell);

}  // namespace osteon::phantom
