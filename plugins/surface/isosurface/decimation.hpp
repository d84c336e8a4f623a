#pragma once

// Fewer triangles for the same surface.

#include "marching_cubes.hpp"

namespace osteon::isosurface {

/// Collapses edges, cheapest first, until at most `triangles` are left or no edge can go. A closed surface stays
/// closed, with two triangles an edge; no triangle turns over.
[[nodiscard]] Triangulation decimated(const Triangulation& surface, std::int64_t triangles);

}  // namespace osteon::isosurface
