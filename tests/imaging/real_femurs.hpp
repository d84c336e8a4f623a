#pragma once

// Real human femurs (Fischer, Scientific Data 10, 763, 2023, doi 10.1038/s41597-023-02669-z), where they lie beside the
// source tree. Their licence keeps them out of it.

#include <osteon/mesh.hpp>

#include <ATen/Functions.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace osteon::test {

inline std::filesystem::path femur_folder() {
  return std::filesystem::path(OSTEON_SOURCE_DIR) / "../shared/data/vsd-femurs";
}

/// Reads the data set's binary PLY: float x, y, z; triangles as uchar 3 and three ints.
inline Mesh read_femur(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::int64_t vertices = 0, triangles = 0;
  for (std::string line; std::getline(in, line) && line != "end_header";) {
    std::istringstream words(line);
    std::string element, what;
    std::int64_t count = 0;
    if (words >> element >> what >> count && element == "element") (what == "vertex" ? vertices : triangles) = count;
  }
  Mesh mesh{at::empty({vertices, 3}, at::kFloat), at::empty({triangles, 3}, at::kInt)};
  in.read(static_cast<char*>(mesh.vertices.data_ptr()), vertices * 12);
  auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  char record[13];
  for (std::int64_t i = 0; i < triangles; ++i) {
    in.read(record, sizeof record);
    if (!in || record[0] != 3) throw std::runtime_error("cannot read " + file.string());
    std::memcpy(corner + 3 * i, record + 1, 12);
  }
  return mesh;
}

}  // namespace osteon::test
