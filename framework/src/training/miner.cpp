// Which triplets of a batch the loss sees.

#include "training/miner.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace osteon::training {

namespace {

using Rows = std::vector<std::int64_t>;

struct Indices {
  Rows anchor, positive, negative;

  void add(std::int64_t a, std::int64_t p, std::int64_t n) {
    anchor.push_back(a);
    positive.push_back(p);
    negative.push_back(n);
  }
};

/// One anchor, its distances to all rows, and the rows that share its label or don't.
struct Anchor {
  std::int64_t row;
  const float* distance;
  Rows positives, negatives;

  [[nodiscard]] std::int64_t nearest(const Rows& rows) const {
    return *std::ranges::min_element(rows, {}, [this](std::int64_t r) { return distance[r]; });
  }
  [[nodiscard]] std::int64_t farthest(const Rows& rows) const {
    return *std::ranges::max_element(rows, {}, [this](std::int64_t r) { return distance[r]; });
  }
  /// The nearest negative that is farther away than `positive`, else the farthest of all.
  [[nodiscard]] std::int64_t semi_hard(std::int64_t positive) const {
    std::int64_t best = -1;
    for (const std::int64_t n : negatives)
      if (distance[n] > distance[positive] && (best < 0 || distance[n] < distance[best])) best = n;
    return best >= 0 ? best : farthest(negatives);
  }
};

/// Draws a negative with a chance that is the inverse of how many points of the unit sphere lie at its distance,
/// q(d) ∝ dⁿ⁻² (1 − d²/4)⁽ⁿ⁻³⁾ᐟ² (Wu, Manmatha, Smola, Krähenbühl, "Sampling matters in deep embedding learning",
/// ICCV 2017, eq. 3 and section 4), so that near negatives are not drowned by the many at √2. As published, distances
/// below 0.5 count as 0.5 and those above 1.4 are not drawn; where nothing is left, any negative is.
class DistanceWeighted {
 public:
  explicit DistanceWeighted(std::int64_t dimensions) : dimensions_(static_cast<double>(dimensions)) {}

  [[nodiscard]] std::int64_t draw(const Anchor& anchor, Random& random) const {
    std::vector<double> cumulative;
    double highest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (const std::int64_t n : anchor.negatives) highest = std::max(highest, log_weight(anchor.distance[n]));
    if (!std::isfinite(highest)) return anchor.negatives[random.below(anchor.negatives.size())];
    for (const std::int64_t n : anchor.negatives)
      cumulative.push_back(sum += std::exp(log_weight(anchor.distance[n]) - highest));
    const auto found = std::ranges::upper_bound(cumulative, random.uniform() * sum);
    return anchor.negatives[static_cast<std::size_t>(std::min(found, cumulative.end() - 1) - cumulative.begin())];
  }

 private:
  [[nodiscard]] double log_weight(double squared) const {
    constexpr double kNearest = 0.5, kFarthest = 1.4;
    if (squared > kFarthest * kFarthest) return -std::numeric_limits<double>::infinity();
    squared = std::max(squared, kNearest * kNearest);
    return -(dimensions_ - 2) / 2 * std::log(squared) - (dimensions_ - 3) / 2 * std::log1p(-squared / 4);
  }

  double dimensions_;
};

void mine_anchor(Mining mining, const Anchor& anchor, const DistanceWeighted& weighted, Random& random,
                 Indices& result) {
  if (anchor.positives.empty() || anchor.negatives.empty()) return;
  if (mining == Mining::batch_hard) {
    result.add(anchor.row, anchor.farthest(anchor.positives), anchor.nearest(anchor.negatives));
    return;
  }
  for (const std::int64_t p : anchor.positives) {
    if (mining == Mining::batch_all)
      for (const std::int64_t n : anchor.negatives) result.add(anchor.row, p, n);
    if (mining == Mining::semi_hard) result.add(anchor.row, p, anchor.semi_hard(p));
    if (mining == Mining::distance_weighted) result.add(anchor.row, p, weighted.draw(anchor, random));
    if (mining == Mining::random) result.add(anchor.row, p, anchor.negatives[random.below(anchor.negatives.size())]);
  }
}

}  // namespace

Mining mining_of(std::string_view word) {
  if (word == "batch_all") return Mining::batch_all;
  if (word == "batch_hard") return Mining::batch_hard;
  if (word == "semi_hard") return Mining::semi_hard;
  if (word == "distance_weighted") return Mining::distance_weighted;
  if (word == "random") return Mining::random;
  throw failure(text("unknown mining \"", word, "\""));
}

at::Tensor squared_distances(const at::Tensor& embeddings) {
  const at::Tensor rows = embeddings.detach().to(at::kCPU, at::kFloat);
  const at::Tensor squares = rows.square().sum(1);
  return (squares.unsqueeze(0) + squares.unsqueeze(1) - 2 * rows.matmul(rows.t())).clamp_min(0).contiguous();
}

Curriculum::Curriculum(const Parameters& training) : begins_{{0, mining_of(training.text("mining"))}} {
  const auto& words = training.texts("curriculum");
  const auto& epochs = training.integers("curriculum_epochs");
  if (words.size() != epochs.size())
    throw Error(text("training.curriculum has ", words.size(), " entries and training.curriculum_epochs ",
                     epochs.size(), "; give one epoch for each mining"));
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (epochs[i] <= begins_.back().first + 1)
      throw Error(text("training.curriculum_epochs: ", epochs[i],
                       " is out of order; epochs count from 1, the first mining has at least one, and they rise"));
    begins_.emplace_back(epochs[i] - 1, mining_of(words[i]));
  }
}

Mining Curriculum::at(std::int64_t epoch) const {
  Mining mining = begins_.front().second;
  for (const auto& [begin, later] : begins_)
    if (epoch >= begin) mining = later;
  return mining;
}

Tuples drawn_triplets(std::int64_t rows) {
  const at::Tensor all = at::arange(rows, at::kLong);
  const std::int64_t count = rows / 3;
  return make_tuples(all.slice(0, 0, count), all.slice(0, count, 2 * count), all.slice(0, 2 * count), rows);
}

Tuples mine(Mining mining, const at::Tensor& distances, std::int64_t dimensions, std::span<const std::int64_t> labels,
            Random& random) {
  const DistanceWeighted weighted(dimensions);
  const auto count = static_cast<std::int64_t>(labels.size());
  const float* distance = distances.data_ptr<float>();
  Indices indices;
  for (std::int64_t a = 0; a < count; ++a) {
    Anchor anchor{a, distance + a * count, {}, {}};
    for (std::int64_t row = 0; row < count; ++row) {
      const bool same = labels[static_cast<std::size_t>(row)] == labels[static_cast<std::size_t>(a)];
      if (row != a) (same ? anchor.positives : anchor.negatives).push_back(row);
    }
    mine_anchor(mining, anchor, weighted, random, indices);
  }
  const auto tensor = [](const Rows& rows) { return at::tensor(at::ArrayRef<std::int64_t>(rows), at::kLong); };
  return make_tuples(tensor(indices.anchor), tensor(indices.positive), tensor(indices.negative), count);
}

}  // namespace osteon::training
