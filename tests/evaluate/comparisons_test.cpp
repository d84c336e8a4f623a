// Neighbours and distances to bones against a loop over all pairs in float64.

#include "cohort.hpp"

#include "pipeline/comparisons.hpp"

#include <osteon/error.hpp>

#include <algorithm>

namespace osteon::pipeline {
namespace {

at::Tensor integers(const std::vector<std::int64_t>& values) { return at::tensor(values, at::kLong); }

std::vector<std::int64_t> list_of(const at::Tensor& values) {
  const at::Tensor whole = values.to(at::kLong).contiguous();
  return {whole.data_ptr<std::int64_t>(), whole.data_ptr<std::int64_t>() + whole.numel()};
}

/// Images of `bones` bones in any order, and which of them ask.
struct Scene {
  EmbeddingSet set;
  at::Tensor bone, gallery, queries;
  std::int64_t bones;
};

/// `offset` moves all embeddings away from the origin, where |q|² + |g|² - 2 q·g loses digits.
Scene scene(std::int64_t images, std::int64_t bones, std::int64_t d, double offset, std::uint64_t seed) {
  Scene made{{"raw pixels", true, at::empty({images, d}, at::kFloat)}, at::empty({images}, at::kLong), {}, {}, bones};
  Random random(seed, "scene");
  for (std::int64_t i = 0; i < images * d; ++i)
    made.set.vectors.data_ptr<float>()[i] = static_cast<float>(offset + random.normal());
  std::vector<std::int64_t> gallery, queries;
  for (std::int64_t i = 0; i < images; ++i) {
    made.bone.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bones)));
    (random.below(3) == 0 ? queries : gallery).push_back(i);
  }
  made.gallery = integers(gallery);
  made.queries = integers(queries);
  return made;
}

float naive_distance(const EmbeddingSet& set, std::int64_t a, std::int64_t b) {
  const std::int64_t d = set.vectors.size(1);
  const float* all = set.vectors.data_ptr<float>();
  double squares = 0;
  for (std::int64_t j = 0; j < d; ++j) squares += std::pow(double{all[a * d + j]} - all[b * d + j], 2);
  return static_cast<float>(std::sqrt(squares));
}

/// What the header promises, pair by pair. Ranks must agree where the distances differ, and everywhere with `exact`.
void expect_as_naive(const Scene& scene, const Comparison& found, bool exact) {
  const auto gallery = list_of(scene.gallery), queries = list_of(scene.queries), bone = list_of(scene.bone);
  const auto& [neighbours, trials] = found;
  ASSERT_EQ(neighbours.neighbours.size(0), std::ssize(queries));
  ASSERT_EQ(trials.distances.sizes(), (std::vector<std::int64_t>{std::ssize(queries), scene.bones}));
  std::int64_t most = 1;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const std::int64_t shown = bone[static_cast<std::size_t>(queries[q])];
    std::vector<std::pair<float, std::int64_t>> order;
    std::vector<float> of_bone(static_cast<std::size_t>(scene.bones), INFINITY);
    std::int64_t relevant = 0;
    for (const std::int64_t row : gallery) {
      const float distance = naive_distance(scene.set, queries[q], row);
      const auto other = static_cast<std::size_t>(bone[static_cast<std::size_t>(row)]);
      order.emplace_back(distance, row);
      of_bone[other] = std::min(of_bone[other], distance);
      relevant += static_cast<std::int64_t>(other) == shown ? 1 : 0;
    }
    std::ranges::sort(order);
    most = std::max(most, relevant);
    EXPECT_EQ(trials.truth[static_cast<std::int64_t>(q)].item<std::int64_t>(), shown);
    EXPECT_EQ(neighbours.relevant[static_cast<std::int64_t>(q)].item<std::int64_t>(), relevant);
    for (std::int64_t b = 0; b < scene.bones; ++b) {
      const float own = trials.distances.data_ptr<float>()[static_cast<std::int64_t>(q) * scene.bones + b];
      const float expected = of_bone[static_cast<std::size_t>(b)];
      if (std::isinf(expected) || expected == 0) {
        EXPECT_EQ(own, expected) << "query " << q << ", bone " << b;
      } else {
        EXPECT_NEAR(own, expected, 2e-7 * expected) << "query " << q << ", bone " << b;
      }
    }
    const std::int64_t kept = neighbours.neighbours.size(1);
    for (std::int64_t n = 0; n < kept; ++n) {
      const auto& [distance, row] = order[static_cast<std::size_t>(n)];
      const std::int64_t place = static_cast<std::int64_t>(q) * kept + n;
      EXPECT_NEAR(neighbours.distances.data_ptr<float>()[place], distance, 2e-7 * distance) << "query " << q;
      const std::int32_t own = neighbours.neighbours.data_ptr<std::int32_t>()[place];
      if (exact) {
        EXPECT_EQ(own, row) << "query " << q << ", neighbour " << n;
      } else {
        EXPECT_NEAR(naive_distance(scene.set, queries[q], own), distance, 2e-7 * distance);
      }
    }
  }
  EXPECT_EQ(neighbours.neighbours.size(1), std::min<std::int64_t>(most, std::ssize(gallery)));
  EXPECT_EQ(neighbours.gallery, std::ssize(gallery));
}

Comparison compared(const Scene& scene, std::int64_t bytes = kComparisonBytes) {
  return compare(scene.set, scene.bone, scene.bones, scene.gallery, scene.queries, true, bytes);
}

TEST(Comparison, IsANaiveLoopInFloat64) {
  for (const double offset : {0.0, 1000.0}) {
    const Scene made = scene(300, 9, 17, offset, 1);
    expect_as_naive(made, compared(made), false);
  }
}

TEST(Comparison, SaysWhatItWasAskedAbout) {
  const Scene made = scene(40, 3, 4, 0, 2);
  const auto [neighbours, trials] = compared(made);
  EXPECT_EQ(neighbours.embedding_set, "raw pixels");
  EXPECT_EQ(trials.embedding_set, "raw pixels");
  EXPECT_TRUE(neighbours.is_trivial && trials.is_trivial && neighbours.held_out && trials.held_out);
  EXPECT_TRUE(neighbours.queries.equal(made.queries) && trials.queries.equal(made.queries));
}

TEST(Comparison, IsTheSameInChunksOfAnySize) {
  const Scene made = scene(400, 5, 12, 3, 3);
  const Comparison whole = compared(made);
  const std::int64_t query = 20 * made.gallery.numel(), row = 8 * 12;
  // One query or one gallery row at a time, borders that divide nothing, and exactly one chunk.
  for (const std::int64_t bytes : {std::int64_t{1}, row, 7 * row, query, 3 * query + 1, 50 * query,
                                   made.queries.numel() * query, made.queries.numel() * query - 1}) {
    const Comparison chunks = compared(made, bytes);
    EXPECT_TRUE(chunks.neighbours.neighbours.equal(whole.neighbours.neighbours)) << bytes;
    EXPECT_TRUE(chunks.neighbours.distances.allclose(whole.neighbours.distances, 2e-7, 0)) << bytes;
    EXPECT_TRUE(chunks.trials.distances.allclose(whole.trials.distances, 2e-7, 0)) << bytes;
  }
}

/// Embeddings on a grid of whole numbers, so that float64 is exact and distances tie; each of them several times.
Scene tied(double offset) {
  Scene made = scene(240, 6, 3, 0, 4);
  Random random(5, "grid");
  for (std::int64_t i = 0; i < made.set.vectors.numel(); ++i)
    made.set.vectors.data_ptr<float>()[i] = static_cast<float>(offset + static_cast<double>(random.below(3)));
  return made;
}

TEST(Comparison, OfEquallyFarImagesTheSmallerNumberIsNearer) {
  for (const double offset : {0.0, 1e6}) {
    const Scene made = tied(offset);
    expect_as_naive(made, compared(made), true);
    expect_as_naive(made, compared(made, 900), true);
  }
}

TEST(Comparison, CopiesAreAtDistanceZeroWhateverTheirLength) {
  for (const double length : {1e-3, 1.0, 1e4}) {
    Scene made = scene(120, 4, 31, 0, 6);
    for (std::int64_t i = 0; i < made.set.vectors.size(0); ++i) made.set.vectors[i].copy_(made.set.vectors[i % 10]);
    made.set.vectors.mul_(length);
    expect_as_naive(made, compared(made), true);
    expect_as_naive(made, compared(made, 2000), true);
  }
}

TEST(Comparison, OfNearlyEqualEmbeddingsHasAllTheDigitsOfFloat32) {
  Scene made = scene(80, 4, 64, 1, 7);
  for (std::int64_t i = 1; i < made.set.vectors.size(0); ++i)  // a collapsed network: all within 1e-5 of each other
    made.set.vectors[i].copy_(made.set.vectors[0] + (made.set.vectors[i] - 1) * 1e-5);
  expect_as_naive(made, compared(made), false);
}

TEST(Comparison, OfOneBoneAndOfOneImage) {
  const Scene one_bone = scene(30, 1, 5, 0, 8);
  expect_as_naive(one_bone, compared(one_bone), true);
  Scene one_image = scene(10, 2, 5, 0, 9);
  one_image.gallery = integers({4});
  one_image.queries = integers({0, 1, 2, 3, 5});
  expect_as_naive(one_image, compared(one_image), true);
}

TEST(Comparison, BonesWithoutGalleryImagesAreInfinitelyFar) {
  Scene made = scene(40, 3, 5, 0, 10);
  made.bones = 5;  // nobody enrolled the last two
  const Comparison found = compared(made);
  expect_as_naive(made, found, true);
  EXPECT_TRUE(found.trials.distances.slice(1, 3, 5).isinf().all().item<bool>());
}

TEST(Comparison, OfNothingIsEmpty) {
  Scene made = scene(20, 3, 5, 0, 11);
  made.queries = integers({});
  EXPECT_EQ(compared(made).neighbours.neighbours.size(0), 0);
  made = scene(20, 3, 5, 0, 11);
  made.gallery = integers({});
  const Comparison found = compared(made);
  EXPECT_EQ(found.neighbours.neighbours.size(1), 0);
  EXPECT_TRUE(found.trials.distances.isinf().all().item<bool>());
}

TEST(Comparison, EmbeddingsOfLengthZeroAreComparedAsAnyOther) {
  Scene made = scene(60, 3, 5, 0, 12);
  for (const std::int64_t i : {0, 7, 8, 31, 32, 59}) made.set.vectors[i].zero_();  // black pictures
  expect_as_naive(made, compared(made), true);
}

std::string message_of(const Scene& scene) {
  try {
    (void)compared(scene);
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(Comparison, NamesTheImageWhoseEmbeddingIsNotFinite) {
  const Scene made = scene(60, 3, 5, 0, 13);
  const std::int64_t enrolled = made.gallery[11].item<std::int64_t>(), asks = made.queries[5].item<std::int64_t>();
  for (const auto& [row, bad] : {std::pair{enrolled, std::numeric_limits<double>::quiet_NaN()}, {asks, INFINITY}}) {
    Scene broken = made;
    broken.set.vectors = made.set.vectors.clone();
    broken.set.vectors[row][3] = bad;
    EXPECT_EQ(message_of(broken), text("raw pixels: the embedding of image ", row,
                                       " is not finite in dimension 3, so it has no distance from any other; training "
                                       "has probably diverged: look at its loss and lower the learning rate"));
  }
  Scene unasked = made;  // what nobody compares may be anything
  unasked.set.vectors = made.set.vectors.clone();
  unasked.set.vectors[enrolled][3] = INFINITY;
  auto rows = list_of(made.gallery);
  std::erase(rows, enrolled);
  unasked.gallery = integers(rows);
  EXPECT_EQ(message_of(unasked), "nothing was thrown");
}

TEST(Comparison, RefusesEmbeddingsWithoutADimension) {
  Scene made = scene(20, 3, 5, 0, 14);
  made.set.vectors = at::empty({20, 0}, at::kFloat);
  EXPECT_EQ(message_of(made), "raw pixels: the embeddings have no dimension, so they have no distances");
}

}  // namespace
}  // namespace osteon::pipeline
