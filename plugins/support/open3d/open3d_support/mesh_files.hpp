#pragma once

// Surfaces in files: PLY (ASCII, little and big endian), STL (binary and ASCII) and OBJ.
//
// The readers are the project's own, because a mesh file comes from outside: Open3D 0.16 ends the process with a
// segmentation fault on a PLY polygon that names a vertex which does not exist, takes a corner that isn't there from
// uninitialised memory, and drops the quadrilaterals of an OBJ file.

#include <osteon/mesh.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace osteon::open3d_support {

/// File name endings that `read_mesh` and `write_mesh` know: ".ply", ".stl", ".obj".
std::vector<std::string> mesh_endings();

/// Reads a triangle surface; its coordinates are taken as millimetres. Polygons become fans of triangles, vertices of
/// STL files that coincide exactly become one, triangles with a repeated corner and vertices of no triangle are
/// dropped. Throws `Error`, naming the file and the remedy, when it is missing, truncated, empty or holds what is no
/// number.
Mesh read_mesh(const std::filesystem::path& file);

/// Writes binary PLY, binary STL or OBJ, by the file's ending, under a temporary name that is renamed when complete.
/// Float32 coordinates survive the three formats unchanged.
void write_mesh(const Mesh& mesh, const std::filesystem::path& file);

}  // namespace osteon::open3d_support
