#pragma once

// Fewer triangles for the same surface.

#include "marching_cubes.hpp"

namespace osteon::isosurface {

/// Collapses edges, cheapest first, until at most `triangles` are left or no edge can go. A closed surface stays
/// closed, with two triangles an edge; no triangle turns over. With a `tolerance` (mm, above 0) more than `triangles`
/// may be left: every point of the result lies within it of the original, and every point of the original of the
/// result.
[[nodiscard]] Triangulation decimated(const Triangulation& surface, std::int64_t triangles, double tolerance);

}  // namespace osteon::isosurface
