#include "imaging/views.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace osteon::imaging {
namespace {

/// A right bone in the patient's own axes.
BoneFrame right_bone() { return {{10, 20, 30}, {1, 0, 0}, {0, -1, 0}, {0, 0, 1}, 100}; }
BoneFrame left_bone() { return {{10, 20, 30}, {-1, 0, 0}, {0, -1, 0}, {0, 0, 1}, 100}; }

Parameters views(std::map<std::string, ParameterValue> given = {}) {
  given.try_emplace("field_of_view", 140.0);
  return {views_schema(), given};
}

/// Column and row, relative to the image's middle, where a point given in the bone's own axes appears: in mm at the
/// isocentre.
std::pair<double, double> image_of(Vec3 point, const BoneFrame& frame, const Projection& p, double spacing) {
  const Vec3 in_patient = frame.origin + frame.medial * point.x + frame.anterior * point.y + frame.proximal * point.z;
  const Vec3 normal = cross(p.column_step, p.row_step);
  const Vec3 direction = p.parallel ? p.direction : in_patient - p.source;
  const Vec3 start = p.parallel ? in_patient : p.source;
  const Vec3 hit = start + direction * (dot(normal, p.first_pixel - start) / dot(normal, direction));
  const Vec3 offset = hit - p.first_pixel;
  const double column = dot(offset, p.column_step) / dot(p.column_step, p.column_step);
  const double row = dot(offset, p.row_step) / dot(p.row_step, p.row_step);
  return {(column - (static_cast<double>(p.columns) - 1) / 2) * spacing,
          (row - (static_cast<double>(p.rows) - 1) / 2) * spacing};
}

void expect_image(std::pair<double, double> found, double right, double down) {
  EXPECT_NEAR(found.first, right, 1e-6);
  EXPECT_NEAR(found.second, down, 1e-6);
}

TEST(Views, TheStudysGridHas225Poses) {
  const auto poses = gallery_poses(views());
  ASSERT_EQ(poses.size(), 225U);
  EXPECT_EQ(poses.front().axial, -21);
  EXPECT_EQ(poses.back().axial, 21);
  EXPECT_EQ(poses[1].in_plane, -18);
}

TEST(Views, AStepLargerThanTheRangeLeavesOneAngle) {
  const auto poses = gallery_poses(views({{"axial_range", 0.0}, {"in_plane_range", 5.0}, {"in_plane_step", 11.0}}));
  ASSERT_EQ(poses.size(), 1U);
  EXPECT_EQ(poses[0].axial, 0);
  EXPECT_EQ(poses[0].in_plane, -5);
}

TEST(Views, ApShowsMedialRightAndProximalUp) {
  const Parameters v = views({{"geometry", "parallel"}});
  for (const BoneFrame& bone : {right_bone(), left_bone()}) {
    const Projection p = projection(bone, Plane::ap, {}, v);
    const double spacing = pixel_spacing(bone, v);
    expect_image(image_of({0, 0, 0}, bone, p, spacing), 0, 0);
    expect_image(image_of({7, 0, 0}, bone, p, spacing), 7, 0);
    expect_image(image_of({0, 0, 40}, bone, p, spacing), 0, -40);
    expect_image(image_of({0, 9, 0}, bone, p, spacing), 0, 0);
    EXPECT_NEAR(p.direction.y, 1, 1e-12) << "the beam runs from the front to the back";
    EXPECT_EQ(p.rows, 128);
    EXPECT_EQ(p.columns, 64);
  }
}

TEST(Views, MlShowsPosteriorRightAndLooksFromTheMedialSide) {
  const Parameters v = views({{"geometry", "parallel"}});
  for (const BoneFrame& bone : {right_bone(), left_bone()}) {
    const Projection p = projection(bone, Plane::ml, {}, v);
    const double spacing = pixel_spacing(bone, v);
    expect_image(image_of({0, -7, 0}, bone, p, spacing), 7, 0);
    expect_image(image_of({0, 0, 40}, bone, p, spacing), 0, -40);
    EXPECT_NEAR(dot(p.direction, bone.medial), -1, 1e-12);
  }
}

TEST(Views, EachAngleTurnsTheBoneAsStated) {
  const Parameters v = views({{"geometry", "parallel"}});
  const BoneFrame bone = right_bone();
  const double spacing = pixel_spacing(bone, v), c = std::cos(radians(20)), s = std::sin(radians(20));
  // Axial: what faces the source (anterior) goes to the right.
  expect_image(image_of({0, 10, 0}, bone, projection(bone, Plane::ap, {20, 0, 0}, v), spacing), 10 * s, 0);
  expect_image(image_of({10, 0, 5}, bone, projection(bone, Plane::ap, {20, 0, 0}, v), spacing), 10 * c, -5);
  // Tilt: the proximal end comes towards the source, so that what faces the source goes down.
  expect_image(image_of({0, 10, 0}, bone, projection(bone, Plane::ap, {0, 20, 0}, v), spacing), 0, 10 * s);
  expect_image(image_of({0, 0, 10}, bone, projection(bone, Plane::ap, {0, 20, 0}, v), spacing), 0, -10 * c);
  // In-plane: counter-clockwise, so that the proximal end goes to the left.
  expect_image(image_of({0, 0, 10}, bone, projection(bone, Plane::ap, {0, 0, 20}, v), spacing), -10 * s, -10 * c);
}

TEST(Views, RotationsFollowOneAnotherAxialTiltInPlane) {
  const Parameters v = views({{"geometry", "parallel"}});
  const BoneFrame bone = right_bone();
  // After a quarter turn of each: medial (right) goes away from the source, then up, then left.
  expect_image(image_of({10, 0, 0}, bone, projection(bone, Plane::ap, {90, 90, 90}, v), pixel_spacing(bone, v)), -10,
               0);
}

TEST(Views, PairingDecidesWhatTheSamePoseMeansForMl) {
  const BoneFrame bone = right_bone();
  const Parameters per_view = views({{"geometry", "parallel"}});
  const Parameters rigid = views({{"geometry", "parallel"}, {"pairing", "rigid"}});
  const double spacing = pixel_spacing(bone, per_view), s = std::sin(radians(20)), c = std::cos(radians(20));
  const Vec3 top{0, 0, 10};
  // The study's: the ML image turns in its own plane as the AP image does.
  expect_image(image_of(top, bone, projection(bone, Plane::ml, {0, 0, 20}, per_view), spacing), -10 * s, -10 * c);
  // Rigid: an AP roll only foreshortens the bone in ML, and an AP tilt turns it in the ML image's plane.
  expect_image(image_of(top, bone, projection(bone, Plane::ml, {0, 0, 20}, rigid), spacing), 0, -10 * c);
  expect_image(image_of(top, bone, projection(bone, Plane::ml, {0, 20, 0}, rigid), spacing), -10 * s, -10 * c);
  // About the long axis both mean the same, and AP doesn't depend on it.
  EXPECT_EQ(projection(bone, Plane::ap, {5, 6, 7}, rigid).first_pixel,
            projection(bone, Plane::ap, {5, 6, 7}, per_view).first_pixel);
  const Projection a = projection(bone, Plane::ml, {20, 0, 0}, rigid),
                   b = projection(bone, Plane::ml, {20, 0, 0}, per_view);
  EXPECT_LT(norm(a.first_pixel - b.first_pixel), 1e-9);
}

TEST(Views, PerspectiveMagnifiesWhatIsNearTheSource) {
  const Parameters v = views({{"source_isocentre", 900.0}});
  const BoneFrame bone = right_bone();
  const Projection p = projection(bone, Plane::ap, {}, v);
  const double spacing = pixel_spacing(bone, v);
  EXPECT_NEAR(spacing, 140.0 / 128, 1e-12);
  expect_image(image_of({10, 0, 0}, bone, p, spacing), 10, 0);
  expect_image(image_of({10, 90, 0}, bone, p, spacing), 10 / 0.9, 0);
  expect_image(image_of({10, -100, 0}, bone, p, spacing), 9, 0);
}

TEST(Views, FramedBonesFillTheSameShareOfTheImage) {
  BoneFrame bone = right_bone();
  const Parameters v = views({{"scaling", "framed"}});
  for (const double length : {80.0, 450.0}) {
    bone.length = length;
    EXPECT_NEAR(length / pixel_spacing(bone, v) / 128, 0.85, 1e-12);
  }
}

TEST(Views, QueryPosesAreOfOneBoneAndWithinTheirRanges) {
  const Parameters v = views({{"query_poses", std::int64_t{200}}});
  const auto a = query_poses(v, 7, "p01"), b = query_poses(v, 7, "p01"), c = query_poses(v, 7, "p02"),
             d = query_poses(v, 8, "p01");
  ASSERT_EQ(a.size(), 200U);
  EXPECT_EQ(a[5].axial, b[5].axial);
  EXPECT_NE(a[5].axial, c[5].axial);
  EXPECT_NE(a[5].axial, d[5].axial);
  std::set<double> axial;
  for (const Pose& pose : a) {
    EXPECT_LE(std::abs(pose.axial), 21);
    EXPECT_LE(std::abs(pose.in_plane), 21);
    EXPECT_LE(std::abs(pose.tilt), 5);
    EXPECT_NE(std::fmod(pose.axial, 3), 0) << "a query must not lie on the gallery's grid";
    axial.insert(pose.axial);
  }
  EXPECT_EQ(axial.size(), 200U);
  // More poses of a bone begin with the same ones.
  EXPECT_EQ(query_poses(views({{"query_poses", std::int64_t{3}}}), 7, "p01")[2].tilt, a[2].tilt);
}

TEST(Views, AFieldThatShowsLessThanHalfTheBoneIsAMistake) {
  BoneFrame bone = right_bone();
  bone.length = 430;
  try {
    (void)pixel_spacing(bone, views());
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "the image's height shows 140 mm, less than half of this bone (430 mm long): set views.field_of_view to "
        "about 540, or views.scaling = \"framed\"");
  }
}

TEST(Views, ASourceInsideTheBoneIsAMistake) {
  try {
    (void)projection(right_bone(), Plane::ap, {}, views({{"source_isocentre", 40.0}}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "views.source_isocentre = 40 mm puts the source into or beside a bone of 100 mm; choose at least its "
                 "length, or views.geometry = \"parallel\"");
  }
}

}  // namespace
}  // namespace osteon::imaging
