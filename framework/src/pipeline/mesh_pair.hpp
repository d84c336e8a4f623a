#pragma once

// Two surfaces from files, checked before they are compared: one closed piece each, in millimetres.

#include "host/registry.hpp"

#include <osteon/mesh.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace osteon::pipeline {

/// Names of units that a mesh file may be in: "mm", "cm", "m", "inch", "um".
[[nodiscard]] std::vector<std::string> mesh_units();

/// Triangles of each connected piece of a surface, the largest first.
[[nodiscard]] std::vector<std::int64_t> piece_sizes(const Mesh& mesh);

/// Reads a surface with the first format plugin that knows its ending. Throws `Error` for a missing file, an ending
/// that no format knows, and what the format complains of.
[[nodiscard]] Mesh read_mesh(host::Registry& registry, const std::filesystem::path& file);

/// The surface in mm. `unit` is the file's; "" means millimetres that are to be plausible for a long bone. Throws
/// `Error`, naming `what`, the finding and the remedy, for a surface that is open, turned inside out, in several
/// pieces, or of a size that another unit explains.
[[nodiscard]] Mesh checked_bone(const Mesh& mesh, const std::string& unit, const std::string& what);

/// "35,516".
[[nodiscard]] std::string thousands(std::int64_t n);

}  // namespace osteon::pipeline
