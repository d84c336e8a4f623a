// The differentiable renderer: gradients against finite differences, poses recovered from X-rays, and what it refuses.

#include "scenes.hpp"

#include <osteon/random.hpp>

#include <gtest/gtest.h>
#include <torch/cuda.h>
#include <torch/optim/lbfgs.h>

namespace osteon {
namespace {

using namespace scenes;
using Given = std::map<std::string, ParameterValue>;

const Given kDouble = {{"precision", std::string("fp64")}, {"device", std::string("cpu")}};

/// A few soft lumps in a small, turned, anisotropic grid.
Volume lumps() {
  return volume({14, 12, 16}, {1.1, 1.3, 0.9}, rotation(normalised({1, 0.4, -0.3}), 0.5), [](Vec3 p) {
    const Vec3 q = p - kCentre;
    return -1000 + 1900 * std::exp(-dot(q, q) / 18) + 1200 * std::exp(-dot(q - Vec3{2, 3, -2}, q - Vec3{2, 3, -2}) / 6);
  });
}

std::vector<Projection> two_views(std::int64_t rows, std::int64_t columns, double pitch) {
  return {perspective(parallel({1, 0.35, 0.2}, kCentre, rows, columns, pitch), kCentre, 400),
          parallel({-0.1, 1, 0.25}, kCentre, rows, columns, pitch)};
}

at::Tensor motions_of(const std::vector<double>& values) { return at::tensor(values, at::kDouble).reshape({-1, 6}); }

const std::vector<double> kSomeMotions = {0.11, -0.07, 0.2, 0.6, -0.4, 0.9, -0.05, 0.13, 0.02, -0.3, 0.8, 0.1};

/// Any numbers that weigh every pixel differently.
at::Tensor weights(at::IntArrayRef shape) {
  Random random(7, "weights");
  at::Tensor result = at::empty(shape, at::kDouble);
  for (std::int64_t i = 0; i < result.numel(); ++i) result.data_ptr<double>()[i] = random.normal();
  return result;
}

TEST(Torch, GradientsOfAllSixPoseParametersAreThoseOfFiniteDifferences) {
  const auto handle = renderer("torch", kDouble);
  const Volume volume = lumps();
  const auto projector = handle.prepare_differentiable(volume);
  const auto views = two_views(9, 8, 1.7);
  const at::Tensor weight = weights({2, kMaterials, 9, 8});
  const Vec3 centre = kCentre + Vec3{1, -2, 0.5};
  const auto loss = [&](const at::Tensor& motions) {
    return (projector.project_moved(views, motions, centre) * weight).sum();
  };
  for (const double scale : {1.0, 0.0}) {  // an arbitrary pose, and the one in which nothing is moved
    at::Tensor motions = (motions_of(kSomeMotions) * scale).requires_grad_();
    loss(motions).backward();
    for (std::int64_t i = 0; i < 12; ++i) {
      const double step = 1e-6;
      const auto moved = [&](double by) {
        at::Tensor other = motions.detach().clone();
        other.data_ptr<double>()[i] += by;
        return loss(other).item<double>();
      };
      const double expected = (moved(step) - moved(-step)) / (2 * step);
      EXPECT_NEAR(motions.grad().data_ptr<double>()[i], expected, 1e-5 * std::abs(expected) + 1e-5) << "number " << i;
      EXPECT_GT(std::abs(expected), 1e-3) << "number " << i << " changes nothing";
    }
  }
}

TEST(Torch, GradientsOfVoxelsAreThoseOfFiniteDifferences) {
  const auto handle = renderer("torch", kDouble);
  const auto projector = handle.prepare_differentiable(lumps());
  const auto views = two_views(9, 8, 1.7);
  const at::Tensor weight = weights({2, kMaterials, 9, 8}), motions = motions_of(kSomeMotions);
  const auto loss = [&] { return (projector.project_moved(views, motions, kCentre) * weight).sum(); };
  at::Tensor fractions = projector.fractions();
  fractions.requires_grad_();
  loss().backward();
  const at::Tensor gradient = fractions.grad().clone();
  EXPECT_GT((gradient != 0).sum().item<std::int64_t>(), 1000);
  const at::NoGradGuard no_graph;
  const at::Tensor voxels = fractions.data();
  Random random(2, "voxels");
  for (int n = 0; n < 40; ++n) {
    const auto voxel = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(voxels.numel())));
    const auto changed = [&](double by) {
      voxels.data_ptr<double>()[voxel] += by;
      const double value = loss().item<double>();
      voxels.data_ptr<double>()[voxel] -= by;
      return value;
    };
    const double expected = (changed(1e-3) - changed(-1e-3)) / 2e-3;
    EXPECT_NEAR(gradient.data_ptr<double>()[voxel], expected, 1e-7 * std::abs(expected) + 1e-7);
  }
}

TEST(Torch, MovingTheBoneIsMovingItsGrid) {
  const auto handle = renderer("torch", kDouble);
  const Volume bone = femur(2);
  const auto views = two_views(30, 20, 3);
  const Vec3 vector{0.2, -0.1, 0.3}, shift{3, -2, 4}, centre = kCentre + Vec3{5, 6, -7};
  const at::Tensor motion = motions_of({vector.x, vector.y, vector.z, shift.x, shift.y, shift.z}).expand({2, 6});
  const at::Tensor integrals = handle.prepare_differentiable(bone).project_moved(views, motion, centre);
  Volume moved = bone;
  const Mat3 turn = rotation(normalised(vector), norm(vector));
  moved.grid.direction = turn * bone.grid.direction;
  moved.grid.origin = turn * (bone.grid.origin - centre) + centre + shift;
  const at::Tensor expected = handle.prepare(moved).project(views);
  EXPECT_LT((integrals - expected).abs().max().item<double>(), 1e-4);
  EXPECT_GT((handle.prepare(bone).project(views) - expected).abs().max().item<double>(), 5);
}

TEST(Torch, RecoversAPoseFromTwoXrays) {
  const auto handle = renderer("torch");
  const auto projector = handle.prepare_differentiable(femur(1.5));
  std::vector<Projection> views;
  for (const Vec3 direction : {Vec3{0, 1, 0.05}, Vec3{1, 0.05, 0}})
    views.push_back(perspective(parallel(direction, kCentre, 44, 28, 3), kCentre, 700));
  const at::Tensor truth = at::tensor(std::vector<float>{0.07F, -0.05F, 0.09F, 2.5F, -3, 4}).reshape({1, 6});
  const at::Tensor target = projector.project_moved(views, truth.expand({2, 6}), kCentre);
  // One unit of each number moves the bone's outline about as far: 20 mm.
  const at::Tensor unit = at::tensor(std::vector<float>{1, 1, 1, 20, 20, 20});
  at::Tensor pose = at::zeros({1, 6}).requires_grad_();
  torch::optim::LBFGS optimiser({pose}, torch::optim::LBFGSOptions(1).max_iter(40).line_search_fn("strong_wolfe"));
  int evaluations = 0;
  const auto closure = [&] {
    optimiser.zero_grad();
    ++evaluations;
    const at::Tensor loss =
        (projector.project_moved(views, (pose * unit).expand({2, 6}), kCentre) - target).square().mean();
    loss.backward();
    return loss;
  };
  optimiser.step(closure);
  const at::Tensor error = (pose.detach() * unit - truth).abs();
  EXPECT_LT(degrees(error.narrow(1, 0, 3).max().item<double>()), 0.05);
  EXPECT_LT(error.narrow(1, 3, 3).max().item<double>(), 0.05);
  EXPECT_LT(evaluations, 80);
}

TEST(Torch, FitsTheVolumeToItsXrays) {
  const auto handle = renderer("torch");
  const Volume bone = lumps();
  std::vector<Projection> views;
  for (const double angle : {0.0, 0.6, 1.2, 1.8, 2.4, 3.0})
    views.push_back(parallel({std::cos(angle), std::sin(angle), 0.1}, kCentre, 20, 18, 1));
  const at::Tensor target = handle.prepare(bone).project(views);
  Volume air = bone;
  air.hounsfield = at::full_like(bone.hounsfield, -1000);
  const auto projector = handle.prepare_differentiable(air);
  at::Tensor fractions = projector.fractions();
  fractions.requires_grad_();
  torch::optim::LBFGS optimiser({fractions}, torch::optim::LBFGSOptions(1).max_iter(30).line_search_fn("strong_wolfe"));
  const at::Tensor still = at::zeros({6, 6});
  const double first = (projector.project_moved(views, still, {}) - target).square().mean().item<double>();
  optimiser.step([&] {
    optimiser.zero_grad();
    const at::Tensor loss = (projector.project_moved(views, still, {}) - target).square().mean();
    loss.backward();
    return loss;
  });
  EXPECT_LT((projector.project(views) - target).square().mean().item<double>(), 1e-3 * first);
}

TEST(Torch, TheMemoryAllowedChangesNoBits) {
  const Volume bone = femur(2);
  const auto views = two_views(90, 70, 1);
  const auto with = [&](std::int64_t megabytes) {
    return renderer("torch", {{"memory", megabytes}, {"device", std::string("cpu")}}).prepare(bone).project(views);
  };
  EXPECT_TRUE(with(1).equal(with(500)));
}

TEST(Torch, TheMemoryAllowedChangesNoGradient) {
  const Volume bone = femur(3);
  const auto views = two_views(60, 40, 1.6);
  const auto gradients = [&](std::int64_t megabytes) {
    Given given = kDouble;
    given["memory"] = megabytes;
    const auto handle = renderer("torch", given);
    const auto projector = handle.prepare_differentiable(bone);
    at::Tensor motions = motions_of(kSomeMotions).requires_grad_(), fractions = projector.fractions();
    fractions.requires_grad_();
    projector.project_moved(views, motions, kCentre).square().sum().backward();
    return std::pair{motions.grad(), fractions.grad()};
  };
  const auto small = gradients(1), large = gradients(500);
  EXPECT_TRUE(at::allclose(small.first, large.first, 1e-9));
  EXPECT_TRUE(at::allclose(small.second, large.second, 1e-9, 1e-9));
}

TEST(Torch, PrecisionChangesTheLastDigitsOnly) {
  const Volume bone = femur(2);
  const auto views = two_views(40, 30, 2);
  const at::Tensor single = renderer("torch").prepare(bone).project(views);
  const at::Tensor twice = renderer("torch", kDouble).prepare(bone).project(views);
  EXPECT_FALSE(single.equal(twice));
  EXPECT_LT((single - twice).abs().max().item<float>(), 1e-3);
}

TEST(Torch, CudaSeesWhatTheCpuSees) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "no CUDA device";
  const Volume bone = femur(2);
  const auto views = two_views(90, 70, 1);
  const auto on = [&](const char* device) {
    return renderer("torch", {{"device", std::string(device)}}).prepare(bone).project(views);
  };
  EXPECT_LT((on("cuda") - on("cpu")).abs().max().item<float>(), 1e-3);
}

/// What an action says when it throws.
std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "(nothing was thrown)";
}

TEST(Torch, SaysThatThereIsNoCudaDevice) {
  if (torch::cuda::is_available()) GTEST_SKIP() << "there is one";
  EXPECT_EQ(message_of([] {
              (void)renderer("torch", {{"device", std::string("cuda")}});
            }),
            "renderer/torch: device = \"cuda\", but LibTorch finds no CUDA device here; take device = \"auto\" or "
            "\"cpu\", or a LibTorch that was built with CUDA on a machine with a GPU");
}

TEST(Differentiable, ARendererThatIsNotSaysSo) {
  const Volume v = lumps();
  EXPECT_EQ(
      message_of([&] { (void)renderer("joseph").prepare_differentiable(v); }),
      "renderer/joseph: this renderer is not differentiable, so nothing can be fitted through it; choose one whose "
      "summary in `osteon describe` says that it is");
  EXPECT_NE(scenes::registry().find("renderer", "torch").schema.summary.find("differentiable"), std::string::npos);
}

TEST(Differentiable, MotionsMustFitTheExposuresAndBeFinite) {
  const auto handle = renderer("torch");
  const auto projector = handle.prepare_differentiable(lumps());
  const auto views = two_views(4, 4, 2);
  EXPECT_EQ(message_of([&] {
              (void)projector.project_moved(views, at::zeros({3, 6}), {});
            }),
            "renderer/torch: motions must be floating numbers [views, 6]");
  EXPECT_EQ(message_of([&] {
              (void)projector.project_moved(views, at::zeros({2, 6}, at::kLong), {});
            }),
            "renderer/torch: motions must be floating numbers [views, 6]");
  EXPECT_EQ(message_of([&] {
              (void)projector.project_moved(views, at::full({2, 6}, NAN), {});
            }),
            "renderer/torch: a motion of the bone is not finite: the fit has diverged; take smaller steps");
  EXPECT_EQ(message_of([&] { (void)projector.project({}); }), "renderer/torch: no exposure was asked for");
  auto mixed = views;
  mixed[1].rows = 5;
  EXPECT_EQ(message_of([&] { (void)projector.project(mixed); }),
            "renderer/torch: all exposures must have the same rows and columns");
}

}  // namespace
}  // namespace osteon
