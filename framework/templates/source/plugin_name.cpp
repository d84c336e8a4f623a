// source/plugin_name: bones made of capsules, dry, in air. Each is a function of (seed, its number), drawn around the
// measures of a femur; right and left ones alternate, one a person. Every acquisition has a grid of its own, moved
// by a part of a voxel.
//
//     [source]
//     plugin       = "plugin_name"
//     bones        = 12
//     acquisitions = 2
//     seed         = 1
//     spacing      = 2.0     # mm
//     cortex       = 4.0     # mm

#include <osteon/random.hpp>
#include <osteon/source.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace osteon {
namespace {

/// All points within `radius` of a line.
struct Capsule {
  Vec3 from, to;
  double radius = 0;

  /// mm to the surface, negative inside.
  [[nodiscard]] double distance(Vec3 point) const {
    const Vec3 along = to - from;
    const double length = std::max(dot(along, along), 1e-9);
    return norm(point - from - along * std::clamp(dot(point - from, along) / length, 0.0, 1.0)) - radius;
  }
};

struct Bone {
  std::vector<Capsule> parts;
  Vec3 half;  ///< mm from the middle of its box to the sides

  [[nodiscard]] double distance(Vec3 point) const {
    double least = parts.front().distance(point);
    for (const Capsule& part : parts) least = std::min(least, part.distance(point));
    return least;
  }
};

class PluginName final : public Source {
 public:
  static Schema schema() {
    return {"Procedural bones made of capsules, with a cortex around marrow, in air.",
            {Parameter::integer("bones", 12, "Number of people, each with one bone.")
                 .at_least(1)
                 .at_most(100000)
                 .not_in_key(),
             Parameter::integer("acquisitions", 2, "Separate CT volumes of each bone.")
                 .at_least(1)
                 .at_most(1000)
                 .not_in_key(),
             Parameter::integer("seed", 1, "Of all random numbers: same seed, same bones.").at_least(0),
             Parameter::real("spacing", 2, "Distance of voxels.").unit("mm").at_least(0.2).at_most(10),
             Parameter::real("cortex", 4, "Thickness of the cortex.").unit("mm").above(0).at_most(20)}};
  }

  explicit PluginName(const Parameters& parameters)
      : bones_(parameters.integer("bones")),
        acquisitions_(static_cast<int>(parameters.integer("acquisitions"))),
        seed_(static_cast<std::uint64_t>(parameters.integer("seed"))),
        spacing_(parameters.real("spacing")),
        cortex_(parameters.real("cortex")) {}

  [[nodiscard]] std::vector<SpecimenInfo> specimens() const override {
    std::vector<SpecimenInfo> list;
    for (std::int64_t number = 1; number <= bones_; ++number) {
      const std::string id = text("bone-", number);
      list.push_back({id, id, number % 2 == 1 ? Side::right : Side::left, acquisitions_});
    }
    return list;
  }

  [[nodiscard]] std::string content_digest(const SpecimenInfo& /*specimen*/, int /*acquisition*/) const override {
    return "";  // no file is read
  }

  [[nodiscard]] Acquisition acquire(const SpecimenInfo& specimen, int acquisition) const override {
    const std::uint64_t number = std::stoull(specimen.id.substr(specimen.id.rfind('-') + 1));
    return {.volume = scan(draw(number, specimen.side), number, acquisition)};
  }

 private:
  /// Patient coordinates: +x to the patient's left, +y backwards, +z to the head; so the head of a right bone is at +x.
  [[nodiscard]] Bone draw(std::uint64_t number, Side side) const {
    Random random(seed_, "plugin_name measures", number);
    const double medial = side == Side::left ? -1 : 1;
    const double half = random.normal(210, 12), shaft = random.normal(14, 1), head = random.normal(23, 1.5);
    const double offset = random.normal(42, 4), wheel = random.normal(20, 1.5), apart = random.normal(24, 1.5);
    const Vec3 above{0, 0, half - 45}, below{0, 0, wheel - half}, hip{medial * offset, -6, half - head};
    Bone bone;
    bone.parts = {{below, above, shaft}, {above, hip, 0.6 * head}, {hip, hip, head}};
    for (const double x : {-apart, apart}) bone.parts.push_back({{x, -8, below.z}, {x, 14, below.z}, wheel});
    // Room for the widest part and two voxels of air around it.
    const double air = 2 * spacing_, widest = std::max(offset + head, apart + wheel);
    bone.half = {widest + air, 14 + std::max(wheel, head) + air, half + air};
    return bone;
  }

  [[nodiscard]] Volume scan(const Bone& bone, std::uint64_t number, int acquisition) const {
    Random random(seed_, text("plugin_name grid of bone ", number), static_cast<std::uint64_t>(acquisition));
    Grid grid;
    grid.spacing = {spacing_, spacing_, spacing_};
    for (int axis = 0; axis < 3; ++axis) {
      grid.size[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(2 * bone.half[axis] / spacing_) + 2;
      grid.origin[axis] = -bone.half[axis] - random.uniform() * spacing_;
    }
    grid = grid.canonical();
    at::Tensor hounsfield = at::empty({grid.size[2], grid.size[1], grid.size[0]}, at::kShort);
    auto* voxel = hounsfield.data_ptr<std::int16_t>();
    for (std::int64_t k = 0; k < grid.size[2]; ++k)
      for (std::int64_t j = 0; j < grid.size[1]; ++j)
        for (std::int64_t i = 0; i < grid.size[0]; ++i)
          *voxel++ = density(
              bone.distance(grid.to_patient({static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)})));
    return {hounsfield, grid};
  }

  /// HU at a signed distance from the surface. A voxel that a surface cuts has a share of both sides.
  [[nodiscard]] std::int16_t density(double distance) const {
    constexpr double kAir = -1000, kCortex = 1200, kMarrow = 0;
    const auto share_within = [&](double depth) { return std::clamp(0.5 - depth / spacing_, 0.0, 1.0); };
    return static_cast<std::int16_t>(std::lround(kAir + (kCortex - kAir) * share_within(distance) -
                                                 (kCortex - kMarrow) * share_within(distance + cortex_)));
  }

  std::int64_t bones_;
  int acquisitions_;
  std::uint64_t seed_;
  double spacing_, cortex_;
};

}  // namespace

OSTEON_PLUGIN(source, plugin_name, "0.1.0", PluginName)

}  // namespace osteon
