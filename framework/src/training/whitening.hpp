#pragma once

// The last layer of a fingerprint, fitted in closed form: what varies between images of one bone (pose, scale, scanner)
// is made small, so that what is left tells bones apart, also bones that nobody has trained on. Principal components,
// then the inverse square root of the scatter within classes: Fisherfaces without their last projection (Belhumeur,
// Hespanha, Kriegman, PAMI 19(7), 1997), in retrieval "learned whitening" (Mikolajczyk and Matas, ICCV 2007), in
// speaker recognition "within-class covariance normalisation" (Hatch, Kajarekar, Stolcke, Interspeech 2006).

#include "training/training.hpp"

namespace osteon::training {

/// x → `weight` (x - `mean`).
struct Whitening {
  at::Tensor mean;    ///< float `[n]`
  at::Tensor weight;  ///< float `[d, n]`; rows beyond what the data can tell are zero
};

/// `features` float `[N, n]`, `labels` int64 `[N]`. The first `dimensions` principal components (by subspace iteration:
/// Halko, Martinsson, Tropp, SIAM Review 53, 2011, algorithm 4.4), in which the mean scatter within classes becomes the
/// identity. `shrinkage` in 0 … 1 draws that scatter towards its mean variance in all directions. Throws `Error` where
/// no class varies.
[[nodiscard]] Whitening whitening_of(const at::Tensor& features, const at::Tensor& labels, std::int64_t dimensions,
                                     double shrinkage, std::uint64_t seed);

/// Fits the network's whitening to the training images of `data` and to changed copies of them, as [head] and [augment]
/// say. Does nothing where the head has none.
void fit_whitening(FingerprintNetwork& network, const Data& data, const Parameters& head, const Parameters& training,
                   const Parameters& augment);

}  // namespace osteon::training
