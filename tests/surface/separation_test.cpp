// Bones that touch: parted where the bridge between them is narrowest, and the right one of them taken.

#include "scenes.hpp"

#include <gtest/gtest.h>

namespace osteon::test {
namespace {

Given parting(double bridge) { return {{"separation", bridge}, {"triangles", std::int64_t{0}}}; }

/// Two balls of 9 and 6 mm along y that share a lens about 4 mm wide.
const Vec3 kNeighbour = kMiddle + Vec3{0, 14.45, 0};
const Grid kTwoBalls = tilted_grid({72, 96, 50});

Vec3 shifted(Vec3 p) { return p - Vec3{0, -7, 0}; }

Volume touching_balls(double radius = 9, double small = 6) {
  return blurred(kTwoBalls, [=](Vec3 p) {
    return std::min(ball(kMiddle, radius)(shifted(p)), ball(kNeighbour, small)(shifted(p)));
  });
}

/// Largest distance of the vertices from a sphere, mm.
double off_the_ball(const Mesh& mesh, Vec3 middle, double radius) {
  double largest = 0;
  for (std::int64_t v = 0; v < mesh.vertices.size(0); ++v)
    largest = std::max(largest, std::abs(norm(shifted(vertex(mesh, v)) - middle) - radius));
  return largest;
}

TEST(Separation, PartsTwoBallsThatTouch) {
  const Mesh joined = extract(touching_balls());
  EXPECT_NEAR(enclosed_volume(joined), sphere_volume(9) + sphere_volume(6), 0.02 * sphere_volume(9))
      << "not asked for, nothing is parted";
  const Mesh parted = extract(touching_balls(), parting(6));
  require_closed(parted, "the larger ball");
  EXPECT_NEAR(enclosed_volume(parted), sphere_volume(9), 0.01 * sphere_volume(9));
  EXPECT_LT(off_the_ball(parted, kMiddle, 9), 0.8) << "a voxel, where the balls were cut apart";
}

TEST(Separation, LeavesABridgeThatIsWiderThanSaid) {
  EXPECT_TRUE(at::equal(extract(touching_balls(), parting(2)).vertices,
                        extract(touching_balls(), {{"triangles", std::int64_t{0}}}).vertices));
}

TEST(Separation, LeavesABoneAloneThatTouchesNothing) {
  // A body with a waist of 8 mm.
  const Volume volume = blurred(tilted_grid(), [](Vec3 p) {
    const Vec3 q = p - kMiddle;
    return std::hypot(q.x, q.y, std::max(0.0, std::abs(q.z) - 8)) - (4 + 0.05 * std::min(64.0, q.z * q.z));
  });
  const Mesh standard = extract(volume), asked = extract(volume, {{"separation", 6.0}});
  EXPECT_TRUE(at::equal(standard.vertices, asked.vertices));
}

/// A hollow head (cortex of 1.5 mm) of 8 mm in a hollow socket of 9.6 to 15.6 mm, and a bridge 2.4 mm wide between
/// them.
double hip(Vec3 p) {
  const Vec3 q = p - kMiddle;
  const double head = std::abs(norm(q) - 7.25) - 0.75;
  const double cup = std::max(std::abs(norm(q) - 12.6) - 3, q.y - 2);
  const double socket = std::abs(cup + 0.75) - 0.75;
  const double bridge = q.y < -7 && q.y > -10.5 ? std::hypot(q.x, q.z) - 1.2 : 100;
  return std::min({head, socket, bridge});
}

TEST(Separation, PartsAHollowHeadFromItsHollowSocket) {
  Given given = parting(3.2);
  given["closing"] = 0.5;
  const Volume volume = blurred(tilted_grid({80, 72, 54}), hip);
  const Mesh mesh = extract(volume, given);
  require_closed(mesh, "the socket");
  // A hollow hemisphere and 2 mm more, filled; without the head.
  const double expected =
      (sphere_volume(15.6) - sphere_volume(9.6)) / 2 + std::numbers::pi * 2 * (15.6 * 15.6 - 9.6 * 9.6);
  EXPECT_NEAR(enclosed_volume(mesh), expected, 0.03 * expected);
}

TEST(Separation, FreesABoneFromANeighbourThatIsCut) {
  const Volume volume = blurred(tilted_grid(), [](Vec3 p) {
    return std::min(ball(kMiddle, 9)(p), ball(kMiddle + Vec3{0, 0, 17.6}, 9)(p));
  });
  EXPECT_EQ(
      refusal(volume),
      "surface/isosurface: the bone leaves the volume towards the patient's head (voxel k = 49), so its surface "
      "can't be closed; give a volume that holds the whole bone, or set surface.separation if a neighbour that is "
      "cut has grown together with it, or surface.skip_cut = true if this is a larger neighbour");
  EXPECT_NEAR(enclosed_volume(extract(volume, parting(8))), sphere_volume(9), 0.02 * sphere_volume(9));
}

/// A shaft along z that both ends of the volume cut, hollow, beside a smaller ball that is whole and touches it.
Volume ball_beside_a_cut_shaft() {
  return blurred(tilted_grid(), [](Vec3 p) {
    const Vec3 q = transposed(tilted_grid().direction) * (p - kMiddle);
    const double shaft = std::abs(std::hypot(q.x - 7, q.y) - 5.5) - 1.5;
    return std::min(shaft, norm(q - Vec3{-6.6, 0, 0}) - 6.8);
  });
}

TEST(SkipCut, TakesTheWholeBoneThoughALargerNeighbourIsCut) {
  Given given = parting(6);
  given["closing"] = 1.0;
  EXPECT_TRUE(refusal(ball_beside_a_cut_shaft(), given).starts_with("surface/isosurface: the bone leaves the volume"));
  given["skip_cut"] = true;
  const Mesh mesh = extract(ball_beside_a_cut_shaft(), given);
  require_closed(mesh, "the ball");
  EXPECT_NEAR(enclosed_volume(mesh), sphere_volume(6.8), 0.03 * sphere_volume(6.8));
}

TEST(SkipCut, RefusesWhenEveryPieceIsCut) {
  const Volume volume = blurred(tilted_grid(), ball(kMiddle + Vec3{0, 0, 15}, 11));
  EXPECT_EQ(
      refusal(volume, {{"skip_cut", true}}),
      "surface/isosurface: every piece of bone leaves the volume (the largest towards the patient's head (voxel k = "
      "49)), so none has a closed surface; give a volume that holds the whole bone, or set surface.separation if a "
      "neighbour that is cut has grown together with it");
}

TEST(SkipCut, DoesNotTakeASpeckForTheBone) {
  const Volume volume = blurred(tilted_grid(), [](Vec3 p) {
    return std::min(ball(kMiddle + Vec3{0, 0, 15}, 11)(p), ball(kMiddle - Vec3{0, 0, 10}, 1.5)(p));
  });
  EXPECT_TRUE(refusal(volume, {{"skip_cut", true}}).starts_with("surface/isosurface: every piece of bone leaves"));
}

TEST(IsoSurface, RefusesToChooseBetweenTwoBonesOfAboutEqualSize) {
  const Volume volume = blurred(tilted_grid({72, 120, 50}), [](Vec3 p) {
    return std::min(ball(kMiddle - Vec3{0, 15, 0}, 9)(p), ball(kMiddle + Vec3{0, 15, 0}, 8.9)(p));
  });
  EXPECT_EQ(
      refusal(volume),
      "surface/isosurface: two bones of about equal size, 3.1 cm³ around (-32, -3, 481) and 3 cm³ around (-32, 27, "
      "481) (mm, patient coordinates): which of them is meant can't be told; give a volume or a label map of one of "
      "them");
}

}  // namespace
}  // namespace osteon::test
