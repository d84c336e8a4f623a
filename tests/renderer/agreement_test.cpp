// What all renderers must have in common, and how closely they agree with one another.

#include "scenes.hpp"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace osteon {
namespace {

using namespace scenes;

const Mat3 kTurned = rotation(normalised({1, 2, 3}), 0.7);

/// A perspective and a parallel view of a femur from an oblique direction, and one along an axis of the grid.
std::vector<Projection> views(std::int64_t rows, std::int64_t columns, double pitch) {
  const Projection oblique = parallel({1, 0.45, 0.2}, kCentre, rows, columns, pitch);
  const Projection along = parallel({0, 1, 0}, kCentre, rows, columns, pitch);
  return {oblique, perspective(oblique, kCentre, 600), along, perspective(along, kCentre, 450)};
}

at::Tensor project(const std::string& name, const Volume& v, const std::vector<Projection>& exposures) {
  return renderer(name).prepare(v).project(exposures);
}

class EveryRenderer : public testing::TestWithParam<std::string> {};

TEST_P(EveryRenderer, ShowsAPointWhereItIs) {
  // Small Gaussian balls of water: the centre of each one's shadow is the shadow of its centre.
  const std::vector<Vec3> places = {{0, 0, 0}, {11.3, -7.2, 16.4}, {-12.6, 9.1, -14.7}};
  for (const auto& [spacing, direction] : {std::pair{Vec3{1, 1, 1}, Mat3{}}, std::pair{Vec3{0.7, 1.0, 1.3}, kTurned}}) {
    const std::array<std::int64_t, 3> size = {72, 54, 48};
    for (const Vec3 place : places) {
      const Vec3 ball = kCentre + direction * place;
      const Volume v = volume(size, spacing, direction, [&](Vec3 p) {
        return -1000 + 1000 * std::exp(-dot(p - ball, p - ball) / (2 * 1.8 * 1.8));
      });
      // Not the voxels' own size: voxels of constant value, met once each by rays along an axis, may appear anywhere
      // within half a voxel.
      const auto exposures = views(105, 99, 0.77);
      const auto integrals = project(GetParam(), v, exposures);
      for (std::size_t e = 0; e < exposures.size(); ++e) {
        const at::Tensor shadow = integrals[static_cast<std::int64_t>(e)][0].to(at::kDouble);
        const double sum = shadow.sum().item<double>();
        ASSERT_GT(sum, 1);
        const double column = (shadow.sum(0) * at::arange(99, at::kDouble)).sum().item<double>() / sum;
        const double row = (shadow.sum(1) * at::arange(105, at::kDouble)).sum().item<double>() / sum;
        const auto [expected_column, expected_row] = pixel_of(exposures[e], ball);
        EXPECT_NEAR(column, expected_column, 0.1) << "exposure " << e;
        EXPECT_NEAR(row, expected_row, 0.1) << "exposure " << e;
      }
    }
  }
}

/// The same voxels with their axes in another order and direction. `order[a]` is the old axis that becomes axis a,
/// `flip[a]` whether it runs the other way.
Volume stored_otherwise(const Volume& v, std::array<int, 3> order, std::array<bool, 3> flip) {
  Volume result;
  Vec3 first{};
  std::vector<std::int64_t> dimensions, flipped;
  for (int a = 0; a < 3; ++a) {
    const auto axis = static_cast<std::size_t>(a);
    const int old = order[axis];
    const auto count = v.grid.size[static_cast<std::size_t>(old)];
    result.grid.size[axis] = count;
    result.grid.spacing[a] = v.grid.spacing[old];
    result.grid.direction.column[a] = v.grid.direction.column[old] * (flip[axis] ? -1 : 1);
    if (flip[axis]) first[old] = static_cast<double>(count - 1), flipped.push_back(2 - a);
  }
  result.grid.origin = v.grid.to_patient(first);
  for (int a = 2; a >= 0; --a) dimensions.push_back(2 - order[static_cast<std::size_t>(a)]);
  result.hounsfield = v.hounsfield.permute(dimensions).flip(flipped).contiguous();
  result.check();
  return result;
}

TEST_P(EveryRenderer, SeesTheSameHoweverTheVolumeIsStored) {
  const Volume bone = femur(1.6, rotation({0, 0, 1}, 0.2), {1, 0.8, 1.25});
  const auto exposures = views(50, 34, 2);
  const at::Tensor expected = project(GetParam(), bone, exposures);
  const std::vector<std::pair<std::array<int, 3>, std::array<bool, 3>>> orders = {
      {{0, 1, 2}, {true, true, false}},  {{0, 1, 2}, {false, true, true}},  {{1, 2, 0}, {false, false, false}},
      {{2, 0, 1}, {true, false, true}},  {{1, 0, 2}, {true, false, false}}, {{0, 2, 1}, {true, true, true}},
      {{2, 1, 0}, {false, true, false}}, {{1, 0, 2}, {false, false, true}}};
  for (const auto& [order, flip] : orders) {
    const at::Tensor other = project(GetParam(), stored_otherwise(bone, order, flip), exposures);
    EXPECT_LT((other - expected).abs().max().item<float>(), 2e-3) << order[0] << order[1] << order[2];
  }
}

TEST_P(EveryRenderer, SeesWhatLiesBeforeTheSourceOnly) {
  const Volume box = volume({30, 30, 30}, {1, 1, 1}, {}, [](Vec3) { return 0; });
  Projection away = perspective(parallel({1, 0.1, 0}, kCentre, 3, 3, 1), kCentre, 300);
  away.first_pixel = away.first_pixel + (away.source - kCentre) * 4;  // the detector on the other side of the source
  EXPECT_EQ(project(GetParam(), box, {away}).abs().max().item<float>(), 0);
  const Projection within = perspective(parallel({1, 0, 0}, kCentre, 1, 1, 1), kCentre, 0);
  try {
    EXPECT_NEAR(project(GetParam(), box, {within})[0][0][0][0].item<float>(), 15, 0.6);
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "renderer/itk_raycast: the X-ray source lies inside the volume, and ITK's ray caster has no rays that "
                 "begin there; move the source away (views.source_detector) or take another renderer");
  }
}

TEST_P(EveryRenderer, TheSameBitsWithAnyNumberOfThreadsAndAnyCompany) {
  const Volume bone = femur(2);
  const auto exposures = views(33, 29, 2.5);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = project(GetParam(), bone, exposures);
  at::set_num_threads(3);
  const auto three = project(GetParam(), bone, exposures);
  at::set_num_threads(threads);
  EXPECT_TRUE(one.equal(three));
  EXPECT_TRUE(project(GetParam(), bone, {exposures[1]})[0].equal(one[1])) << "alone or with others";
}

TEST_P(EveryRenderer, IsNeverNegativeAndSpreadsAVoxelOverItsNeighboursOnly) {
  const Volume single = volume({9, 9, 9}, {1, 1, 1}, {}, [](Vec3 p) { return norm(p - kCentre) < 0.1 ? 1600 : -1000; });
  for (const Vec3 direction : {Vec3{1, 0, 0}, Vec3{1, 0.8, 0.3}, Vec3{0.2, -0.3, 1}}) {
    const auto integrals = project(GetParam(), single, {parallel(direction, kCentre, 41, 41, 0.1)});
    EXPECT_GE(integrals.min().item<float>(), 0);
    EXPECT_GT(integrals.max().item<float>(), 0.9);
    EXPECT_EQ(integrals[0][1][0][0].item<float>(), 0);
  }
}

TEST_P(EveryRenderer, RefusesAVolumeWhoseGridIsNotItsTensors) {
  Volume broken = volume({5, 5, 5}, {1, 1, 1}, {}, [](Vec3) { return 0; });
  broken.grid.size[0] += 1;
  try {
    (void)renderer(GetParam()).prepare(broken);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.what(), "renderer/" + GetParam() + ": a volume's voxels do not have the size of its grid");
  }
}

TEST_P(EveryRenderer, WorksOnAVolumeOfOneSlice) {
  const Volume slice = volume({20, 20, 1}, {1, 1, 2}, {}, [](Vec3) { return 0; });
  EXPECT_NEAR(project(GetParam(), slice, {parallel({0, 0, 1}, kCentre, 1, 1, 1)})[0][0][0][0].item<float>(), 2, 1e-4);
  EXPECT_NEAR(project(GetParam(), slice, {parallel({1, 0, 0}, kCentre, 1, 1, 1)})[0][0][0][0].item<float>(), 20, 1e-3);
}

INSTANTIATE_TEST_SUITE_P(Built, EveryRenderer, testing::ValuesIn(built_renderers()),
                         [](const auto& name) { return name.param; });

/// Absolute differences of `a` to `b` where `b`'s bone is more than 10 mm thick: mean relative to the mean of `b`, and
/// largest relative to `b` there.
std::pair<double, double> differences_in_bone(const at::Tensor& a, const at::Tensor& b) {
  const at::Tensor thick = (b.select(1, 1) > 10).unsqueeze(1).expand_as(b);
  EXPECT_GT(thick.sum().item<std::int64_t>(), 1000);
  const at::Tensor reference = b.masked_select(thick).to(at::kDouble);
  const at::Tensor difference = (a.masked_select(thick).to(at::kDouble) - reference).abs();
  return {(difference.sum() / reference.sum()).item<double>(), (difference / reference).max().item<double>()};
}

/// A femur with and without turn and anisotropy, seen in several views by two renderers.
std::pair<double, double> compare(const std::string& a, const std::string& b, double spacing) {
  std::pair<double, double> worst{0, 0};
  for (const auto& [direction, stretch] : {std::pair{Mat3{}, Vec3{1, 1, 1}}, std::pair{kTurned, Vec3{0.8, 1.1, 1.3}}}) {
    const Volume bone = femur(spacing, direction, stretch);
    const auto exposures = views(100, 60, 1);
    const auto [mean, largest] = differences_in_bone(project(a, bone, exposures), project(b, bone, exposures));
    worst = {std::max(worst.first, mean), std::max(worst.second, largest)};
  }
  std::printf("%s and %s at %.1f mm: mean %.2e, largest %.2e\n", a.c_str(), b.c_str(), spacing, worst.first,
              worst.second);
  testing::Test::RecordProperty("mean", std::to_string(worst.first));
  testing::Test::RecordProperty("largest", std::to_string(worst.second));
  return worst;
}

TEST(Agreement, TorchIsJosephWithinATenthOfAPercent) { EXPECT_LT(compare("torch", "joseph", 0.8).second, 0.001); }

TEST(Agreement, ItksRayCasterIsJosephWithinATenthOfAPercent) {
  const auto names = built_renderers();
  if (std::find(names.begin(), names.end(), "itk_raycast") == names.end()) GTEST_SKIP() << "built without ITK";
  EXPECT_LT(compare("itk_raycast", "joseph", 0.8).second, 0.001);
}

TEST(Agreement, JosephIsSiddonWithinHalfAPercentOnAverage) {
  (void)compare("joseph", "siddon", 0.8);
  EXPECT_LT(compare("joseph", "siddon", 0.4).first, 0.005);
}

}  // namespace
}  // namespace osteon
