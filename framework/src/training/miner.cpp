// Which triplets of a batch the loss sees.

#include "training/miner.hpp"

#include <ATen/ATen.h>

#include <algorithm>
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

void mine_anchor(Mining mining, const Anchor& anchor, Random& random, Indices& result) {
  if (anchor.positives.empty() || anchor.negatives.empty()) return;
  if (mining == Mining::batch_hard) {
    result.add(anchor.row, anchor.farthest(anchor.positives), anchor.nearest(anchor.negatives));
    return;
  }
  for (const std::int64_t p : anchor.positives) {
    if (mining == Mining::batch_all)
      for (const std::int64_t n : anchor.negatives) result.add(anchor.row, p, n);
    if (mining == Mining::semi_hard) result.add(anchor.row, p, anchor.semi_hard(p));
    if (mining == Mining::random) result.add(anchor.row, p, anchor.negatives[random.below(anchor.negatives.size())]);
  }
}

}  // namespace

Mining mining_of(std::string_view word) {
  if (word == "batch_all") return Mining::batch_all;
  if (word == "batch_hard") return Mining::batch_hard;
  if (word == "semi_hard") return Mining::semi_hard;
  if (word == "random") return Mining::random;
  throw failure(text("unknown mining \"", word, "\""));
}

at::Tensor squared_distances(const at::Tensor& embeddings) {
  const at::Tensor rows = embeddings.detach().to(at::kCPU, at::kFloat);
  const at::Tensor squares = rows.square().sum(1);
  return (squares.unsqueeze(0) + squares.unsqueeze(1) - 2 * rows.matmul(rows.t())).clamp_min(0).contiguous();
}

Tuples mine(Mining mining, const at::Tensor& distances, std::span<const std::int64_t> labels, Random& random) {
  const auto count = static_cast<std::int64_t>(labels.size());
  const float* distance = distances.data_ptr<float>();
  Indices indices;
  for (std::int64_t a = 0; a < count; ++a) {
    Anchor anchor{a, distance + a * count, {}, {}};
    for (std::int64_t row = 0; row < count; ++row) {
      const bool same = labels[static_cast<std::size_t>(row)] == labels[static_cast<std::size_t>(a)];
      if (row != a) (same ? anchor.positives : anchor.negatives).push_back(row);
    }
    mine_anchor(mining, anchor, random, indices);
  }
  const auto tensor = [](const Rows& rows) { return at::tensor(at::ArrayRef<std::int64_t>(rows), at::kLong); };
  return make_tuples(tensor(indices.anchor), tensor(indices.positive), tensor(indices.negative), count);
}

}  // namespace osteon::training
