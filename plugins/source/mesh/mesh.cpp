// source/mesh: closed surfaces from a folder (PLY, STL, OBJ; millimetres, z towards the patient's head), voxelised in
// the same way as the phantoms: each surface becomes as many separate CT acquisitions as wanted. Person and side are
// read from the file's name; a name that doesn't match is a person of its own, side unknown.
//
//     [source]
//     plugin       = "mesh"
//     path         = "../data/femurs"
//     name_pattern = "([^_]+)_.*_([LR])"     # z001_Femur_L.ply: person z001, left
//     spacing      = 1.5
//     acquisitions = 2
//
// A public set of femurs: VSDFullBodyBoneModels (Fischer, Scientific Data 10:763, 2023), Zenodo, doi
// 10.5281/zenodo.8302448. What is inside such a bone is the voxeliser's, not the person's.

#include <open3d_support/mesh_files.hpp>
#include <voxeliser/voxeliser.hpp>

#include <osteon/digest.hpp>
#include <osteon/source.hpp>

#include <algorithm>
#include <map>
#include <regex>

namespace osteon {

namespace {

constexpr const char* kWhereToGet =
    "a public set of femurs is VSDFullBodyBoneModels, Zenodo, doi 10.5281/zenodo.8302448";

class MeshSource : public Source {
 public:
  static Schema schema() {
    Schema schema{
        "Closed bone surfaces from a folder (PLY, STL, OBJ), voxelised to CT volumes as the phantoms are.",
        {Parameter::path("path", "", "Folder with the surfaces, one file a bone, in millimetres, z towards the head.")
             .required(),
         Parameter::text(
             "name_pattern", "([^_]+)_.*_([LR])",
             "Regular expression for a file's whole name without its ending; its first group is the person, its "
             "second the side (L or R).")
             .not_in_key(),
         Parameter::integer("acquisitions", 2, "Separate CT volumes of each bone.")
             .at_least(1)
             .at_most(1000)
             .not_in_key(),
         Parameter::integer("seed", 1, "Of all random numbers.").at_least(0),
         Parameter::real("bone_scale", 1,
                         "Thickness of cortex, joints and soft tissue relative to a human femur's (0.24 for a cat's).")
             .above(0)
             .at_most(10)}};
    for (Parameter& parameter : voxeliser::parameters(
             "Mean distance of voxels; 0 takes 2 mm times `bone_scale`; each acquisition's own lies within "
             "10 % of it."))
      schema.parameters.push_back(std::move(parameter));
    return schema;
  }

  explicit MeshSource(const Parameters& parameters)
      : folder_(parameters.path("path")),
        pattern_(compile(parameters.text("name_pattern"))),
        acquisitions_(static_cast<int>(parameters.integer("acquisitions"))),
        settings_(voxeliser::read_settings(parameters, static_cast<std::uint64_t>(parameters.integer("seed")),
                                           parameters.real("bone_scale"), 2 * parameters.real("bone_scale"))) {}

  std::vector<SpecimenInfo> specimens() const override {
    std::vector<SpecimenInfo> list;
    for (const auto& [id, file] : files()) {
      std::smatch match;
      SpecimenInfo info{id, id, Side::unknown, acquisitions_};
      if (std::regex_match(id, match, pattern_)) {
        info.subject = match[1].str();
        info.side = match[2] == "L" ? Side::left : match[2] == "R" ? Side::right : Side::unknown;
      }
      list.push_back(std::move(info));
    }
    return list;
  }

  std::string content_digest(const SpecimenInfo& specimen, int) const override {
    return sha256_of_file(file_of(specimen));
  }

  Acquisition acquire(const SpecimenInfo& specimen, int acquisition) const override {
    const std::filesystem::path file = file_of(specimen);
    const Mesh mesh = open3d_support::read_mesh(file);
    require_closed(mesh, file.string());
    require_millimetres(mesh, file);
    // The bone's number is its name's digest, so that another file in the folder changes nothing.
    const std::uint64_t number = std::stoull(sha256(specimen.id).substr(0, 13), nullptr, 16);
    return voxeliser::voxelise(mesh, settings_, number, acquisition);
  }

 private:
  static std::regex compile(const std::string& pattern) {
    try {
      std::regex compiled(pattern);
      if (compiled.mark_count() < 2)
        throw Error(text("name_pattern: \"", pattern, "\" has ", compiled.mark_count(),
                         " groups; it needs two in round brackets: the person and the side, as in ([^_]+)_.*_([LR])"));
      return compiled;
    } catch (const std::regex_error& error) {
      throw Error(text("name_pattern: \"", pattern, "\" is no regular expression (", error.what(),
                       "); an example is ([^_]+)_.*_([LR])"));
    }
  }

  /// File stem → file, in order of name.
  std::map<std::string, std::filesystem::path> files() const {
    std::error_code problem;
    if (!std::filesystem::is_directory(folder_, problem))
      throw Error(text("path: ", folder_.string(),
                       " is no folder; expected a folder with one closed surface a bone (.ply, .stl or ", ".obj); ",
                       kWhereToGet));
    const std::vector<std::string> endings = open3d_support::mesh_endings();
    std::map<std::string, std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      std::string ending = entry.path().extension().string();
      for (char& c : ending) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
      if (!entry.is_regular_file() || std::find(endings.begin(), endings.end(), ending) == endings.end()) continue;
      const auto [place, is_new] = found.emplace(entry.path().stem().string(), entry.path());
      if (!is_new)
        throw Error(text("path: ", folder_.string(), " has two files of one name, ",
                         std::min(place->second.filename(), entry.path().filename()).string(), " and ",
                         std::max(place->second.filename(), entry.path().filename()).string(),
                         "; rename or remove one"));
    }
    if (found.empty())
      throw Error(text("path: ", folder_.string(), " holds no surface (.ply, .stl or .obj); ", kWhereToGet));
    return found;
  }

  std::filesystem::path file_of(const SpecimenInfo& specimen) const {
    const auto all = files();
    const auto found = all.find(specimen.id);
    if (found == all.end())
      throw Error(text(folder_.string(), ": the surface ", specimen.id, " is no longer there; run again"));
    return found->second;
  }

  void require_millimetres(const Mesh& mesh, const std::filesystem::path& file) const {
    const Box box = bounding_box(mesh);
    const double extent = std::max({box.high.x - box.low.x, box.high.y - box.low.y, box.high.z - box.low.z});
    if (extent < 5)
      throw Error(text(file.string(), ": the surface is ", extent,
                       " mm long; a bone has at least 5 mm; is it in metres? Scale it by 1000 and try again"));
    if (extent > 5000)
      throw Error(text(file.string(), ": the surface is ", extent,
                       " mm long; a bone has at most 5000 mm; is it in micrometres? Scale it by 0.001 and try again"));
  }

  std::filesystem::path folder_;
  std::regex pattern_;
  int acquisitions_;
  voxeliser::Settings settings_;
};

}  // namespace

OSTEON_PLUGIN(source, mesh, "0.1.0", MeshSource)

}  // namespace osteon
