#pragma once

// Fewer vertices for a picture that is turned: those in one cell of a grid become one, at their mean (Rossignac and
// Borrel, "Multi-resolution 3D approximations for rendering complex scenes", 1993). Figures are never made from it.

#include <osteon/mesh.hpp>

#include <vector>

namespace osteon::report {

struct Simplified {
  Mesh mesh;
  std::vector<float> values;  ///< of each vertex: the mean over its cell's finite ones; NaN where it has none
};

/// At most `most` vertices (at least 8); the mesh itself where it has no more. `values`, one a vertex or none, go
/// along.
[[nodiscard]] Simplified simplified(const Mesh& mesh, const std::vector<float>& values, std::int64_t most);

}  // namespace osteon::report
