// Triplet accuracy.

#include "training/accuracy.hpp"

#include <osteon/parallel.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

namespace osteon::training {

namespace {

struct Count {
  std::int64_t right = 0, all = 0;
};

/// The triplets of one anchor: negatives sorted once, then one search for each positive.
Count count_anchor(const float* distance, const std::int64_t* labels, std::int64_t rows, std::int64_t anchor,
                   float margin) {
  std::vector<float> positives, negatives;
  for (std::int64_t row = 0; row < rows; ++row)
    if (row != anchor) (labels[row] == labels[anchor] ? positives : negatives).push_back(distance[row]);
  std::ranges::sort(negatives);
  Count count;
  count.all = static_cast<std::int64_t>(positives.size() * negatives.size());
  for (const float positive : positives)
    count.right += negatives.end() - std::ranges::upper_bound(negatives, positive + margin);
  return count;
}

}  // namespace

std::optional<double> triplet_accuracy(const at::Tensor& embeddings, const at::Tensor& labels, double margin) {
  constexpr std::int64_t kAnchors = 256;  // at a time, so that memory stays linear in N
  const std::int64_t rows = embeddings.size(0);
  const at::Tensor squares = embeddings.square().sum(1), label_row = labels.contiguous();
  std::vector<Count> counts(static_cast<std::size_t>(rows));
  for (std::int64_t first = 0; first < rows; first += kAnchors) {
    const std::int64_t last = std::min(rows, first + kAnchors);
    const at::Tensor distances = (squares.slice(0, first, last).unsqueeze(1) + squares.unsqueeze(0) -
                                  2 * embeddings.slice(0, first, last).matmul(embeddings.t()))
                                     .contiguous();
    const float* distance = distances.data_ptr<float>();
    parallel_for(first, last, 8, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t anchor = begin; anchor < end; ++anchor)
        counts[static_cast<std::size_t>(anchor)] =
            count_anchor(distance + (anchor - first) * rows, label_row.data_ptr<std::int64_t>(), rows, anchor,
                         static_cast<float>(margin));
    });
  }
  Count sum;
  for (const Count& count : counts) sum = {sum.right + count.right, sum.all + count.all};
  if (sum.all == 0) return std::nullopt;
  return static_cast<double>(sum.right) / static_cast<double>(sum.all);
}

}  // namespace osteon::training
