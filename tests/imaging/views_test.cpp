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
  const Parameters v = views({{"source_detector", 1000.0}});
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

double largest_tilt(const std::vector<Pose>& poses) {
  double largest = 0;
  for (const Pose& pose : poses) largest = std::max(largest, std::abs(pose.tilt));
  return largest;
}

TEST(Views, ADrawnGalleryAndItsQueriesTiltEachByItsOwnRange) {
  const auto with = [](double gallery, double queries) {
    return views({{"gallery", std::string("random")},
                  {"gallery_poses", std::int64_t{300}},
                  {"query_poses", std::int64_t{300}},
                  {"gallery_tilt", gallery},
                  {"drawn_tilt", queries}});
  };
  for (const auto& [gallery, queries] : {std::pair{12.0, 3.0}, {2.0, 20.0}}) {
    const double of_gallery = largest_tilt(gallery_poses(with(gallery, queries), 7, "p01"));
    const double of_queries = largest_tilt(query_poses(with(gallery, queries), 7, "p01"));
    EXPECT_LE(of_gallery, gallery);
    EXPECT_GT(of_gallery, 0.9 * gallery);
    EXPECT_LE(of_queries, queries);
    EXPECT_GT(of_queries, 0.9 * queries);
  }
  // The other angles are the same ones, only the tilt is wider: a curve over the tilt changes nothing else.
  const auto narrow = gallery_poses(with(5, 5), 7, "p01"), wide = gallery_poses(with(10, 5), 7, "p01");
  EXPECT_EQ(narrow[9].axial, wide[9].axial);
  EXPECT_EQ(narrow[9].in_plane, wide[9].in_plane);
  EXPECT_NEAR(2 * narrow[9].tilt, wide[9].tilt, 1e-12);
  EXPECT_EQ(largest_tilt(gallery_poses(with(0, 20), 7, "p01")), 0);
}

TEST(Views, ATiltOfTheDrawnGalleryLeavesTheGridAlone) {
  const auto plain = gallery_poses(views(), 7, "p01"),
             tilted = gallery_poses(views({{"gallery_tilt", 30.0}}), 7, "p01");
  ASSERT_EQ(plain.size(), tilted.size());
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_EQ(tilted[i].tilt, plain[i].tilt);
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
    (void)projection(right_bone(), Plane::ap, {}, views({{"source_detector", 140.0}}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "views.source_detector - views.object_detector = 40 mm puts the source into or beside a bone of 100 mm; "
        "choose at least its length, or views.geometry = \"parallel\"");
  }
}

TEST(Views, ABoneBehindTheSourceIsAMistake) {
  try {
    (void)magnification(views({{"source_detector", 80.0}}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "views.object_detector = 100 mm puts the bone behind the source, which is 80 mm (views.source_detector) "
        "from the detector");
  }
}

TEST(Views, MagnificationIsTheDistancesRatio) {
  EXPECT_DOUBLE_EQ(magnification(views({{"source_detector", 1150.0}, {"object_detector", 100.0}})), 1150.0 / 1050);
  EXPECT_EQ(magnification(views({{"geometry", "parallel"}})), 1);
}

TEST(Views, AQueryGridAndARandomGalleryAreThere) {
  EXPECT_EQ(query_poses(views({{"queries", "grid"}}), 1, "p01").size(), 225U);
  const auto poses = gallery_poses(views({{"gallery", "random"}, {"gallery_poses", std::int64_t{40}}}), 1, "p01");
  ASSERT_EQ(poses.size(), 40U);
  EXPECT_NE(poses[0].tilt, 0);
  EXPECT_NE(poses[0].axial, query_poses(views(), 1, "p01")[0].axial) << "gallery and queries must differ";
}

TEST(Views, ClinicalPairsHaveTheirSpreads) {
  const Parameters v = views({{"query_poses", std::int64_t{2000}},
                              {"drawn_tilt", 10.0},
                              {"drawn", "view"},
                              {"ap_ml_spread", 5.0},
                              {"scale_error", 2.0},
                              {"ap_shorter", 6.0}});
  double squares = 0, ratio = 0, largest_angle = 0;
  int apart = 0;
  for (const Pose& pose : query_poses(v, 1, "p01")) {
    const Angles ml = angles_of(pose, Plane::ml);
    EXPECT_LE(std::abs(ml.tilt), 10);
    EXPECT_LE(std::abs(ml.in_plane), 21);
    largest_angle = std::max(largest_angle, std::abs(ml.axial - pose.axial));
    apart += std::abs(ml.tilt - pose.tilt) > 1 ? 1 : 0;
    squares += (pose.ml_scale - 1) * (pose.ml_scale - 1);
    ratio += pose.ap_scale / pose.ml_scale;
  }
  EXPECT_LE(largest_angle, 5);
  EXPECT_GT(largest_angle, 4.9);
  EXPECT_GT(apart, 1500);
  EXPECT_NEAR(std::sqrt(squares / 2000), 0.02, 0.001);
  EXPECT_NEAR(ratio / 2000, 0.94, 0.003);
  // The gallery's grid stays as it is unless errors_in says otherwise.
  EXPECT_EQ(gallery_poses(v)[0].ap_scale, 1);
}

TEST(Views, AScaleErrorEnlargesTheImageButNotTheToldSpacing) {
  const Parameters v = views({{"geometry", "parallel"}});
  const BoneFrame bone = right_bone();
  Pose pose;
  pose.ap_scale = 1.05;
  const double told = pixel_spacing(bone, v);
  expect_image(image_of({10, 0, 20}, bone, projection(bone, Plane::ap, pose, v), told), 10.5, -21);
  expect_image(image_of({0, -10, 20}, bone, projection(bone, Plane::ml, pose, v), told), 10, -20);
}

TEST(Views, TheApMlAngleTurnsTheMlViewAlone) {
  const Parameters v = views({{"geometry", "parallel"}});
  Pose pose;
  pose.ml_axial_more = 5;
  const Vec3 ap = projection(right_bone(), Plane::ap, pose, v).direction;
  const Vec3 ml = projection(right_bone(), Plane::ml, pose, v).direction;
  EXPECT_NEAR(std::abs(degrees(std::acos(dot(ap, ml))) - 90), 5, 1e-9);
}

TEST(Views, ASlotScanIsParallelAlongTheBoneAndPerspectiveAcross) {
  const Parameters v = views({{"geometry", "slot"}});
  const BoneFrame bone = right_bone();
  const ViewAxes axes = view_axes(bone, Plane::ap, {}, v);
  const auto [x, y] = axes.shadow(bone.origin + bone.medial * 10 + bone.anterior * 90 + bone.proximal * 40);
  EXPECT_NEAR(x, 10 / 0.9, 1e-9);
  EXPECT_NEAR(y, 40, 1e-9);
  const auto [far_x, far_y] =
      view_axes(bone, Plane::ap, {}, views()).shadow(bone.origin + bone.anterior * 90 + bone.proximal * 40);
  EXPECT_NEAR(far_x, 0, 1e-9);
  EXPECT_NEAR(far_y, 40 / 0.9, 1e-9);
}

TEST(Views, ShadowsAgreeWithTheRenderersRays) {
  for (const char* geometry : {"perspective", "parallel"}) {
    const Parameters v = views({{"geometry", geometry}, {"axial_offset", 7.0}});
    const Pose pose{12, -5, 17};
    const Vec3 point{7, -12, 31};
    const BoneFrame bone = left_bone();
    const auto seen = image_of(point, bone, projection(bone, Plane::ml, pose, v), pixel_spacing(bone, v));
    const Vec3 in_patient = bone.origin + bone.medial * point.x + bone.anterior * point.y + bone.proximal * point.z;
    const auto [x, y] = view_axes(bone, Plane::ml, pose, v).shadow(in_patient);
    expect_image(seen, x, -y);
  }
}

TEST(Views, OffsetsTurnTheAxesBeforeThePose) {
  const BoneFrame bone = right_bone();
  const Parameters turned = views({{"geometry", "parallel"}, {"axial_offset", 15.0}}),
                   plain = views({{"geometry", "parallel"}});
  EXPECT_LT(norm(projection(bone, Plane::ap, {5, 0, 0}, turned).first_pixel -
                 projection(bone, Plane::ap, {20, 0, 0}, plain).first_pixel),
            1e-9);
  const Parameters tilted = views({{"geometry", "parallel"}, {"tilt_offset", 15.0}}),
                   rolled = views({{"geometry", "parallel"}, {"in_plane_offset", 15.0}});
  EXPECT_LT(norm(projection(bone, Plane::ap, {}, tilted).direction -
                 projection(bone, Plane::ap, {0, 15, 0}, plain).direction),
            1e-9);
  EXPECT_LT(
      norm(projection(bone, Plane::ap, {}, rolled).row_step - projection(bone, Plane::ap, {0, 0, 15}, plain).row_step),
      1e-9);
}

TEST(Views, AxesCanBeThePatientsOrTheMechanicalOnes) {
  BoneFrame bone = left_bone();
  const Mat3 turn = rotation(normalised(Vec3{1, 2, 3}), 0.4);
  bone.medial = turn * bone.medial;
  bone.anterior = turn * bone.anterior;
  bone.proximal = turn * bone.proximal;
  const BoneFrame patient = viewed_frame(bone, views({{"axes", "patient"}}));
  EXPECT_LT(norm(patient.medial - Vec3{-1, 0, 0}), 1e-12);
  EXPECT_LT(norm(patient.anterior - Vec3{0, -1, 0}), 1e-12);
  EXPECT_LT(norm(patient.proximal - Vec3{0, 0, 1}), 1e-12);
  bone.knee_centre = bone.origin - bone.proximal * 50;
  bone.hip_centre = bone.origin + bone.proximal * 40 + bone.medial * 9;
  const BoneFrame mechanical = viewed_frame(bone, views({{"axes", "mechanical"}}));
  EXPECT_LT(norm(mechanical.proximal - normalised(*bone.hip_centre - *bone.knee_centre)), 1e-12);
  EXPECT_NEAR(dot(mechanical.anterior, bone.anterior), 1, 1e-12);
  EXPECT_NEAR(determinant({{mechanical.medial, mechanical.anterior, mechanical.proximal}}), 1, 1e-12);
  bone.hip_centre.reset();
  try {
    (void)viewed_frame(bone, views({{"axes", "mechanical"}}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "views.axes = \"mechanical\" needs the centres of hip and knee, and the bone's femoral head was not "
                 "found; use \"shaft\" or \"patient\"");
  }
}

}  // namespace
}  // namespace osteon::imaging
