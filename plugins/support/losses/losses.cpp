// What the losses share.

#include "losses/losses.hpp"

#include <ATen/ATen.h>

#include <limits>

namespace osteon::losses {

namespace {

constexpr const char* kEmptyBatches = "empty batches";
constexpr double kShortest = 1e-6;  ///< of lengths and distances that something is divided by
constexpr double kNothing = -1e30;  ///< the logarithm of an empty sum; finite, so that its gradient is 0 and not NaN

}  // namespace

at::Tensor unit_rows(const at::Tensor& rows) {
  return rows / rows.square().sum(1, true).clamp_min(kShortest * kShortest).sqrt();
}

at::Tensor cosines(const at::Tensor& rows) {
  const at::Tensor units = unit_rows(rows);
  return units.matmul(units.t());
}

at::Tensor squared_distances(const at::Tensor& rows) {
  const at::Tensor squares = rows.square().sum(1);
  return squares.unsqueeze(0) + squares.unsqueeze(1) - 2 * rows.matmul(rows.t());
}

at::Tensor distances(const at::Tensor& rows) { return squared_distances(rows).clamp_min(kShortest * kShortest).sqrt(); }

at::Tensor log_sum_exp(const at::Tensor& values, const at::Tensor& mask, std::int64_t axis) {
  return values.masked_fill(mask.logical_not(), kNothing).logsumexp(axis);
}

at::Tensor softplus(const at::Tensor& x) { return at::logaddexp(x, at::zeros_like(x)); }

at::Tensor mean_of(const at::Tensor& values, const at::Tensor& mask) {
  return values.masked_fill(mask.logical_not(), 0).sum() / mask.sum().clamp_min(1);
}

at::Tensor own_class(const at::Tensor& labels, std::int64_t classes) {
  return labels.unsqueeze(1) == at::arange(classes, labels.options()).unsqueeze(0);
}

bool nothing_chosen(const Tuples& tuples) { return tuples.anchor.numel() == 0; }

LossValue nothing_to_learn(const at::Tensor& embeddings) { return {embeddings.sum() * 0, {{kEmptyBatches, 1}}}; }

Statistics pair_statistics(const at::Tensor& distances, const Tuples& tuples) {
  constexpr double kFar = std::numeric_limits<float>::max();
  const at::Tensor values = distances.detach();
  const auto nearest = [&](const at::Tensor& pairs) { return values.masked_fill(pairs.logical_not(), kFar).amin(1); };
  const at::Tensor anchors = tuples.positive_pairs.any(1);
  const at::Tensor in_order = nearest(tuples.positive_pairs) < nearest(tuples.negative_pairs);
  return {{"positive distance", mean_of(values, tuples.positive_pairs)},
          {"negative distance", mean_of(values, tuples.negative_pairs)},
          {"nearest is positive", mean_of(in_order.to(values.dtype()), anchors)}};
}

at::Tensor accuracy(const at::Tensor& class_scores, const at::Tensor& labels) {
  return (class_scores.detach().argmax(1) == labels).to(class_scores.dtype()).mean();
}

LossValue with_statistics(const at::Tensor& value, const Statistics& statistics) {
  std::vector<at::Tensor> scalars;
  for (const auto& [name, scalar] : statistics) scalars.push_back(scalar.detach().to(value.dtype()));
  const at::Tensor together = at::stack(scalars).to(at::kCPU, at::kDouble);
  LossValue result{value, {}};
  for (std::size_t i = 0; i < statistics.size(); ++i)
    result.statistics[statistics[i].first] = together.data_ptr<double>()[i];
  return result;
}

LossValue of_tuples(const at::Tensor& value, const Statistics& statistics) {
  LossValue result = with_statistics(value, statistics);
  result.statistics[kEmptyBatches] = 0;
  return result;
}

}  // namespace osteon::losses
