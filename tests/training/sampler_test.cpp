// Batches: which images are seen together.

#include "training/sampler.hpp"
#include "training/fixtures.hpp"

#include <torch/torch.h>

#include <set>

namespace osteon::training {
namespace {

Data labelled(const std::vector<std::int64_t>& images_of_class) {
  Data data;
  std::vector<std::int64_t> labels;
  for (std::size_t label = 0; label < images_of_class.size(); ++label)
    labels.insert(labels.end(), static_cast<std::size_t>(images_of_class[label]), static_cast<std::int64_t>(label));
  data.labels = at::tensor(labels, at::kLong);
  data.pixels = Pixels(at::zeros({data.labels.numel(), 4, 4}, at::kByte));
  data.classes = static_cast<std::int64_t>(images_of_class.size());
  for (std::int64_t row = 0; row < data.labels.numel(); ++row) data.training.push_back(row);
  return data;
}

Parameters batches(std::int64_t classes, std::int64_t images, std::int64_t seed = 1) {
  return test::training_parameters({{"classes_per_batch", classes}, {"images_per_class", images}, {"seed", seed}});
}

TEST(Sampler, BatchesHoldDifferentImagesOfTheClassesAskedFor) {
  const Data data = labelled({9, 7, 8, 11, 10});
  Sampler sampler(data, batches(3, 4));
  EXPECT_EQ(sampler.batches_per_epoch(), 4);  // 45 images / 12
  for (int batch = 0; batch < 50; ++batch) {
    const std::vector<std::int64_t> rows = sampler.next();
    std::map<std::int64_t, std::set<std::int64_t>> images;
    for (const std::int64_t row : rows) images[data.labels[row].item<std::int64_t>()].insert(row);
    EXPECT_EQ(rows.size(), 12U);
    EXPECT_EQ(images.size(), 3U);
    for (const auto& [label, different] : images) EXPECT_EQ(different.size(), 4U);
  }
}

TEST(Sampler, UsesClassesAndTheImagesOfAClassEvenly) {
  const Data data = labelled({9, 7, 8, 11, 10});
  Sampler sampler(data, batches(3, 4));
  std::vector<int> uses(45);
  std::vector<int> class_uses(5);
  for (int batch = 0; batch < 61; ++batch) {
    for (const std::int64_t row : sampler.next()) {
      ++uses[static_cast<std::size_t>(row)];
      ++class_uses[static_cast<std::size_t>(data.labels[row].item<std::int64_t>())];
    }
    EXPECT_LE(*std::ranges::max_element(class_uses) - *std::ranges::min_element(class_uses), 2 * 4);
    for (std::int64_t label = 0, first = 0; label < 5; ++label) {
      const auto count = std::vector<std::int64_t>{9, 7, 8, 11, 10}[static_cast<std::size_t>(label)];
      const auto [least, most] = std::minmax_element(uses.begin() + first, uses.begin() + first + count);
      EXPECT_LE(*most - *least, 2);
      first += count;
    }
  }
}

TEST(Sampler, DependsOnItsSeedOnly) {
  const Data data = labelled({9, 9, 9});
  Sampler a(data, batches(2, 3)), b(data, batches(2, 3)), other(data, batches(2, 3, 2));
  bool differs = false;
  for (int batch = 0; batch < 10; ++batch) {
    const auto rows = a.next();
    EXPECT_EQ(rows, b.next());
    differs = differs || rows != other.next();
  }
  EXPECT_TRUE(differs);
}

TEST(Sampler, TakesAllClassesAndAllImagesWhereThereAreFewer) {
  Sampler sampler(labelled({2, 30}), batches(8, 6));
  EXPECT_EQ(sampler.next().size(), 8U);
}

TEST(Sampler, SaysWhyItCannotMakeBatches) {
  const auto message = [](const std::vector<std::int64_t>& images, std::int64_t p, std::int64_t k) {
    return test::message_of([&] { Sampler(labelled(images), batches(p, k)); });
  };
  EXPECT_EQ(message({9}, 2, 2), "training needs at least 2 classes and there is 1; give more bones, or hold fewer out");
  EXPECT_EQ(message({}, 2, 2),
            "training needs at least 2 classes and there are none; give more bones, or hold fewer out");
  EXPECT_EQ(
      message({9, 1, 9}, 2, 2),
      "class 1 has 1 training image(s) and a pair needs 2; render more images of each bone, or leave this one out");
  EXPECT_EQ(message({3, 3}, 2, 4),
            "a batch of 2 classes × 4 images is larger than the 6 training images; lower training.images_per_class or "
            "training.classes_per_batch");
}

Parameters drawn(const std::string& sampling, std::int64_t size) {
  return test::training_parameters({{"sampling", sampling}, {"batch_size", size}});
}

TEST(Sampler, DrawsTheStudysTriplets) {
  const Data data = labelled({9, 2, 8, 11});
  const auto* label = data.labels.data_ptr<std::int64_t>();
  Sampler sampler(data, drawn("triplets", 5));
  EXPECT_EQ(sampler.batches_per_epoch(), 6);  // 30 anchors / 5
  std::map<std::int64_t, int> anchors;
  std::set<std::int64_t> negatives;
  for (int batch = 0; batch < 6; ++batch) {
    const auto rows = sampler.next();
    ASSERT_EQ(rows.size(), 15U);
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_NE(rows[i], rows[5 + i]);
      EXPECT_EQ(label[rows[i]], label[rows[5 + i]]);
      EXPECT_NE(label[rows[i]], label[rows[10 + i]]);
      ++anchors[rows[i]];
      negatives.insert(rows[10 + i]);
    }
  }
  EXPECT_EQ(anchors.size(), 30U);  // each image once an epoch
  EXPECT_GT(negatives.size(), 15U);
}

TEST(Sampler, TakesImagesInRandomOrderWhateverTheirClass) {
  Sampler sampler(labelled({9, 1, 8}), drawn("images", 6));
  EXPECT_EQ(sampler.batches_per_epoch(), 3);
  std::set<std::int64_t> seen;
  for (int batch = 0; batch < 3; ++batch)
    for (const std::int64_t row : sampler.next()) seen.insert(row);
  EXPECT_EQ(seen.size(), 18U);
  EXPECT_EQ(test::message_of([] {
              Sampler(labelled({3, 3}), drawn("images", 7));
            }),
            "a batch of 7 images is larger than the 6 training images; lower training.batch_size");
  EXPECT_EQ(test::message_of([] {
              Sampler(labelled({3, 3}), drawn("triplets", 7));
            }),
            "a batch of 7 triplets is larger than the 6 training images; lower training.batch_size");
}

TEST(Sampler, GoesOnWhereItWasToldTo) {
  for (const std::string sampling : {"classes", "triplets", "images"}) {
    const Parameters parameters = test::training_parameters({{"sampling", sampling},
                                                             {"batch_size", std::int64_t{5}},
                                                             {"classes_per_batch", std::int64_t{2}},
                                                             {"images_per_class", std::int64_t{3}}});
    const Data data = labelled({9, 8, 11});
    Sampler whole(data, parameters), later(data, parameters);
    for (int batch = 0; batch < 7; ++batch) (void)whole.next();
    later.skip(7);
    EXPECT_EQ(whole.next(), later.next()) << sampling;
  }
}

}  // namespace
}  // namespace osteon::training
