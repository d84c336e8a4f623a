// Counts the triangles of a surface from 1 when it writes them.
#include <osteon/files.hpp>
#include <osteon/format.hpp>

#include <ATen/Functions.h>

#include <fstream>
#include <sstream>

namespace broken {

class LosesATriangle final : public osteon::Format {
 public:
  explicit LosesATriangle(const osteon::Parameters& /*parameters*/) {}
  static osteon::Schema schema() { return {"A plugin for the tests of the contract suite", {}}; }
  [[nodiscard]] std::vector<std::string> endings() const override { return {".few"}; }

  void write_mesh(const osteon::Mesh& mesh, const std::filesystem::path& path) const override {
    std::ofstream out(path);
    out << mesh.vertices.size(0) << " " << mesh.triangles.size(0) - 1 << "\n";
    for (std::int64_t i = 0; i < mesh.vertices.numel(); ++i) out << mesh.vertices.data_ptr<float>()[i] << "\n";
    for (std::int64_t i = 3; i < mesh.triangles.numel(); ++i) out << mesh.triangles.data_ptr<std::int32_t>()[i] << "\n";
  }

  [[nodiscard]] osteon::Mesh read_mesh(const std::filesystem::path& path) const override {
    std::istringstream in(osteon::read_file(path));
    std::int64_t vertices = 0, triangles = 0;
    in >> vertices >> triangles;
    if (!in || vertices < 1 || triangles < 1 || vertices > 1000 || triangles > 1000)
      throw osteon::Error(path.string() + ": is no .few file");
    std::vector<float> points(static_cast<std::size_t>(3 * vertices));
    std::vector<std::int32_t> corners(static_cast<std::size_t>(3 * triangles));
    for (float& x : points) in >> x;
    for (std::int32_t& i : corners) in >> i;
    if (!in) throw osteon::Error(path.string() + ": is cut off");
    return {at::tensor(points, at::kFloat).view({-1, 3}), at::tensor(corners, at::kInt).view({-1, 3})};
  }
};

}  // namespace broken

OSTEON_PLUGIN(format, loses_a_triangle, "0.1.0", broken::LosesATriangle)
