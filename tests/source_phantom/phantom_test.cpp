#include "host/handles.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace osteon {
namespace {

using Values = std::map<std::string, ParameterValue>;

host::SourceHandle phantoms(Values given = {}) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const auto& plugin = registry.find("source", "phantom");
  return {plugin, Parameters(plugin.schema, given)};
}

Acquisition made(const host::SourceHandle& source, std::size_t bone, int acquisition = 0) {
  return source.acquire(source.specimens().at(bone), acquisition);
}

bool same(const Acquisition& a, const Acquisition& b) {
  return a.volume.grid == b.volume.grid && a.volume.hounsfield.equal(b.volume.hounsfield) &&
         a.truth->vertices.equal(b.truth->vertices) && a.truth->triangles.equal(b.truth->triangles);
}

// Small and quick: a cat's bones on a coarse grid.
const Values kQuick = {{"size", std::string("cat")}, {"spacing", 1.0}};

Values quick_with(const std::string& name, ParameterValue value) {
  Values values = kQuick;
  values[name] = std::move(value);
  return values;
}

TEST(Phantom, ListsPeopleWithOneFemurEachOnBothSides) {
  const auto list = phantoms({{"bones", std::int64_t{40}}, {"acquisitions", std::int64_t{3}}}).specimens();
  ASSERT_EQ(list.size(), 40U);
  EXPECT_EQ(list[0].id, "phantom-001");
  EXPECT_EQ(list[39].id, "phantom-040");
  int left = 0;
  for (const SpecimenInfo& one : list) {
    EXPECT_EQ(one.subject, one.id);
    EXPECT_EQ(one.acquisitions, 3);
    left += one.side == Side::left;
  }
  EXPECT_GT(left, 8);
  EXPECT_LT(left, 32);
}

TEST(Phantom, SameSeedGivesTheSameBonesByteForByteHoweverManyThereAre) {
  const Acquisition few = made(phantoms(kQuick), 2);
  EXPECT_TRUE(same(few, made(phantoms(kQuick), 2)));
  EXPECT_TRUE(same(few, made(phantoms(quick_with("bones", std::int64_t{500})), 2)));
  EXPECT_FALSE(same(few, made(phantoms(quick_with("seed", std::int64_t{2})), 2)));
}

TEST(Phantom, TruthIsAClosedOutwardSurfaceOfAFemursSize) {
  for (const bool cat : {false, true}) {
    const auto source = phantoms({{"size", std::string(cat ? "cat" : "human")}, {"spacing", cat ? 1.0 : 4.0}});
    for (std::size_t bone = 0; bone < 3; ++bone) {
      const Acquisition acquisition = made(source, bone);
      require_closed(acquisition.truth.value(), "truth");
      EXPECT_GT(acquisition.truth->triangles.size(0), 12000);
      EXPECT_LT(acquisition.truth->triangles.size(0), 45000);
      const Box box = bounding_box(acquisition.truth.value());
      EXPECT_NEAR(box.high.z - box.low.z, cat ? 113 : 435, cat ? 20 : 85);
      // Wide bounds that catch errors of scale, no more: the cat's bones are larger than the 7.0 to 8.6 cm³ of 16 Van
      // cats.
      EXPECT_NEAR(enclosed_volume(acquisition.truth.value()) / 1000, cat ? 11 : 510, cat ? 4 : 250) << "cm³";
    }
  }
}

TEST(Phantom, LiesWhollyInsideItsVolumeInPatientCoordinates) {
  const Acquisition acquisition = made(phantoms(kQuick), 0);
  const auto* p = acquisition.truth->vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < acquisition.truth->vertices.size(0); ++i) {
    const Vec3 q = acquisition.volume.grid.to_index({p[3 * i], p[3 * i + 1], p[3 * i + 2]});
    for (int axis = 0; axis < 3; ++axis) {
      ASSERT_GT(q[axis], 2);
      ASSERT_LT(q[axis], static_cast<double>(acquisition.volume.grid.size[static_cast<std::size_t>(axis)]) - 3);
    }
  }
}

TEST(Phantom, AcquisitionsDifferInGridAndVoxelsAndShowTheSameBone) {
  const auto source = phantoms(kQuick);
  const Acquisition a = made(source, 1, 0), b = made(source, 1, 1);
  EXPECT_FALSE(a.volume.grid == b.volume.grid);
  EXPECT_FALSE(a.volume.hounsfield.sizes() == b.volume.hounsfield.sizes() &&
               a.volume.hounsfield.equal(b.volume.hounsfield));
  EXPECT_TRUE(a.truth->triangles.equal(b.truth->triangles));
  EXPECT_NEAR(enclosed_volume(a.truth.value()) / enclosed_volume(b.truth.value()), 1, 1e-4);
}

TEST(Phantom, LeftBonesAreMirrorImages) {
  const auto side = [](const char* which) { return phantoms(quick_with("sides", std::string(which))); };
  const auto right = side("right"), left = side("left");
  EXPECT_EQ(right.specimens()[0].side, Side::right);
  EXPECT_EQ(left.specimens()[0].side, Side::left);
  // The pose is drawn anew around the mirrored bone: what stays is the size, what turns is the handedness. In a right
  // femur the head lies towards the patient's left (+x) of the shaft's upper end.
  const Mesh a = made(right, 0).truth.value(), b = made(left, 0).truth.value();
  EXPECT_NEAR(enclosed_volume(a) / enclosed_volume(b), 1, 1e-4);
  const auto head_side = [](const Mesh& mesh) {
    const Box box = bounding_box(mesh);
    double top = 0, upper = 0;
    int in_top = 0, in_upper = 0;
    const auto* p = mesh.vertices.data_ptr<float>();
    for (std::int64_t i = 0; i < mesh.vertices.size(0); ++i) {
      const double height = (p[3 * i + 2] - box.low.z) / (box.high.z - box.low.z);
      if (height > 0.95) top += p[3 * i], ++in_top;
      if (height > 0.6 && height < 0.75) upper += p[3 * i], ++in_upper;
    }
    return top / in_top - upper / in_upper;
  };
  EXPECT_GT(head_side(a), 2);
  EXPECT_LT(head_side(b), -2);
}

TEST(Phantom, VariationScalesTheSpreadOfTheMeasures) {
  const auto lengths = [](double variation) {
    Values values = quick_with("variation", variation);
    values["spacing"] = 2.0;
    values["local_variation"] = 0.0;
    const auto source = phantoms(values);
    double low = 1e9, high = 0;
    for (std::size_t bone = 0; bone < 5; ++bone) {
      const Box box = bounding_box(made(source, bone).truth.value());
      low = std::min(low, box.high.z - box.low.z);
      high = std::max(high, box.high.z - box.low.z);
    }
    return high - low;
  };
  EXPECT_LT(lengths(0), 2);
  EXPECT_GT(lengths(1), 5);
}

TEST(Phantom, EachParameterChangesTheVolume) {
  const Acquisition standard = made(phantoms(kQuick), 0);
  const bool is_left = phantoms(kQuick).specimens()[0].side == Side::left;
  const Values changes = {{"size", std::string("human")},
                          {"sides", std::string(is_left ? "right" : "left")},
                          {"seed", std::int64_t{9}},
                          {"variation", 0.5},
                          {"local_variation", 0.5},
                          {"spacing", 1.25},
                          {"blur", 0.9},
                          {"noise", 30.0},
                          {"surface_error", 0.8},
                          {"tilt", 5.0}};
  for (const auto& [name, value] : changes) {
    Values values = quick_with(name, value);
    if (name == "size") values["spacing"] = 4.0;
    EXPECT_FALSE(same(standard, made(phantoms(values), 0))) << name;
  }
}

/// Voxels of the volume above the iso-value that hang together with the one at `seed` (6 neighbours).
std::int64_t piece_size(const at::Tensor& bone, std::int64_t seed, std::vector<bool>& seen) {
  const auto* inside = bone.data_ptr<bool>();
  const std::int64_t sizes[3] = {bone.size(2), bone.size(1), bone.size(0)};
  std::vector<std::int64_t> queue{seed};
  seen[static_cast<std::size_t>(seed)] = true;
  for (std::size_t next = 0; next < queue.size(); ++next) {
    const std::int64_t v = queue[next], i = v % sizes[0], j = v / sizes[0] % sizes[1], k = v / (sizes[0] * sizes[1]);
    const std::int64_t at[3] = {i, j, k}, stride[3] = {1, sizes[0], sizes[0] * sizes[1]};
    for (int axis = 0; axis < 3; ++axis)
      for (const int way : {-1, 1}) {
        if (at[axis] + way < 0 || at[axis] + way >= sizes[axis]) continue;
        const std::int64_t neighbour = v + way * stride[axis];
        if (!inside[neighbour] || seen[static_cast<std::size_t>(neighbour)]) continue;
        seen[static_cast<std::size_t>(neighbour)] = true;
        queue.push_back(neighbour);
      }
  }
  return static_cast<std::int64_t>(queue.size());
}

TEST(Phantom, ItsFemurIsTheLargestPieceAndTouchesNoNeighbour) {
  for (const bool cat : {false, true}) {
    const auto source = phantoms({{"size", std::string(cat ? "cat" : "human")}});
    for (std::size_t bone = 0; bone < 2; ++bone) {
      const Acquisition acquisition = made(source, bone, 1);
      const Grid& grid = acquisition.volume.grid;
      const at::Tensor above = acquisition.volume.hounsfield.gt(346).contiguous();
      std::vector<bool> seen(static_cast<std::size_t>(above.numel()));
      std::vector<std::int64_t> pieces;
      const auto* inside = above.data_ptr<bool>();
      std::int64_t femur = 0, femur_start = -1;
      for (std::int64_t v = 0; v < above.numel(); ++v)
        if (inside[v] && !seen[static_cast<std::size_t>(v)]) {
          pieces.push_back(piece_size(above, v, seen));
          if (pieces.back() > femur) femur = pieces.back(), femur_start = v;
        }
      std::sort(pieces.rbegin(), pieces.rend());
      ASSERT_GE(pieces.size(), 2U) << "no neighbouring bone";
      EXPECT_GT(pieces[0], 2 * pieces[1]);
      EXPECT_GT(pieces[1], 50) << "no neighbouring bone";
      // The femur's piece stays within 2 voxels of the true surface's box, and does not reach the volume's border.
      std::fill(seen.begin(), seen.end(), false);
      static_cast<void>(piece_size(above, femur_start, seen));
      const Box box = bounding_box(acquisition.truth.value());
      const double margin = 2 * std::max(grid.spacing.x, grid.spacing.z);
      for (std::int64_t v = 0; v < above.numel(); ++v) {
        if (!seen[static_cast<std::size_t>(v)]) continue;
        const std::int64_t i = v % grid.size[0], j = v / grid.size[0] % grid.size[1],
                           k = v / (grid.size[0] * grid.size[1]);
        const Vec3 p = grid.to_patient({static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)});
        for (int axis = 0; axis < 3; ++axis) {
          ASSERT_GT(p[axis], box.low[axis] - margin) << "axis " << axis;
          ASSERT_LT(p[axis], box.high[axis] + margin) << "axis " << axis;
        }
      }
    }
  }
}

}  // namespace
}  // namespace osteon
