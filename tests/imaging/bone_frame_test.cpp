#include "imaging/bone_frame.hpp"

#include "real_femurs.hpp"

#include <osteon/error.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

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
  EXPECT_LT(angle_between(frame.anterior, {0, -1, 0}), 1) << "a box has few triangles";
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
  expect_same_axes(as_right, as_unknown, {}, 1e-4);
  const Mesh left = mirrored(right);
  expect_same_axes(find_bone_frame(left, Side::left), find_bone_frame(left, Side::unknown), {}, 1e-4);
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

/// +1 where x runs to the patient's left (LPS), -1 where it runs to the right: the data set holds both, and only both
/// femurs of a person together tell. Nothing for a person with one femur.
std::optional<int> x_sign(const std::map<std::pair<std::string, Side>, Mesh>& bones, const std::string& person) {
  const auto left = bones.find({person, Side::left}), right = bones.find({person, Side::right});
  if (left == bones.end() || right == bones.end()) return std::nullopt;
  return solid_centroid(left->second).x > solid_centroid(right->second).x ? 1 : -1;
}

TEST_F(RealFemurs, LieInTheBodyAsTheirFramesSay) {
  for (const auto& [name, bone] : bones_) {
    const auto [person, side] = name;
    SCOPED_TRACE(person + " " + to_text(side));
    const BoneFrame frame = find_bone_frame(bone, side);
    EXPECT_GT(frame.proximal.z, 0.8);
    EXPECT_NEAR(determinant({{frame.medial, frame.anterior, frame.proximal}}), side == Side::left ? 1 : -1, 1e-9);
    EXPECT_GT(frame.length, 400);
    EXPECT_LT(frame.length, 540);
    // The head reaches further medially than anything reaches laterally, the condyles further back than anything
    // forward.
    const Box box = bounding_box(in_bone_frame(bone, frame));
    EXPECT_GT(box.high.x, -box.low.x);
    EXPECT_GT(-box.low.y, box.high.y);
    if (const auto sign = x_sign(bones_, person)) {
      // The cadavers lie on their backs; one leg of z036 is turned out by almost a right angle.
      EXPECT_GT((side == Side::right ? 1 : -1) * *sign * frame.medial.x, 0.15);
      EXPECT_LT(*sign * frame.anterior.y, -0.15);
    }
  }
}

/// Root mean square of the distances from every 20th vertex of `a` to the nearest vertex of `b`.
double distance(const Mesh& a, const Mesh& b) {
  const auto points = a.vertices.slice(0, 0, a.vertices.size(0), 20);
  const auto nearest = std::get<0>(at::cdist(points, b.vertices).min(1));
  return std::sqrt(nearest.square().mean().item<double>());
}

TEST_F(RealFemurs, BothSidesOfAPersonCoincideInTheirFrames) {
  for (const auto& [name, left] : bones_) {
    const auto right = bones_.find({name.first, Side::right});
    if (name.second != Side::left || right == bones_.end()) continue;
    SCOPED_TRACE(name.first);
    const Mesh a = in_bone_frame(left, find_bone_frame(left, Side::left));
    const Mesh b = in_bone_frame(right->second, find_bone_frame(right->second, Side::right));
    // After the best rigid alignment twins are 0.7 to 2.1 mm apart; a degree about the long axis adds 0.5 mm.
    EXPECT_LT(distance(a, b), 4);
  }
}

TEST_F(RealFemurs, AFrameTurnsWithItsBone) {
  for (const auto& [name, bone] : bones_) {
    SCOPED_TRACE(name.first);
    const BoneFrame straight = find_bone_frame(bone, name.second);
    for (const Vec3 axis : {Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{1, -1, 2}})
      expect_same_axes(straight, find_bone_frame(turned(bone, axis, 20), name.second),
                       rotation(normalised(axis), radians(20)), 0.5);
  }
}

TEST_F(RealFemurs, TheAnatomyTellsWhichEndIsProximalWhenTheBoneLiesAcross) {
  for (const auto& [name, bone] : bones_) {
    SCOPED_TRACE(name.first);
    const BoneFrame straight = find_bone_frame(bone, name.second);
    for (const double angle : {-90.0, 90.0})
      expect_same_axes(straight, find_bone_frame(turned(bone, {1, 0, 0}, angle), name.second),
                       rotation({1, 0, 0}, radians(angle)), 0.5);
  }
}

/// The rotation (degrees about the axes of the first frame) that is left between two surfaces that should coincide: 15
/// rounds of nearest points and Kabsch's rotation (Acta Cryst. A32, 1976).
Vec3 rotation_between(const Mesh& a, const Mesh& b) {
  at::Tensor moving =
      a.vertices.slice(0, 0, a.vertices.size(0), std::max<std::int64_t>(1, a.vertices.size(0) / 800)).to(at::kDouble);
  const at::Tensor still =
      b.vertices.slice(0, 0, b.vertices.size(0), std::max<std::int64_t>(1, b.vertices.size(0) / 4000)).to(at::kDouble);
  at::Tensor total = at::eye(3, at::kDouble);
  for (int round = 0; round < 15; ++round) {
    const at::Tensor nearest = still.index_select(0, std::get<1>(at::cdist(moving, still).min(1)));
    const at::Tensor p = moving - moving.mean(0), q = nearest - nearest.mean(0);
    const auto [u, s, v] = at::svd(at::matmul(p.t(), q));
    at::Tensor flip = at::eye(3, at::kDouble);
    flip[2][2] = at::linalg_det(at::matmul(v, u.t())).item<double>() < 0 ? -1.0 : 1.0;
    const at::Tensor turn = at::matmul(at::matmul(v, flip), u.t());
    moving = at::matmul(p, turn.t()) + nearest.mean(0);
    total = at::matmul(turn, total);
  }
  const auto r = [&](int i, int j) { return total[i][j].item<double>(); };
  return {degrees(std::atan2(r(2, 1), r(2, 2))), degrees(std::asin(std::clamp(-r(2, 0), -1.0, 1.0))),
          degrees(std::atan2(r(1, 0), r(0, 0)))};
}

TEST_F(RealFemurs, BothSidesOfAPersonHaveTheSameAxes) {
  double worst = 0, squares = 0, other = 0;
  int pairs = 0;
  for (const auto& [name, left] : bones_) {
    const auto right = bones_.find({name.first, Side::right});
    if (name.second != Side::left || right == bones_.end()) continue;
    const BoneFrame l = find_bone_frame(left, Side::left), r = find_bone_frame(right->second, Side::right);
    EXPECT_EQ(l.found_by, "the posterior condyles and the femoral head's sphere") << name.first;
    const Vec3 angle = rotation_between(in_bone_frame(left, l), in_bone_frame(right->second, r));
    std::printf(
        "  %s: left against right %.1f° axial, %.1f° and %.1f° of the long axis; head radius %.1f and %.1f mm\n",
        name.first.c_str(), angle.z, angle.x, angle.y, l.head_radius, r.head_radius);
    worst = std::max(worst, std::abs(angle.z));
    squares += angle.z * angle.z;
    other = std::max({other, std::abs(angle.x), std::abs(angle.y)});
    ++pairs;
  }
  std::printf("  %d people: axial root mean square %.2f°, largest %.1f°; long axis at most %.1f°\n", pairs,
              std::sqrt(squares / pairs), worst, other);
  EXPECT_LT(worst, 6);
  EXPECT_LT(other, 2);
}

TEST_F(RealFemurs, TheShapeTellsTheSide) {
  for (const auto& [name, bone] : bones_) {
    const BoneFrame frame = find_bone_frame(bone, Side::unknown);
    EXPECT_EQ(to_text(frame.side_by_shape), to_text(name.second)) << name.first;
    EXPECT_EQ(frame.side, name.second) << name.first;
    ASSERT_TRUE(frame.hip_centre && frame.knee_centre) << name.first;
    EXPECT_GT(frame.head_radius, 19) << name.first;
    EXPECT_LT(frame.head_radius, 30) << name.first;
    const double tilt = angle_between(normalised(*frame.hip_centre - *frame.knee_centre), frame.proximal);
    EXPECT_GT(tilt, 1) << name.first;
    EXPECT_LT(tilt, 9) << name.first;
  }
}

/// What is left when everything below (or above) a share of the length is cut off: it is drawn together to one point in
/// the middle of the cut, so that the surface stays closed.
Mesh cut(const Mesh& mesh, double share, bool below) {
  const Box box = bounding_box(mesh);
  const double z = box.low.z + share * (box.high.z - box.low.z);
  Mesh result{mesh.vertices.clone(), mesh.triangles};
  const at::Tensor height = mesh.vertices.select(1, 2);
  at::Tensor middle = mesh.vertices.index({(height - z).abs() < 5}).mean(0);
  middle[2] = z;
  result.vertices.index_put_({below ? height < z : height > z}, middle);
  return result;
}

TEST_F(RealFemurs, ATruncatedBoneKeepsWhatTheOtherEndTells) {
  double proximal_part = 0, distal_part = 0;
  for (const auto& [name, bone] : bones_) {
    SCOPED_TRACE(name.first + " " + to_text(name.second));
    const BoneFrame whole = find_bone_frame(bone, name.second);
    const BoneFrame top = find_bone_frame(cut(bone, 0.35, true), name.second);
    EXPECT_EQ(top.found_by, "the femoral head alone, for the condyles are missing");
    EXPECT_EQ(top.side_by_shape, Side::unknown);
    proximal_part = std::max(proximal_part, angle_between(top.medial, whole.medial));
    const auto sign = x_sign(bones_, name.first);
    if (!sign || *sign < 0 || whole.medial.x * (name.second == Side::right ? 1 : -1) < 0.2) continue;
    const BoneFrame bottom = find_bone_frame(cut(bone, 0.7, false), name.second);
    EXPECT_EQ(bottom.found_by, "the posterior condyles and the patient's axes, for the femoral head is missing");
    distal_part = std::max(distal_part, angle_between(bottom.medial, whole.medial));
  }
  std::printf("  medial direction of a truncated bone: without condyles at most %.1f°, without head %.1f° off\n",
              proximal_part, distal_part);
  EXPECT_LT(proximal_part, 60) << "the head's direction is the condyles' but for the anteversion";
  EXPECT_LT(distal_part, 10);
}

TEST_F(RealFemurs, AShaftAloneIsRefused) {
  try {
    (void)find_bone_frame(cut(cut(bones_.begin()->second, 0.3, true), 0.7, false), Side::right);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "neither a femoral head nor condyles stand out from the shaft: is the bone cut off at both ends?");
  }
}

}  // namespace
}  // namespace osteon::imaging
