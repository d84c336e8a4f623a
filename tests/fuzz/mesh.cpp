// Surfaces as PLY, STL and OBJ: the first byte says as which the rest is read.

#include "harness.hpp"

#include "open3d_support/mesh_files.hpp"

namespace osteon::fuzz {
namespace {

std::string read_surface(std::string_view bytes) {
  if (bytes.empty()) return "no bytes";
  const char* const name = bytes[0] == 'p' ? "mesh.ply" : bytes[0] == 's' ? "mesh.stl" : "mesh.obj";
  const std::filesystem::path file = put(name, bytes.substr(1));
  return message_of([&] {
    const Mesh mesh = open3d_support::read_mesh(file);
    (void)enclosed_volume(mesh);
    (void)message_of([&] { require_closed(mesh, "mesh"); });
  });
}

const Registered kMesh("mesh", read_surface);

}  // namespace
}  // namespace osteon::fuzz
