#pragma once

// Receiver operating characteristic of weighted trials (Fawcett, "An introduction to ROC analysis", Pattern Recognition
// Letters 27, 2006; ISO/IEC 19795-1). A comparison is accepted from a score on; trials that tie are accepted together.

#include "verification/trials.hpp"

namespace osteon::verification {

/// False-accept and true-accept rate, both ascending, from (0, 0) to (1, 1). Points within a horizontal or upright
/// stretch are left out. Empty where there is no genuine or no impostor trial.
struct Roc {
  std::vector<double> false_accepts, true_accepts;
};

/// Trials made ready for the curves of many draws of people. A curve turns only where genuine and impostor trials meet:
/// what lies between two such places is added up beforehand, one part for each pair of people, which leaves a fraction
/// of the trials to go through in each draw.
class RocDraws {
 public:
  /// `sorted`: largest score first.
  explicit RocDraws(std::span<const Trial> sorted);
  /// `times`: how often each person is drawn, or nothing.
  [[nodiscard]] Roc roc(std::span<const double> times = {}) const;

 private:
  void add_step(std::vector<Trial>& trials);

  std::vector<Trial> parts_;       ///< trials of one pair of people as one; scores mean nothing
  std::vector<std::size_t> ends_;  ///< of each step, among the parts
};

/// `sorted`: largest score first. `times`: how often each person is drawn, or nothing.
[[nodiscard]] Roc roc_of(std::span<const Trial> sorted, std::span<const double> times = {});

/// Where false accepts are as frequent as false rejects, in 0 … 1, on straight lines between neighbouring points of the
/// curve (not on its convex hull): 0.5 where all scores tie. NaN for an empty curve.
[[nodiscard]] double equal_error_rate(const Roc& roc);

/// Area under the curve by trapezoids: the chance that a genuine score is larger than an impostor's, ties half. NaN for
/// an empty curve.
[[nodiscard]] double area_under(const Roc& roc);

/// The largest true-accept rate that a threshold reaches at a false-accept rate of at most `rate`; nothing between
/// thresholds is made up. NaN for an empty curve.
[[nodiscard]] double true_accepts_at(const Roc& roc, double rate);

/// Below 3 / (independent impostor pairs) no false-accept rate is told: with none seen in n, up to 3/n are compatible
/// with it at 95 % (Hanley and Lippman-Hand, JAMA 249, 1983).
[[nodiscard]] double least_false_accept_rate(std::int64_t people);

}  // namespace osteon::verification
