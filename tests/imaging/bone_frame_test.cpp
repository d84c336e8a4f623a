#include "imaging/bone_frame.hpp"

#include "real_femurs.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace osteon::imaging {
namespace {

double angle_between(Vec3 a, Vec3 b) { return degrees(std::acos(std::clamp(dot(a, b), -1.0, 1.0))); }

/// A closed box, outward.
Mesh box(Vec3 low, Vec3 high) {
  std::vector<float> vertices;
  for (int i = 0; i < 8; ++i)
    for (int axis = 0; axis < 3; ++axis)
      vertices.push_back(static_cast<float>((i >> axis & 1) != 0 ? high[axis] : low[axis]));
  std::vector<std::int32_t> triangles = {0, 2, 3, 0, 3, 1, 4, 5, 7, 4, 7, 6, 0, 1, 5, 0, 5, 4,
                                         2, 6, 7, 2, 7, 3, 0, 4, 6, 0, 6, 2, 1, 3, 7, 1, 7, 5};
  return {at::tensor(vertices).view({-1, 3}), at::tensor(triangles, at::kInt).view({-1, 3})};
}

Mesh joined(const std::vector<Mesh>& parts) {
  std::vector<at::Tensor> vertices, triangles;
  std::int64_t offset = 0;
  for (const Mesh& part : parts) {
    vertices.push_back(part.vertices);
    triangles.push_back(part.triangles + offset);
    offset += part.vertices.size(0);
  }
  return {at::cat(vertices).contiguous(), at::cat(triangles).to(at::kInt).contiguous()};
}

/// A right femur of boxes: finely cut shaft along z, a head towards +x (medial), condyles wide in x. 400 mm long.
Mesh box_femur() {
  std::vector<Mesh> parts;
  for (int i = 0; i < 40; ++i) {
    const double z = -200 + 10 * i;
    if (i < 5)
      parts.push_back(box({-40, -25, z}, {40, 25, z + 10}));
    else if (i < 36)
      parts.push_back(box({-14, -14, z}, {14, 14, z + 10}));
    else
      parts.push_back(box({-20, -18, z}, {50, 18, z + 10}));
  }
  return joined(parts);
}

Mesh mirrored(const Mesh& mesh) { return transformed(mesh, {{{{-1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, {}}); }

Mesh turned(const Mesh& mesh, Vec3 axis, double angle) {
  return transformed(mesh, {rotation(normalised(axis), radians(angle)), {12, -34, 56}});
}

void expect_same_axes(const BoneFrame& a, const BoneFrame& b, const Mat3& map, double tolerance) {
  EXPECT_LT(angle_between(map * a.medial, b.medial), tolerance);
  EXPECT_LT(angle_between(map * a.anterior, b.anterior), tolerance);
  EXPECT_LT(angle_between(map * a.proximal, b.proximal), tolerance);
}

TEST(BoneFrame, FindsTheAxesOfARightBoneOfBoxes) {
  const BoneFrame frame = find_bone_frame(box_femur(), Side::right);
  EXPECT_LT(angle_between(frame.proximal, {0, 0, 1}), 5);
  EXPECT_LT(angle_between(frame.medial, {1, 0, 0}), 5);
  EXPECT_LT(angle_between(frame.anterior, {0, -1, 0}), 1);
  EXPECT_NEAR(determinant({{frame.medial, frame.anterior, frame.proximal}}), -1, 1e-9);
  EXPECT_NEAR(frame.length, 400, 5);
}

TEST(BoneFrame, MirroredTwinHasTheMirroredFrame) {
  const Mesh right = box_femur();
  const Mesh left = mirrored(right);
  const BoneFrame r = find_bone_frame(right, Side::right), l = find_bone_frame(left, Side::left);
  expect_same_axes(r, l, {{{-1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}, 1e-3);
  const Mesh a = in_bone_frame(right, r), b = in_bone_frame(left, l);
  EXPECT_TRUE(at::allclose(a.vertices, b.vertices, 0, 1e-3));
  EXPECT_GT(enclosed_volume(a), 0) << "the mirrored surface must still look outwards";
  EXPECT_GT(enclosed_volume(b), 0);
  EXPECT_LT(norm(solid_centroid(a)), 1e-3);
}

TEST(BoneFrame, UnknownSideLooksToThePatientsFront) {
  const Mesh right = box_femur();
  const BoneFrame as_right = find_bone_frame(right, Side::right), as_unknown = find_bone_frame(right, Side::unknown);
  expect_same_axes(as_right, as_unknown, {}, 1e-9);
  const Mesh left = mirrored(right);
  expect_same_axes(find_bone_frame(left, Side::left), find_bone_frame(left, Side::unknown), {}, 1e-9);
}

TEST(BoneFrame, FollowsABoneTurnedInAnyWay) {
  const Mesh bone = box_femur();
  const BoneFrame straight = find_bone_frame(bone, Side::right);
  for (const Vec3 axis : {Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{0, 0, 1}, Vec3{1, 2, -1}})
    for (const double angle : {-20.0, 20.0, 40.0, 90.0}) {
      const BoneFrame frame = find_bone_frame(turned(bone, axis, angle), Side::right);
      expect_same_axes(straight, frame, rotation(normalised(axis), radians(angle)), 0.01);
    }
}

TEST(BoneFrame, RefusesWhatIsNotElongated) {
  try {
    (void)find_bone_frame(box({-1, -1, -1}, {1, 1, 1.5}), Side::right);
    FAIL() << "a cube was taken for a long bone";
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "the surface is no long bone: it is 1.25 times as long as wide (by its moments), and a femur more than 2.5 "
        "times; is it cut off, or does it hold more than one bone?");
  }
}

class RealFemurs : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::is_directory(test::femur_folder()))
      GTEST_SKIP() << "no real femurs at " << test::femur_folder();
    for (const auto& entry : std::filesystem::directory_iterator(test::femur_folder())) {
      if (entry.path().extension() != ".ply") continue;
      const std::string name = entry.path().stem().string();  // z001_Femur_L
      bones_[{name.substr(0, 4), name.back() == 'L' ? Side::left : Side::right}] = test::read_femur(entry.path());
    }
    ASSERT_FALSE(bones_.empty());
  }

  std::map<std::pair<std::string, Side>, Mesh> bones_;
};

TEST_F(RealFemurs, LieInTheBodyAsAFrameSays) {
  for (const auto& [name, bone] : bones_) {
    const Side side = name.second;
    const BoneFrame frame = find_bone_frame(bone, side);
    if (std::getenv("VERBOSE")) {
      const Box b = bounding_box(in_bone_frame(bone, frame));
      printf(
          "%s %s m(%.2f %.2f %.2f) a(%.2f %.2f %.2f) p(%.2f %.2f %.2f) L %.0f x %.0f..%.0f y %.0f..%.0f z %.0f..%.0f\n",
          name.first.c_str(), to_text(side).c_str(), frame.medial.x, frame.medial.y, frame.medial.z, frame.anterior.x,
          frame.anterior.y, frame.anterior.z, frame.proximal.x, frame.proximal.y, frame.proximal.z, frame.length,
          b.low.x, b.high.x, b.low.y, b.high.y, b.low.z, b.high.z);
    }
    SCOPED_TRACE(name.first + " " + to_text(side));
    EXPECT_GT(side == Side::right ? frame.medial.x : -frame.medial.x, 0.5);
    EXPECT_LT(frame.anterior.y, -0.5);
    EXPECT_GT(frame.proximal.z, 0.9);
    EXPECT_NEAR(determinant({{frame.medial, frame.anterior, frame.proximal}}), side == Side::left ? 1 : -1, 1e-9);
  }
}

TEST_F(RealFemurs, BothSidesOfAPersonHaveMirroredFrames) {
  // The twins are laid over one another by their own frames; if those are good, their condyles and heads meet.
  for (const auto& [name, left] : bones_) {
    const auto right = bones_.find({name.first, Side::right});
    if (name.second != Side::left || right == bones_.end()) continue;
    SCOPED_TRACE(name.first);
    const Mesh a = in_bone_frame(left, find_bone_frame(left, Side::left));
    const Mesh b = in_bone_frame(right->second, find_bone_frame(right->second, Side::right));
    const Box box_a = bounding_box(a), box_b = bounding_box(b);
    if (std::getenv("VERBOSE"))
      printf("%s low %.1f %.1f %.1f high %.1f %.1f %.1f\n", name.first.c_str(), (box_a.low - box_b.low).x,
             (box_a.low - box_b.low).y, (box_a.low - box_b.low).z, (box_a.high - box_b.high).x,
             (box_a.high - box_b.high).y, (box_a.high - box_b.high).z);
    EXPECT_LT(norm(box_a.low - box_b.low), 8);
    EXPECT_LT(norm(box_a.high - box_b.high), 8);
  }
}

}  // namespace
}  // namespace osteon::imaging
