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
  distance_weighted,  ///< for each positive pair one negative, drawn so that all distances are equally likely (Wu et
                      ///< al. 2017)
  random              ///< for each positive pair one negative, any
};

[[nodiscard]] Mining mining_of(std::string_view word);

/// The mining of each epoch: [training] mining at first, then each of `curriculum` from its epoch of
/// `curriculum_epochs` on. Throws `Error` where the two lists don't fit each other.
class Curriculum {
 public:
  explicit Curriculum(const Parameters& training);
  [[nodiscard]] Mining at(std::int64_t epoch) const;  ///< from 0

 private:
  std::vector<std::pair<std::int64_t, Mining>> begins_;
};

/// Euclidean distances between all rows, squared: float32 `[N, N]` on the CPU, without a graph.
[[nodiscard]] at::Tensor squared_distances(const at::Tensor& embeddings);

/// Triplets (a, p, n) of different rows with label a = label p ≠ label n, in order of a, then p. `distances` is what
/// `squared_distances` returns, `dimensions` the size of the embeddings; ties go to the lower row. `random` and
/// `distance_weighted` draw from `random`.
[[nodiscard]] Tuples mine(Mining mining, const at::Tensor& distances, std::int64_t dimensions,
                          std::span<const std::int64_t> labels, Random& random);

/// The triplets of a batch that the sampler drew as such: anchors, then positives, then negatives.
[[nodiscard]] Tuples drawn_triplets(std::int64_t rows);

}  // namespace osteon::training
