// Augmentation and the loader that applies it.

#include "training/augment.hpp"
#include "training/fixtures.hpp"
#include "training/loader.hpp"

#include <torch/torch.h>

namespace osteon::training {
namespace {

using test::Values;

constexpr ImageLayout kLayout{60, 60, 2};

/// Two views of 30 × 60 with a bright block in each.
at::Tensor two_blocks() {
  at::Tensor image = at::zeros({60, 60}, at::kByte);
  image.slice(0, 20, 40).slice(1, 10, 20).fill_(200);
  image.slice(0, 20, 40).slice(1, 40, 50).fill_(200);
  return image;
}

at::Tensor changed(const Values& values, const at::Tensor& image, std::uint64_t index = 0) {
  at::Tensor result = at::empty_like(image);
  Augmentation(test::augment_parameters(values))
      .apply(image.data_ptr<std::uint8_t>(), result.data_ptr<std::uint8_t>(), kLayout, Random(1, "test", index));
  return result;
}

struct Middle {
  double x, y, mass;
};

/// Centre of mass of one view.
Middle middle(const at::Tensor& image, std::int64_t view) {
  const at::Tensor part = image.slice(1, 30 * view, 30 * view + 30).to(at::kDouble);
  const double mass = part.sum().item<double>();
  return {(part.sum(0) * at::arange(30, at::kDouble)).sum().item<double>() / mass,
          (part.sum(1) * at::arange(60, at::kDouble)).sum().item<double>() / mass, mass};
}

TEST(Augmentation, ChangesNothingByDefault) {
  EXPECT_TRUE(Augmentation(test::augment_parameters()).changes_nothing());
  EXPECT_TRUE(at::equal(changed({}, two_blocks()), two_blocks()));
}

TEST(Augmentation, ShiftsEachViewByItselfAndNoFartherThanTold) {
  const Middle before = middle(two_blocks(), 0);
  double farthest = 0, apart = 0;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const at::Tensor image = changed({{"shift", 0.1}}, two_blocks(), i);
    const Middle left = middle(image, 0), right = middle(image, 1);
    for (const double moved : {left.x - before.x, left.y - before.y, right.x - before.x, right.y - before.y})
      farthest = std::max(farthest, std::abs(moved));
    apart = std::max(apart, std::hypot(left.x - right.x, left.y - right.y));
    EXPECT_NEAR(left.mass, before.mass, 0.02 * before.mass);
  }
  EXPECT_GT(farthest, 4);
  EXPECT_LT(farthest, 6.2);  // a tenth of 60 rows
  EXPECT_GT(apart, 2);
}

TEST(Augmentation, ScalesBothViewsAlike) {
  const double before = middle(two_blocks(), 0).mass;
  double smallest = 10, largest = 0;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const at::Tensor image = changed({{"scale", 0.25}}, two_blocks(), i);
    const double left = middle(image, 0).mass / before, right = middle(image, 1).mass / before;
    EXPECT_NEAR(left, right, 0.03);
    smallest = std::min(smallest, left);
    largest = std::max(largest, left);
  }
  EXPECT_NEAR(smallest, 1 / (1.25 * 1.25), 0.07);  // areas
  EXPECT_NEAR(largest, 1.25 * 1.25, 0.12);
}

TEST(Augmentation, ScalesEachViewByItselfWithinItsRange) {
  const double before = middle(two_blocks(), 0).mass;
  double smallest = 10, largest = 0, apart = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const at::Tensor image = changed({{"view_scale", 0.25}}, two_blocks(), i);
    for (const std::int64_t view : {0, 1}) {
      const Middle found = middle(image, view);
      smallest = std::min(smallest, found.mass / before);
      largest = std::max(largest, found.mass / before);
      EXPECT_NEAR(found.x, 14.5, 0.1) << "about the view's middle";
      EXPECT_NEAR(found.y, 29.5, 0.1);
    }
    apart = std::max(apart, std::abs(middle(image, 0).mass - middle(image, 1).mass) / before);
  }
  EXPECT_NEAR(smallest, 1 / (1.25 * 1.25), 0.07);  // areas
  EXPECT_NEAR(largest, 1.25 * 1.25, 0.12);
  EXPECT_GT(apart, 0.4);
}

TEST(Augmentation, AViewsScaleComesBesideTheCommonOne) {
  double largest = 0;
  for (std::uint64_t i = 0; i < 200; ++i)
    largest = std::max(largest, middle(changed({{"scale", 0.25}, {"view_scale", 0.25}}, two_blocks(), i), 0).mass);
  // The two factors multiply: 1.25⁴ of the area at most, and more than either alone gives.
  EXPECT_GT(largest / middle(two_blocks(), 0).mass, 1.25 * 1.25 + 0.15);
  EXPECT_LT(largest / middle(two_blocks(), 0).mass, std::pow(1.25, 4) + 0.12);
}

TEST(Augmentation, TurnsAboutTheViewsMiddle) {
  // A vertical bar leans by the angle that second moments tell.
  at::Tensor bar = at::zeros({60, 60}, at::kByte);
  bar.slice(0, 10, 50).slice(1, 13, 17).fill_(255);
  double largest = 0;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const at::Tensor part = changed({{"rotation", 15.0}}, bar, i).slice(1, 0, 30).to(at::kDouble);
    const double mass = part.sum().item<double>();
    const at::Tensor x = at::arange(30, at::kDouble) - 14.5, y = at::arange(60, at::kDouble) - 29.5;
    const double xy = (part * x.unsqueeze(0) * y.unsqueeze(1)).sum().item<double>() / mass;
    const double yy = (part * y.square().unsqueeze(1)).sum().item<double>() / mass;
    largest = std::max(largest, std::abs(std::atan2(xy, yy)) * 180 / M_PI);
    EXPECT_NEAR((part * x.unsqueeze(0)).sum().item<double>() / mass, 0, 0.3);
  }
  EXPECT_GT(largest, 12);
  EXPECT_LT(largest, 15.5);
}

TEST(Augmentation, ChangesIntensitiesWithinItsBounds) {
  const at::Tensor grey = at::full({60, 60}, 100, at::kByte);
  double darkest = 255, brightest = 0;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const at::Tensor image = changed({{"gain", 0.25}}, grey, i);
    EXPECT_EQ(image.max().item<int>(), image.min().item<int>());
    darkest = std::min(darkest, image.min().item<double>());
    brightest = std::max(brightest, image.max().item<double>());
  }
  EXPECT_NEAR(darkest, 80, 4);
  EXPECT_NEAR(brightest, 125, 5);
  for (std::uint64_t i = 0; i < 10; ++i) {  // black and white stay
    at::Tensor ends = at::zeros({60, 60}, at::kByte);
    ends.slice(0, 30, 60).fill_(255);
    EXPECT_TRUE(at::equal(changed({{"gamma", 0.5}}, ends, i), ends));
  }
}

TEST(Augmentation, AddsNormalNoise) {
  const at::Tensor grey = at::full({60, 60}, 100, at::kByte);
  double deviation = 0;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const at::Tensor noise = changed({{"noise", 20.0}}, grey, i).to(at::kDouble) - 100;
    EXPECT_NEAR(noise.mean().item<double>(), 0, 1.2);
    const double own = noise.std().item<double>();
    EXPECT_NEAR((noise.abs() > 2 * own).to(at::kDouble).mean().item<double>(), 0.0455, 0.03);
    deviation = std::max(deviation, own);
  }
  EXPECT_GT(deviation, 17);
  EXPECT_LT(deviation, 20.5);
}

TEST(Augmentation, HidesNoMoreThanItsShare) {
  const at::Tensor white = at::full({60, 60}, 255, at::kByte);
  double most = 0;
  for (std::uint64_t i = 0; i < 60; ++i)
    most = std::max(
        most, changed({{"occlusion", 0.2}}, white, i).slice(1, 0, 30).ne(255).to(at::kDouble).mean().item<double>());
  EXPECT_GT(most, 0.1);
  EXPECT_LT(most, 0.22);
}

const Values kEverything{{"shift", 0.05}, {"scale", 0.1}, {"view_scale", 0.1}, {"rotation", 5.0},
                         {"gain", 0.1},   {"gamma", 0.1}, {"noise", 4.0},      {"occlusion", 0.1}};

TEST(Augmentation, DependsOnItsStreamOnly) {
  EXPECT_TRUE(at::equal(changed(kEverything, two_blocks(), 3), changed(kEverything, two_blocks(), 3)));
  EXPECT_FALSE(at::equal(changed(kEverything, two_blocks(), 3), changed(kEverything, two_blocks(), 4)));
}

Batch batch_after(std::int64_t skipped, std::int64_t workers, std::int64_t first = 0) {
  static const Data data = test::made_up_data(5, 12, 32);
  const Parameters training = test::training_parameters(
      {{"workers", workers}, {"classes_per_batch", std::int64_t{4}}, {"images_per_class", std::int64_t{4}}});
  Loader loader(data, Augmentation(test::augment_parameters(kEverything)), training, first, false);
  for (; skipped > 0; --skipped) (void)loader.next();
  return loader.next();
}

TEST(Loader, GivesTheSameBatchesWithAnyNumberOfWorkersAndFromAnyStart) {
  const Batch expected = batch_after(9, 0);
  for (const std::int64_t workers : {0, 1, 4}) {
    for (const std::int64_t first : {0, 6}) {
      const Batch batch = batch_after(9 - first, workers, first);
      EXPECT_EQ(batch.rows, expected.rows);
      EXPECT_TRUE(at::equal(batch.pixels, expected.pixels)) << workers << " workers from batch " << first;
      EXPECT_TRUE(at::equal(batch.labels, expected.labels));
    }
  }
}

TEST(Loader, EndsWhileWorkersAreBusy) {
  for (int i = 0; i < 20; ++i) (void)batch_after(0, 3);
}

TEST(Pixels, AreOneListOfSeveralTensorsWithoutACopy) {
  const at::Tensor a = at::randint(256, {3, 4, 5}, at::kByte), b = at::randint(256, {2, 4, 5}, at::kByte);
  const Pixels pixels(std::vector<at::Tensor>{a, b});
  EXPECT_EQ(pixels.count(), 5);
  EXPECT_EQ(pixels.image(1), a.data_ptr<std::uint8_t>() + 20);
  EXPECT_EQ(pixels.image(4), b.data_ptr<std::uint8_t>() + 20);
  const std::vector<std::int64_t> rows = {4, 0};
  EXPECT_TRUE(at::equal(pixels.gather(rows), at::stack({b[1], a[0]})));
  EXPECT_EQ(pixels.subset(rows).image(0), pixels.image(4));
  EXPECT_EQ(test::message_of([&] {
              Pixels(std::vector<at::Tensor>{a, at::zeros({1, 5, 5}, at::kByte)});
            }),
            "training: images of 5 × 5 beside images of 5 × 4 pixels");
}

}  // namespace
}  // namespace osteon::training
