#pragma once

// What the losses share: distances and similarities between the rows of a batch, sums of exponentials over some of
// them, and the statistics. Everything stays on the embeddings' device and in their precision. Nothing here divides by
// zero or has an infinite gradient: not for equal rows, rows of zeros, a class of one image or an anchor without pairs.

#include <osteon/loss.hpp>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace osteon::losses {

/// Rows over their lengths; a row shorter than 1e-6 is divided by that.
[[nodiscard]] at::Tensor unit_rows(const at::Tensor& rows);

/// Cosines of the angles between all rows, `[N, N]`.
[[nodiscard]] at::Tensor cosines(const at::Tensor& rows);

/// ‖x − y‖² of all rows, `[N, N]`; may be negative by a rounding error.
[[nodiscard]] at::Tensor squared_distances(const at::Tensor& rows);

/// ‖x − y‖ of all rows, `[N, N]`, at least 1e-6; below that the gradient is 0.
[[nodiscard]] at::Tensor distances(const at::Tensor& rows);

/// log Σ exp of the values under `mask` along an axis; −1e30, whose exponential is 0, where there are none.
[[nodiscard]] at::Tensor log_sum_exp(const at::Tensor& values, const at::Tensor& mask, std::int64_t axis);

/// log(1 + exp(x)), to full precision for all x.
[[nodiscard]] at::Tensor softplus(const at::Tensor& x);

/// Mean of the values under `mask`; 0 where there are none.
[[nodiscard]] at::Tensor mean_of(const at::Tensor& values, const at::Tensor& mask);

/// bool `[N, classes]`: which class each label names.
[[nodiscard]] at::Tensor own_class(const at::Tensor& labels, std::int64_t classes);

/// True for a batch in which the miner chose nothing.
[[nodiscard]] bool nothing_chosen(const Tuples& tuples);

/// The value of such a batch: a zero with a graph, and the statistic "empty batches" = 1. The learning curves show a
/// statistic's mean, so that this one's is the share of batches that taught nothing.
[[nodiscard]] LossValue nothing_to_learn(const at::Tensor& embeddings);

using Statistics = std::vector<std::pair<std::string, at::Tensor>>;

/// Mean distance of the positive and of the negative pairs, and the share of anchors whose nearest chosen image is a
/// positive. `distances` is `[N, N]`.
[[nodiscard]] Statistics pair_statistics(const at::Tensor& distances, const Tuples& tuples);

/// Share of images whose largest class score is that of their own class.
[[nodiscard]] at::Tensor accuracy(const at::Tensor& class_scores, const at::Tensor& labels);

/// Value and statistics (scalars), which are brought to the CPU together.
[[nodiscard]] LossValue with_statistics(const at::Tensor& value, const Statistics& statistics);

/// The same for a loss of tuples: "empty batches" = 0 is among the statistics.
[[nodiscard]] LossValue of_tuples(const at::Tensor& value, const Statistics& statistics);

}  // namespace osteon::losses
