#pragma once

// The machines of all pairs of classes, trained by libsvm (Chang and Lin, "LIBSVM", ACM TIST 2, 2011) bit for bit as
// its `svm_train` trains all classes at once.
//
// One call of `svm_train` for all classes computes each inner product anew for each pair of classes, and for each
// setting of a grid, entry by entry. Here each pair is a problem of its own (which libsvm makes of it anyway), its
// kernel matrix is made once by sums over panels and handed to libsvm as "precomputed" for all costs and folds, and
// pairs are trained side by side. Sums, kernel and order of rows are libsvm's, so that every bit of the machines is.

#include "rows.hpp"

#include <vector>

namespace osteon::svm {

/// One pair's machine. Its decision on x, positive for the class `first`, is Σ coefficient · K(row, x) - rho.
struct PairMachine {
  std::vector<std::int32_t> rows;  ///< the support vectors, those of the first class before those of the other
  std::vector<double> coefficients;
  double rho = 0;
};

/// All that one training makes.
struct Committee {
  std::vector<std::size_t> order;     ///< classes as they come first in the training set
  std::vector<PairMachine> machines;  ///< of classes order[0] and [1], [0] and [2], …, [1] and [2], …
};

constexpr std::size_t kInEverySet = static_cast<std::size_t>(-1);

/// What to train on: the class 0, 1, … of each row, and the one of `sets` training sets that it is left out of, or
/// `kInEverySet`.
struct Membership {
  std::vector<std::size_t> classes, left_out_of;
  std::size_t sets = 1;
};

/// Trains every cost on every set: committee `set * costs.size() + c`. A set's committee has the classes that occur in
/// it.
[[nodiscard]] std::vector<Committee> train(const Rows& rows, const Membership& membership, Kernel kernel,
                                           const std::vector<double>& costs);

/// The place of a pair in `Committee::machines`; `first` < `second` are places in `order`.
[[nodiscard]] inline std::size_t pair_place(std::size_t first, std::size_t second, std::size_t classes) {
  return first * (2 * classes - first - 1) / 2 + second - first - 1;
}

}  // namespace osteon::svm
