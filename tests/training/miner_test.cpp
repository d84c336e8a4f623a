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
  const Tuples triplets = mine(mining, batch.distances, batch.labels, random);
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

TEST(Miner, FindsNothingWithoutPositivesOrWithoutNegatives) {
  const at::Tensor distances = at::rand({4, 4});
  Random random(1, "mining");
  for (const Mining mining : {Mining::batch_all, Mining::batch_hard, Mining::semi_hard, Mining::random}) {
    const std::vector<std::int64_t> lonely = {0, 1, 2, 3}, same = {0, 0, 0, 0};
    EXPECT_EQ(mine(mining, distances, lonely, random).anchor.numel(), 0);
    const Tuples none = mine(mining, distances, same, random);
    EXPECT_EQ(none.negative.numel(), 0);
    EXPECT_EQ(none.negative.scalar_type(), at::kLong);
  }
}

}  // namespace
}  // namespace osteon::training
