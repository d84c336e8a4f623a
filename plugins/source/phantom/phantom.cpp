// source/phantom: procedural femurs. Every bone is a function of (seed, its number): 18 anatomical measures drawn from
// published means, spreads and correlations (anatomy.cpp), a solid made of them (femur.cpp), a small smooth
// displacement of its surface, polygonised into the true mesh, and voxelised into as many separate acquisitions as
// wanted. Each phantom is one person with one femur, on a side that is drawn.
//
//     [source]
//     plugin       = "phantom"
//     bones        = 12
//     size         = "human"     # or "cat"
//     seed         = 1
//     acquisitions = 2
//
// Phantoms prove software, never accuracy: they have no joint disease, no asymmetry between sides, no ridges and pits
// below about 5 mm, cortex and trabecular bone follow no load, the condyles are two wheels, and their measures are
// normal and pooled over the sexes.

#include "anatomy.hpp"
#include "femur.hpp"
#include "polygonise.hpp"

#include <voxeliser/smooth_field.hpp>
#include <voxeliser/voxeliser.hpp>

#include <osteon/source.hpp>

#include <iomanip>
#include <memory>
#include <mutex>

namespace osteon {

namespace {

using phantom::Species;

class PhantomSource : public Source {
 public:
  static Schema schema() {
    Schema schema{
        "Procedural femurs with cortex, trabecular ends, marrow and thigh, drawn from published anatomical measures.",
        {Parameter::integer("bones", 12, "Number of people, each with one femur.")
             .at_least(1)
             .at_most(100000)
             .not_in_key(),
         Parameter::integer("acquisitions", 2, "Separate CT volumes of each bone.")
             .at_least(1)
             .at_most(1000)
             .not_in_key(),
         Parameter::text("size", "human", "Whose femurs.").one_of(std::vector<std::string>{"human", "cat"}),
         Parameter::text("sides", "both", "Sides to draw from.")
             .one_of(std::vector<std::string>{"both", "right", "left"}),
         Parameter::integer("seed", 1, "Of all random numbers: same seed, same bones.").at_least(0),
         Parameter::real("variation", 1, "Spread of the anatomical measures relative to the published one.")
             .at_least(0)
             .at_most(1.5),
         Parameter::real(
             "local_variation", 1.1,
             "Smooth displacement of the surface that no measure explains, standard deviation on a human femur; "
             "a cat's is smaller in proportion.")
             .unit("mm")
             .at_least(0)
             .at_most(2.5)}};
    for (Parameter& parameter : voxeliser::parameters(
             "Mean distance of voxels; 0 takes 2 mm for human and 0.5 mm for cat bones; each acquisition's "
             "own lies within 10 % of it."))
      schema.parameters.push_back(std::move(parameter));
    return schema;
  }

  explicit PhantomSource(const Parameters& parameters)
      : bones_(parameters.integer("bones")),
        acquisitions_(static_cast<int>(parameters.integer("acquisitions"))),
        species_(parameters.text("size") == "cat" ? Species::cat : Species::human),
        sides_(parameters.text("sides")),
        seed_(static_cast<std::uint64_t>(parameters.integer("seed"))),
        variation_(parameters.real("variation")),
        local_variation_(parameters.real("local_variation")),
        settings_(voxeliser::read_settings(parameters, seed_, scale(), species_ == Species::cat ? 0.5 : 2)) {}

  std::vector<SpecimenInfo> specimens() const override {
    std::vector<SpecimenInfo> list;
    list.reserve(static_cast<std::size_t>(bones_));
    for (std::int64_t i = 0; i < bones_; ++i) {
      std::ostringstream id;
      id << "phantom-" << std::setw(3) << std::setfill('0') << i + 1;
      list.push_back({id.str(), id.str(), side(static_cast<std::uint64_t>(i)), acquisitions_});
    }
    return list;
  }

  std::string content_digest(const SpecimenInfo&, int) const override { return ""; }

  Acquisition acquire(const SpecimenInfo& specimen, int acquisition) const override {
    const std::uint64_t number = std::stoull(specimen.id.substr(specimen.id.rfind('-') + 1)) - 1;
    return voxeliser::voxelise(*bone_once(number), settings_, number, acquisition);
  }

 private:
  [[nodiscard]] double scale() const { return species_ == Species::cat ? 0.24 : 1; }

  [[nodiscard]] Side side(std::uint64_t number) const {
    if (sides_ != "both") return sides_ == "left" ? Side::left : Side::right;
    return Random(seed_, "phantom side", number).below(2) == 0 ? Side::right : Side::left;
  }

  /// `bone`, kept until another one is asked for: the acquisitions of a bone are wanted one after another.
  [[nodiscard]] std::shared_ptr<const Mesh> bone_once(std::uint64_t number) const {
    const std::lock_guard lock(last_access_);
    if (last_bone_ == nullptr || last_number_ != number) {
      last_bone_ = std::make_shared<const Mesh>(bone(number));
      last_number_ = number;
    }
    return last_bone_;
  }

  /// The bone's surface, as it lies in a supine patient.
  [[nodiscard]] Mesh bone(std::uint64_t number) const {
    Random random(seed_, "phantom measures", number);
    const phantom::Femur femur(phantom::draw_measures(species_, variation_, random));
    Mesh mesh = phantom::polygonise([&](Vec3 p) { return femur(p); }, femur.box(), 2.4 * scale());
    displace(mesh, number);
    if (side(number) == Side::left) mesh = transformed(mesh, {{{{-1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, {}});
    return mesh;
  }

  /// Moves each vertex by three smooth random fields: broad ones that bend and swell, fine ones that roughen.
  void displace(Mesh& mesh, std::uint64_t number) const {
    if (local_variation_ == 0) return;
    Random random(seed_, "phantom local shape", number);
    const double size = scale(), broad = 0.95 * local_variation_ * size, fine = 0.3 * local_variation_ * size;
    std::vector<voxeliser::SmoothField> fields;
    for (int axis = 0; axis < 3; ++axis) fields.emplace_back(random, broad, 60 * size, 250 * size);
    for (int axis = 0; axis < 3; ++axis) fields.emplace_back(random, fine, 18 * size, 45 * size);
    auto* p = mesh.vertices.data_ptr<float>();
    for (std::int64_t i = 0; i < mesh.vertices.size(0); ++i, p += 3) {
      const float x = p[0], y = p[1], z = p[2];
      for (std::size_t axis = 0; axis < 3; ++axis) p[axis] += fields[axis](x, y, z) + fields[axis + 3](x, y, z);
    }
  }

  std::int64_t bones_;
  int acquisitions_;
  Species species_;
  std::string sides_;
  std::uint64_t seed_;
  double variation_, local_variation_;
  voxeliser::Settings settings_;
  mutable std::mutex last_access_;
  mutable std::uint64_t last_number_ = 0;
  mutable std::shared_ptr<const Mesh> last_bone_;
};

}  // namespace

OSTEON_PLUGIN(source, phantom, "0.1.0", PhantomSource)

}  // namespace osteon
