// Reading and writing of surfaces as whole files; the formats themselves are in mesh_parsing.cpp and ply.cpp.

#include "open3d_support/mesh_files.hpp"
#include "mesh_parsing.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <bit>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <limits>

namespace osteon::open3d_support {

static_assert(std::endian::native == std::endian::little, "binary PLY and STL are written in the machine's byte order");

namespace {

namespace fs = std::filesystem;

std::string ending_of(const fs::path& file) {
  std::string ending = file.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto known = mesh_endings();
  if (std::find(known.begin(), known.end(), ending) == known.end())
    throw Error(text(file.string(), ": meshes are read and written as .ply, .stl or .obj, not as \"", ending,
                     "\"; convert the file, for example with MeshLab"));
  return ending;
}

/// Drops triangles with a repeated corner and vertices that no triangle uses.
Mesh compacted(const SurfaceBuilder& surface) {
  const auto& corners = surface.triangles();
  std::vector<std::int32_t> kept, place(static_cast<std::size_t>(surface.vertex_count()), -1);
  kept.reserve(corners.size());
  for (std::size_t t = 0; t + 2 < corners.size(); t += 3) {
    for (std::size_t k = t; k < t + 3; ++k)
      if (corners[k] < 0 || corners[k] >= surface.vertex_count())
        throw Error(text("a face names vertex ", corners[k], ", but the file has ", surface.vertex_count(),
                         ", counted from 0"));
    if (corners[t] == corners[t + 1] || corners[t + 1] == corners[t + 2] || corners[t + 2] == corners[t]) continue;
    for (std::size_t k = t; k < t + 3; ++k) {
      kept.push_back(static_cast<std::int32_t>(corners[k]));
      place[static_cast<std::size_t>(corners[k])] = 0;
    }
  }
  if (kept.empty()) throw Error("it has no triangles");
  std::int32_t used = 0;
  for (std::int32_t& p : place)
    if (p == 0) p = used++;
  Mesh mesh{at::empty({used, 3}, at::kFloat), at::empty({static_cast<std::int64_t>(kept.size() / 3), 3}, at::kInt)};
  auto* vertex = mesh.vertices.data_ptr<float>();
  for (std::size_t i = 0; i < place.size(); ++i)
    if (place[i] >= 0) std::copy_n(surface.vertices().data() + 3 * i, 3, vertex + 3 * place[i]);
  std::transform(kept.begin(), kept.end(), mesh.triangles.data_ptr<std::int32_t>(),
                 [&](std::int32_t corner) { return place[static_cast<std::size_t>(corner)]; });
  return mesh;
}

void append(std::string& bytes, const void* data, std::size_t size) {
  bytes.append(static_cast<const char*>(data), size);
}

std::string ply_bytes(const Mesh& mesh) {
  std::string bytes =
      text("ply\nformat binary_little_endian 1.0\ncomment millimetres\nelement vertex ", mesh.vertices.size(0),
           "\nproperty float x\nproperty float y\nproperty float z\nelement face ", mesh.triangles.size(0),
           "\nproperty list uchar int vertex_indices\nend_header\n");
  append(bytes, mesh.vertices.data_ptr<float>(), static_cast<std::size_t>(mesh.vertices.numel()) * sizeof(float));
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < mesh.triangles.size(0); ++i) {
    bytes.push_back(3);
    append(bytes, corner + 3 * i, 3 * sizeof *corner);
  }
  return bytes;
}

Vec3 point(const float* p) { return {p[0], p[1], p[2]}; }

std::string stl_bytes(const Mesh& mesh) {
  if (mesh.triangles.size(0) > std::numeric_limits<std::uint32_t>::max()) throw Error("STL counts in 32 bits");
  std::string bytes(80, ' ');
  const auto count = static_cast<std::uint32_t>(mesh.triangles.size(0));
  append(bytes, &count, sizeof count);
  const auto* vertex = mesh.vertices.data_ptr<float>();
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < mesh.triangles.size(0); ++i, corner += 3) {
    const float* p[3] = {vertex + 3 * corner[0], vertex + 3 * corner[1], vertex + 3 * corner[2]};
    Vec3 normal = cross(point(p[1]) - point(p[0]), point(p[2]) - point(p[0]));
    if (norm(normal) > 0) normal = normalised(normal);
    const float n[3] = {static_cast<float>(normal.x), static_cast<float>(normal.y), static_cast<float>(normal.z)};
    append(bytes, n, sizeof n);
    for (const float* q : p) append(bytes, q, 3 * sizeof *q);
    bytes.append(2, '\0');
  }
  return bytes;
}

std::string obj_bytes(const Mesh& mesh) {
  std::string bytes = "# millimetres\n";
  char number[64];
  const auto add = [&](auto value) {
    bytes.push_back(' ');
    bytes.append(number, std::to_chars(number, number + sizeof number, value).ptr);
  };
  const auto* vertex = mesh.vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < mesh.vertices.size(0); ++i) {
    bytes += 'v';
    for (int axis = 0; axis < 3; ++axis) add(vertex[3 * i + axis]);
    bytes += '\n';
  }
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < mesh.triangles.size(0); ++i) {
    bytes += 'f';
    for (int k = 0; k < 3; ++k) add(std::int64_t{corner[3 * i + k]} + 1);
    bytes += '\n';
  }
  return bytes;
}

Mesh parsed(const std::string& ending, std::string_view bytes) {
  if (bytes.empty()) throw Error("the file is empty");
  SurfaceBuilder surface;
  if (ending == ".ply") parse_ply(bytes, surface);
  if (ending == ".stl") parse_stl(bytes, surface);
  if (ending == ".obj") parse_obj(bytes, surface);
  Mesh mesh = compacted(surface);
  mesh.check();
  return mesh;
}

}  // namespace

std::vector<std::string> mesh_endings() { return {".ply", ".stl", ".obj"}; }

Mesh read_mesh(const fs::path& file) {
  const std::string ending = ending_of(file);
  std::error_code problem;
  if (!fs::exists(file, problem)) throw Error(text(file.string(), ": there is no such file; check the path"));
  if (fs::is_directory(file, problem)) throw Error(text(file.string(), ": this is a folder; name a mesh file in it"));
  const std::string bytes = read_file(file);
  try {
    return parsed(ending, bytes);
  } catch (const Error& error) {
    throw Error(text(file.string(), ": ", error.what(), "; export the surface again, as PLY, STL or OBJ"));
  }
}

void write_mesh(const Mesh& mesh, const fs::path& file) {
  const std::string ending = ending_of(file);
  try {
    mesh.check();
  } catch (const Error& error) {
    throw error.within(file.string());
  }
  write_file(file, ending == ".ply" ? ply_bytes(mesh) : ending == ".stl" ? stl_bytes(mesh) : obj_bytes(mesh));
}

}  // namespace osteon::open3d_support
