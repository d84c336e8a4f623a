// format/open3d: surfaces as PLY, STL and OBJ.
//
// Reads binary and ASCII PLY, binary and ASCII STL (its coinciding vertices joined) and OBJ; writes binary PLY, binary
// STL and OBJ. Coordinates are millimetres. The three formats are those that Open3D (Zhou, Park & Koltun, 2018) and
// MeshLab exchange; what is read here is checked first, because a mesh file comes from outside. No parameters.
//
//     [format]
//     plugin = "open3d"

#include "open3d_support/mesh_files.hpp"

#include <osteon/format.hpp>

namespace osteon {

namespace {

class Open3dFormat : public Format {
 public:
  static Schema schema() { return {"Triangle surfaces as PLY, STL and OBJ files, in millimetres.", {}}; }

  explicit Open3dFormat(const Parameters&) {}

  [[nodiscard]] std::vector<std::string> endings() const override { return open3d_support::mesh_endings(); }
  [[nodiscard]] Mesh read_mesh(const std::filesystem::path& path) const override {
    return open3d_support::read_mesh(path);
  }
  void write_mesh(const Mesh& mesh, const std::filesystem::path& path) const override {
    open3d_support::write_mesh(mesh, path);
  }
};

}  // namespace

OSTEON_PLUGIN(format, open3d, "0.1.0", Open3dFormat)

}  // namespace osteon
