#pragma once

// Where a surface passes through itself.

#include <osteon/mesh.hpp>

#include <cstdint>

namespace osteon::pipeline {

struct Crossings {
  std::int64_t pairs = 0;  ///< of triangles without a common vertex, an edge of one of which passes through the other
  Vec3 place;              ///< a point of the first pair found, mm
};

/// Triangles that lie in one plane on top of each other are not noticed.
[[nodiscard]] Crossings self_crossings(const Mesh& mesh);

}  // namespace osteon::pipeline
