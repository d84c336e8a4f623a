#pragma once

// What committees of pairwise machines say of embeddings, bit for bit as libsvm's `svm_predict_values`, eight at a
// time.

#include "training.hpp"

#include <array>

namespace osteon::svm {

constexpr std::int64_t kTogether = recognition::kPanel;  ///< embeddings that are judged at once
constexpr std::size_t kNoClass = static_cast<std::size_t>(-1);  ///< of a committee without classes

struct Verdict {
  std::size_t winner;  ///< class with the most decisions, of equal counts the one first in order; `kNoClass`
  double least;        ///< decision by which it wins over the class that it beats least; negative if it loses to one
};

/// Committees of one kernel, such as those of all costs of a grid: what they judge is compared once with the support
/// vectors that they share.
class Votes {
 public:
  Votes() = default;
  /// The support vectors are rows of `rows`, which is not needed afterwards.
  Votes(const Rows& rows, std::vector<Committee> committees, Kernel kernel);

  /// The verdict of each committee on each column of `panel`, which has at most `kTogether`.
  [[nodiscard]] std::vector<std::array<Verdict, kTogether>> judge(const recognition::Panels& panel) const;

 private:
  using Lanes = std::array<double, kTogether>;

  [[nodiscard]] std::vector<Lanes> compared(const recognition::Panels& panel) const;

  Kernel kernel_{};
  std::vector<Committee> committees_;  ///< whose machines name columns of `support_` instead of rows
  recognition::Panels support_;
};

}  // namespace osteon::svm
