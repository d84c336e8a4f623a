// Cross-sections and the measures of femurs: artificial ones whose measures are known, and real ones where they are at
// hand.

#include "femur/morphometry.hpp"
#include "femur/section.hpp"
#include "femurs.hpp"
#include "imaging/bone_frame.hpp"
#include "open3d_support/mesh_files.hpp"
#include "open3d_support/surfaces.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

namespace osteon::femur {
namespace {

TEST(CrossSection, OfABoxIsARectangle) {
  const Mesh box = transformed(solids::box({30, 20, 100}), {Mat3{}, {5, -7, 11}});
  const auto pieces = sections(box, {0, 0, 30}, {0, 0, 1});
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_NEAR(pieces[0].area, 600, 1e-3);
  EXPECT_LT(norm(pieces[0].centroid - Vec3{5, -7, 30}), 1e-4);
  const auto from_above = sections(box, {0, 0, 30}, {0, 0, -1});
  ASSERT_EQ(from_above.size(), 1U);
  EXPECT_NEAR(from_above[0].area, 600, 1e-3);
  EXPECT_TRUE(sections(box, {0, 0, 62}, {0, 0, 1}).empty());
}

TEST(CrossSection, AcrossASlantIsLarger) {
  const auto pieces = sections(solids::box({30, 20, 100}), {0, 0, 5}, normalised({0, 1, 1}));
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_NEAR(pieces[0].area, 600 * std::sqrt(2), 1e-3);
  EXPECT_LT(norm(pieces[0].centroid - Vec3{0, 0, 5}), 1e-4);
}

TEST(CrossSection, HasAPieceForEachOutlineTheLargestFirstAndNoHoles) {
  const Mesh small = transformed(solids::box({10, 10, 50}), {Mat3{}, {40, 0, 0}});
  Mesh hole = solids::box({5, 5, 40});
  hole.triangles = hole.triangles.flip(1).contiguous();
  const auto pieces = sections(solids::joined({small, hole, solids::box({20, 20, 50})}), {}, {0, 0, 1});
  ASSERT_EQ(pieces.size(), 2U);
  EXPECT_NEAR(pieces[0].area, 400, 1e-3);
  EXPECT_NEAR(pieces[1].area, 100, 1e-3);
  EXPECT_LT(norm(pieces[1].centroid - Vec3{40, 0, 0}), 1e-4);
}

TEST(Morphometry, FindsTheAnglesThatAFemurWasMadeWith) {
  for (const double neck_shaft : {115.0, 125.0, 140.0})
    for (const double anteversion : {-10.0, 0.0, 12.0, 35.0}) {
      SCOPED_TRACE(text(neck_shaft, "°, ", anteversion, "°"));
      const solids::FemurForm form{.neck_shaft = neck_shaft, .anteversion = anteversion, .head_radius = 22};
      const Morphometry found = measured(solids::femur(form));
      ASSERT_TRUE(found.head.has_value());
      EXPECT_LT(norm(found.head->centre - solids::head_centre(form)), 0.3);
      EXPECT_NEAR(found.head->radius, 22, 0.2);
      EXPECT_NEAR(found.neck_shaft, neck_shaft, 0.7);
      EXPECT_NEAR(found.anteversion, anteversion, 0.7);
    }
}

TEST(Morphometry, LengthIsTheGreatestDistanceFromEndToEnd) {
  EXPECT_NEAR(measured(solids::rod({0, 0, 200}, {0, 0, -180}, 14)).length, 380 + 2 * 14, 0.01);
  // From the head's top to the end of the condyle that is further from it.
  const solids::FemurForm form{.neck_shaft = 120, .anteversion = 0, .length = 400};
  const Mesh condyle = solids::ellipsoid({22, 30, 22}, 60, 90, {-25, -6, -178});
  const auto* p = condyle.vertices.data_ptr<float>();
  double farthest = 0;
  for (std::int64_t i = 0; i < condyle.vertices.size(0); ++i)
    farthest = std::max(farthest, norm(solids::head_centre(form) - Vec3{p[3 * i], p[3 * i + 1], p[3 * i + 2]}));
  EXPECT_NEAR(measured(solids::femur(form)).length, farthest + form.head_radius, 0.3);
}

TEST(Morphometry, OneCondyleDeeperTurnsTheLine) {
  const solids::FemurForm form{.anteversion = 12};
  Mesh bone = solids::femur(form);
  // The lateral condyle, the last part but one, 3 mm forwards: the line turns by atan(3 / 50) towards the neck's side.
  const std::int64_t each = bone.vertices.size(0);
  const std::int64_t condyle = solids::ellipsoid({22, 30, 22}).vertices.size(0);
  bone.vertices.narrow(0, each - 2 * condyle, condyle).select(1, 1).add_(3);
  EXPECT_NEAR(measured(bone).anteversion, 12 + degrees(std::atan(3.0 / 50)), 0.5);
}

TEST(Morphometry, SaysWhatCannotBeFound) {
  const Morphometry rod = measured(solids::rod({0, 0, 200}, {0, 0, -200}, 14));
  EXPECT_FALSE(rod.head.has_value());
  EXPECT_TRUE(std::isnan(rod.neck_shaft));
  EXPECT_TRUE(std::isnan(rod.anteversion));
  const solids::FemurForm form;
  const Morphometry no_condyles = measured(solids::joined(
      {solids::rod({0, 0, 190}, {0, 0, -200}, 14), solids::rod(solids::neck_base(form), solids::head_centre(form), 15),
       solids::ellipsoid({24, 24, 24}, 60, 90, solids::head_centre(form))}));
  EXPECT_TRUE(no_condyles.head.has_value());
  EXPECT_NEAR(no_condyles.neck_shaft, 125, 0.7);
  EXPECT_TRUE(std::isnan(no_condyles.anteversion));
}

/// All femurs of the folder in their own frames, measured once.
class RealMorphometry : public ::testing::Test {
 protected:
  struct Femur {
    Mesh mesh;
    Morphometry measures;
  };

  void SetUp() override {
    const auto folder = std::filesystem::path(OSTEON_SOURCE_DIR) / "../shared/data/vsd-femurs";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "the real femurs are missing: " << folder;
    if (!femurs().empty()) return;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (entry.path().extension() != ".ply") continue;
      const std::string name = entry.path().stem().string();  // z001_Femur_L
      const Mesh bone = open3d_support::read_mesh(entry.path());
      const Side side = name.back() == 'L' ? Side::left : Side::right;
      const Mesh mesh = imaging::in_bone_frame(bone, imaging::find_bone_frame(bone, side));
      femurs()[name.substr(0, 4) + name.back()] = {mesh, measured(mesh)};
    }
  }

  static std::map<std::string, Femur>& femurs() {
    static std::map<std::string, Femur> all;
    return all;
  }

  static void expect_alike(const Mesh& changed, const Morphometry& whole, double radius) {
    const Morphometry found = measured(changed);
    ASSERT_TRUE(found.head.has_value());
    EXPECT_NEAR(found.head->radius, whole.head->radius, radius);
    EXPECT_NEAR(found.length, whole.length, 0.3);
    EXPECT_NEAR(found.neck_shaft, whole.neck_shaft, 1);
    EXPECT_NEAR(found.anteversion, whole.anteversion, 1);
  }
};

TEST_F(RealMorphometry, IsThatOfPeople) {
  ASSERT_EQ(femurs().size(), 21U);
  double neck_shaft = 0, anteversion = 0;
  for (const auto& [name, femur] : femurs()) {
    SCOPED_TRACE(name);
    const Morphometry& found = femur.measures;
    ASSERT_TRUE(found.head.has_value());
    EXPECT_GT(found.head->radius, 19);
    EXPECT_LT(found.head->radius, 28);
    EXPECT_GT(found.length, 400);
    EXPECT_LT(found.length, 540);
    EXPECT_GT(found.neck_shaft, 115);
    EXPECT_LT(found.neck_shaft, 140);
    EXPECT_GT(found.anteversion, -13);
    EXPECT_LT(found.anteversion, 37);
    neck_shaft += found.neck_shaft / 21;
    anteversion += found.anteversion / 21;
  }
  EXPECT_NEAR(neck_shaft, 125, 3);
  EXPECT_NEAR(anteversion, 11, 5);
}

TEST_F(RealMorphometry, OfBothSidesOfAPersonIsAlike) {
  double people = 0, neck_shaft = 0, anteversion = 0;
  for (const auto& [name, left] : femurs()) {
    if (name.back() != 'L' || !femurs().contains(name.substr(0, 4) + "R")) continue;
    SCOPED_TRACE(name);
    const Morphometry &a = left.measures, &b = femurs().at(name.substr(0, 4) + "R").measures;
    EXPECT_NEAR(a.head->radius, b.head->radius, 1);
    EXPECT_NEAR(a.length, b.length, 8);
    ++people;
    neck_shaft += std::abs(a.neck_shaft - b.neck_shaft);
    anteversion += std::abs(a.anteversion - b.anteversion);
  }
  ASSERT_EQ(people, 9);
  // Two people of this set differ by 7.9° and 16.7° on average.
  EXPECT_LT(neck_shaft / people, 3);
  EXPECT_LT(anteversion / people, 7);
}

TEST_F(RealMorphometry, DoesNotChangeWhenTheBoneIsTurned) {
  const Affine turn{rotation(normalised({1, 2, -1}), radians(6)), {3, -40, 12}};
  for (const auto& [name, femur] : femurs()) {
    SCOPED_TRACE(name);
    expect_alike(transformed(femur.mesh, turn), femur.measures, 0.05);
  }
}

TEST_F(RealMorphometry, DoesNotChangeWhenTheMeshIsCoarser) {
  for (const auto& [name, femur] : femurs()) {
    if (name.back() != 'R') continue;
    SCOPED_TRACE(name);
    expect_alike(open3d_support::simplified(femur.mesh, 4000), femur.measures, 0.5);
  }
}

}  // namespace
}  // namespace osteon::femur
