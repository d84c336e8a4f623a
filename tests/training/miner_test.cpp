// The miner against plain loops.

#include "training/miner.hpp"
#include "training/fixtures.hpp"

#include <torch/torch.h>

#include <set>

namespace osteon::training {
namespace {

using Triple = std::array<std::int64_t, 3>;

struct Batch {
  at::Tensor distances;
  std::vector<std::int64_t> labels;
};

Batch make_batch(std::uint64_t seed) {
  Random random(seed, "batch");
  at::Tensor embeddings = at::empty({20, 6}, at::kFloat);
  for (std::int64_t i = 0; i < embeddings.numel(); ++i)
    embeddings.data_ptr<float>()[i] = static_cast<float>(random.normal());
  Batch batch{squared_distances(embeddings), {}};
  for (int i = 0; i < 20; ++i) batch.labels.push_back(static_cast<std::int64_t>(random.below(5)));
  return batch;
}

std::vector<Triple> mined(Mining mining, const Batch& batch, std::uint64_t seed = 1) {
  Random random(seed, "mining");
  const Tuples triplets = mine(mining, batch.distances, 6, batch.labels, random);
  std::vector<Triple> result;
  for (std::int64_t t = 0; t < triplets.anchor.numel(); ++t)
    result.push_back({triplets.anchor[t].item<std::int64_t>(), triplets.positive[t].item<std::int64_t>(),
                      triplets.negative[t].item<std::int64_t>()});
  return result;
}

std::vector<Triple> all_triplets(const std::vector<std::int64_t>& labels) {
  std::vector<Triple> result;
  const auto count = static_cast<std::int64_t>(labels.size());
  const auto label = [&](std::int64_t row) { return labels[static_cast<std::size_t>(row)]; };
  for (std::int64_t a = 0; a < count; ++a)
    for (std::int64_t p = 0; p < count; ++p)
      for (std::int64_t n = 0; n < count; ++n)
        if (a != p && label(a) == label(p) && label(a) != label(n)) result.push_back({a, p, n});
  return result;
}

TEST(Miner, SquaredDistancesMatchALoop) {
  const at::Tensor rows = at::linspace(-1, 1, 15).view({5, 3});
  const at::Tensor distances = squared_distances(rows);
  for (std::int64_t a = 0; a < 5; ++a)
    for (std::int64_t b = 0; b < 5; ++b)
      EXPECT_NEAR(distances[a][b].item<double>(), (rows[a] - rows[b]).square().sum().item<double>(), 1e-6);
}

TEST(Miner, BatchAllFindsEveryTriplet) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const Batch batch = make_batch(seed);
    EXPECT_EQ(mined(Mining::batch_all, batch), all_triplets(batch.labels));
  }
}

TEST(Miner, BatchHardTakesTheFarthestPositiveAndTheNearestNegative) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const Batch batch = make_batch(seed);
    const auto distance = batch.distances.accessor<float, 2>();
    std::map<std::int64_t, Triple> hardest;
    for (const Triple& t : all_triplets(batch.labels)) {
      Triple& best = hardest.try_emplace(t[0], t).first->second;
      if (distance[t[0]][t[1]] > distance[t[0]][best[1]]) best[1] = t[1];
      if (distance[t[0]][t[2]] < distance[t[0]][best[2]]) best[2] = t[2];
    }
    std::vector<Triple> expected;
    for (const auto& [anchor, triple] : hardest) expected.push_back(triple);
    EXPECT_EQ(mined(Mining::batch_hard, batch), expected);
  }
}

TEST(Miner, SemiHardTakesTheNearestNegativeBeyondThePositiveElseTheFarthest) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const Batch batch = make_batch(seed);
    const auto distance = batch.distances.accessor<float, 2>();
    std::map<std::pair<std::int64_t, std::int64_t>, std::vector<std::int64_t>> negatives;
    for (const Triple& t : all_triplets(batch.labels)) negatives[{t[0], t[1]}].push_back(t[2]);
    std::vector<Triple> expected;
    for (auto& [pair, rows] : negatives) {
      const float* d = batch.distances[pair.first].data_ptr<float>();
      std::ranges::sort(rows, {}, [d](std::int64_t row) { return d[row]; });
      const auto beyond =
          std::ranges::find_if(rows, [&](std::int64_t row) { return d[row] > distance[pair.first][pair.second]; });
      expected.push_back({pair.first, pair.second, beyond == rows.end() ? rows.back() : *beyond});
    }
    EXPECT_EQ(mined(Mining::semi_hard, batch), expected);
  }
}

TEST(Miner, RandomTakesOneNegativeForEachPairAndDependsOnItsStreamOnly) {
  const Batch batch = make_batch(1);
  const std::vector<Triple> every = all_triplets(batch.labels);
  const std::set<Triple> valid(every.begin(), every.end());
  const std::vector<Triple> drawn = mined(Mining::random, batch, 1);
  std::set<std::pair<std::int64_t, std::int64_t>> pairs, all_pairs;
  for (const Triple& t : every) all_pairs.insert({t[0], t[1]});
  for (const Triple& t : drawn) {
    EXPECT_TRUE(valid.contains(t));
    pairs.insert({t[0], t[1]});
  }
  EXPECT_EQ(pairs, all_pairs);
  EXPECT_EQ(drawn.size(), pairs.size());
  EXPECT_EQ(drawn, mined(Mining::random, batch, 1));
  EXPECT_NE(drawn, mined(Mining::random, batch, 2));
}

TEST(Miner, PairsAreThoseOfTheTriplets) {
  const Batch batch = make_batch(3);
  Random random(1, "mining");
  const Tuples tuples = mine(Mining::semi_hard, batch.distances, 6, batch.labels, random);
  at::Tensor positive = at::zeros({20, 20}, at::kBool), negative = at::zeros({20, 20}, at::kBool);
  for (std::int64_t t = 0; t < tuples.anchor.numel(); ++t) {
    positive[tuples.anchor[t].item<std::int64_t>()][tuples.positive[t].item<std::int64_t>()] = true;
    negative[tuples.anchor[t].item<std::int64_t>()][tuples.negative[t].item<std::int64_t>()] = true;
  }
  EXPECT_TRUE(at::equal(tuples.positive_pairs, positive));
  EXPECT_TRUE(at::equal(tuples.negative_pairs, negative));
}

/// One anchor with one positive, and negatives at these distances (not squared); how often each is drawn.
std::vector<double> drawn_shares(const std::vector<double>& distances, std::int64_t dimensions) {
  const auto count = static_cast<std::int64_t>(distances.size()) + 2;
  at::Tensor squared = at::ones({count, count}, at::kFloat);
  std::vector<std::int64_t> labels(static_cast<std::size_t>(count), 1);
  labels[0] = labels[1] = 0;
  for (std::size_t i = 0; i < distances.size(); ++i)
    squared[0][static_cast<std::int64_t>(i) + 2] = distances[i] * distances[i];
  std::vector<double> shares(distances.size(), 0);
  constexpr int kTurns = 4000;
  for (int turn = 0; turn < kTurns; ++turn) {
    Random random(static_cast<std::uint64_t>(turn), "mining");
    const Tuples tuples = mine(Mining::distance_weighted, squared, dimensions, labels, random);
    for (std::int64_t t = 0; t < tuples.anchor.numel(); ++t)
      if (tuples.anchor[t].item<std::int64_t>() == 0)
        shares[static_cast<std::size_t>(tuples.negative[t].item<std::int64_t>() - 2)] += 1.0 / kTurns;
  }
  return shares;
}

TEST(Miner, DistanceWeightedDrawsByTheInverseOfThePublishedDensity) {
  const std::vector<double> distances = {0.3, 0.5, 0.8, 1.2, 1.39, 1.6};
  const std::int64_t n = 5;
  std::vector<double> expected;
  double sum = 0;
  for (const double given : distances) {
    const double d = std::max(0.5, given);
    const double density = std::pow(d, n - 2) * std::pow(1 - d * d / 4, (n - 3) / 2.0);
    expected.push_back(given > 1.4 ? 0 : 1 / density);
    sum += expected.back();
  }
  const std::vector<double> shares = drawn_shares(distances, n);
  for (std::size_t i = 0; i < shares.size(); ++i) EXPECT_NEAR(shares[i], expected[i] / sum, 0.025) << distances[i];
  // Where all are too far, any will do.
  for (const double share : drawn_shares({1.5, 1.6}, 128)) EXPECT_NEAR(share, 0.5, 0.03);
}

TEST(Miner, TakesTheTripletsThatTheSamplerDrew) {
  const Tuples tuples = drawn_triplets(6);
  EXPECT_TRUE(at::equal(tuples.anchor, at::tensor({0, 1}, at::kLong)));
  EXPECT_TRUE(at::equal(tuples.positive, at::tensor({2, 3}, at::kLong)));
  EXPECT_TRUE(at::equal(tuples.negative, at::tensor({4, 5}, at::kLong)));
}

TEST(Curriculum, ChangesTheMiningAtItsEpochs) {
  const Curriculum curriculum(
      test::training_parameters({{"mining", std::string("random")},
                                 {"curriculum", std::vector<std::string>{"semi_hard", "batch_hard"}},
                                 {"curriculum_epochs", std::vector<std::int64_t>{2, 5}}}));
  EXPECT_EQ(curriculum.at(0), Mining::random);
  EXPECT_EQ(curriculum.at(1), Mining::semi_hard);
  EXPECT_EQ(curriculum.at(3), Mining::semi_hard);
  EXPECT_EQ(curriculum.at(4), Mining::batch_hard);
  EXPECT_EQ(curriculum.at(90), Mining::batch_hard);
}

TEST(Curriculum, RefusesListsThatDoNotFit) {
  const auto message = [](const std::vector<std::int64_t>& epochs) {
    return test::message_of([&] {
      Curriculum(test::training_parameters(
          {{"curriculum", std::vector<std::string>{"semi_hard", "batch_hard"}}, {"curriculum_epochs", epochs}}));
    });
  };
  EXPECT_EQ(message({3}),
            "training.curriculum has 2 entries and training.curriculum_epochs 1; give one epoch for each mining");
  const std::string order = " is out of order; epochs count from 1, the first mining has at least one, and they rise";
  EXPECT_EQ(message({1, 4}), "training.curriculum_epochs: 1" + order);
  EXPECT_EQ(message({4, 4}), "training.curriculum_epochs: 4" + order);
}

TEST(Miner, FindsNothingWithoutPositivesOrWithoutNegatives) {
  const at::Tensor distances = at::rand({4, 4});
  Random random(1, "mining");
  for (const Mining mining :
       {Mining::batch_all, Mining::batch_hard, Mining::semi_hard, Mining::distance_weighted, Mining::random}) {
    const std::vector<std::int64_t> lonely = {0, 1, 2, 3}, same = {0, 0, 0, 0};
    EXPECT_EQ(mine(mining, distances, 6, lonely, random).anchor.numel(), 0);
    const Tuples none = mine(mining, distances, 6, same, random);
    EXPECT_EQ(none.negative.numel(), 0);
    EXPECT_EQ(none.negative.scalar_type(), at::kLong);
  }
}

}  // namespace
}  // namespace osteon::training
