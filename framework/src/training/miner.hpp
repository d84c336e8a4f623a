#pragma once

// Which triplets of a batch the loss sees.

#include <osteon/loss.hpp>
#include <osteon/random.hpp>

#include <span>
#include <string_view>

namespace osteon::training {

enum class Mining {
  batch_all,   ///< every triplet
  batch_hard,  ///< for each anchor its farthest positive and nearest negative (Hermans, Beyer, Leibe 2017)
  semi_hard,  ///< for each positive pair the nearest negative beyond it (Schroff et al. 2015); where there is none, the
              ///< farthest negative
  random      ///< for each positive pair one negative
};

[[nodiscard]] Mining mining_of(std::string_view word);

/// Euclidean distances between all rows, squared: float32 `[N, N]` on the CPU, without a graph.
[[nodiscard]] at::Tensor squared_distances(const at::Tensor& embeddings);

/// Tuples (a, p, n) of different rows with label a = label p ≠ label n, in order of a, then p. `distances` is what
/// `squared_distances` returns; ties go to the lower row. Only `Mining::random` draws from `random`.
[[nodiscard]] Tuples mine(Mining mining, const at::Tensor& distances, std::span<const std::int64_t> labels,
                            Random& random);

}  // namespace osteon::training
