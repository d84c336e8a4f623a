#include "pipeline/mesh_pair.hpp"

#include "host/handles.hpp"
#include "pipeline/words.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <numeric>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;

// Diagonals of long bones' bounding boxes, mm: from a child's forearm to the longest femurs.
constexpr double kShortest = 150, kLongest = 650;

struct Unit {
  const char *name, *plural;
  double millimetres;
};
constexpr Unit kUnits[] = {{"mm", "millimetres", 1},
                           {"cm", "centimetres", 10},
                           {"m", "metres", 1000},
                           {"inch", "inches", 25.4},
                           {"um", "micrometres", 1e-3}};

bool plausible(double millimetres) { return millimetres >= kShortest && millimetres <= kLongest; }

std::string rounded(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.3g", value);
  return digits;
}

/// Refuses a surface whose size is no long bone's as it is and is one's in another unit.
void require_plausible(const Mesh& mesh, const std::string& what) {
  const double diagonal = bounding_box(mesh).diagonal();
  if (plausible(diagonal)) return;
  std::string others, options;
  for (const Unit& unit : kUnits) {
    const double millimetres = diagonal * unit.millimetres;
    if (!plausible(millimetres)) continue;
    others += text(others.empty() ? "" : " and ", std::lround(millimetres), " mm if the file is in ", unit.plural);
    options += text("--unit ", unit.name, ", ");
  }
  if (others.empty()) return;
  throw Error(text(what, ": the surface's bounding box has a diagonal of ", rounded(diagonal), ", where ", kShortest,
                   " to ", kLongest, " mm are expected of a long bone; it would be ", others, ": say so with ", options,
                   "or --unit mm to compare it as it is"));
}

}  // namespace

std::vector<std::string> mesh_units() {
  std::vector<std::string> names;
  for (const Unit& unit : kUnits) names.emplace_back(unit.name);
  return names;
}

std::string thousands(std::int64_t n) {
  std::string digits = std::to_string(n);
  for (auto at = std::ssize(digits) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), 1, ',');
  return digits;
}

std::vector<std::int64_t> piece_sizes(const Mesh& mesh) {
  std::vector<std::int32_t> leader(static_cast<std::size_t>(mesh.vertices.size(0)));
  std::iota(leader.begin(), leader.end(), 0);
  const auto find = [&](std::int32_t vertex) {
    while (leader[static_cast<std::size_t>(vertex)] != vertex) {
      std::int32_t& up = leader[static_cast<std::size_t>(vertex)];
      vertex = up = leader[static_cast<std::size_t>(up)];
    }
    return vertex;
  };
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < mesh.triangles.numel(); i += 3)
    for (const std::int64_t k : {i + 1, i + 2}) leader[static_cast<std::size_t>(find(corner[k]))] = find(corner[i]);
  std::map<std::int32_t, std::int64_t> count;
  for (std::int64_t i = 0; i < mesh.triangles.numel(); i += 3) ++count[find(corner[i])];
  std::vector<std::int64_t> sizes;
  for (const auto& [piece, triangles] : count) sizes.push_back(triangles);
  std::ranges::sort(sizes, std::ranges::greater{});
  return sizes;
}

Mesh read_mesh(host::Registry& registry, const fs::path& file) {
  std::error_code problem;
  if (!fs::is_regular_file(file, problem))
    throw Error(text(file.string(), ": ", fs::exists(file, problem) ? "this is no file" : "there is no such file",
                     "; name a mesh file"));
  const std::string name = lower_case(file.filename().string());
  std::string known;
  for (const host::FoundPlugin& found : registry.list("format")) {
    if (!found.problem.empty()) continue;
    const host::LoadedPlugin& plugin = registry.find(found.kind, found.name);
    const host::FormatHandle format(plugin, Parameters(plugin.schema, {}));
    for (const std::string& ending : format.endings()) {
      if (name.size() > ending.size() && name.ends_with(ending)) return format.read_mesh(file);
      known += (known.empty() ? "" : ", ") + ending;
    }
  }
  throw Error(text(file.string(), ": no installed format plugin knows this ending; ",
                   known.empty() ? "there is none (osteon plugins lists what is installed)" : "there are: " + known));
}

Mesh checked_bone(const Mesh& mesh, const std::string& unit, const std::string& what) {
  require_closed(mesh, what);
  if (const std::vector<std::int64_t> pieces = piece_sizes(mesh); pieces.size() > 1)
    throw Error(text(what, ": the surface has ", pieces.size(), " pieces, the largest of ", thousands(pieces[0]),
                     " triangles, the next of ", thousands(pieces[1]),
                     ", where one bone is expected; keep the largest (MeshLab: Filters > Cleaning and Repairing > "
                     "Remove Isolated pieces) and try again"));
  if (unit.empty()) {
    require_plausible(mesh, what);
    return mesh;
  }
  const auto given = std::ranges::find(kUnits, unit, [](const Unit& one) { return std::string(one.name); });
  if (given == std::end(kUnits)) throw failure(text("unit \"", unit, "\" is not among mesh_units()"));
  const double scale = given->millimetres;
  return transformed(mesh, {{{{scale, 0, 0}, {0, scale, 0}, {0, 0, scale}}}, {}});
}

}  // namespace osteon::pipeline
