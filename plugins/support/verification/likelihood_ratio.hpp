#pragma once

// Likelihood ratios P(score | same bone) / P(score | another person's bone) from scores, and how well they are
// calibrated (Brümmer and du Preez, "Application-independent evaluation of speaker detection", Computer Speech &
// Language 20, 2006).

#include "verification/trials.hpp"

#include <optional>

namespace osteon::verification {

/// A trial's natural logarithm of the likelihood ratio.
struct LogRatio {
  double value, weight;
  bool is_genuine;
  std::int64_t probe_person, enrolled_person;
};

/// Cost of the log-likelihood ratio in bits: ½ (mean over genuine trials of log₂(1 + 1/LR) + mean over impostor trials
/// of log₂(1 + LR)), each mean weighted. 0 is perfect, 1 what LR = 1 for everything costs. `times`: how often each
/// person is drawn, or nothing. NaN without genuine or without impostor trials.
[[nodiscard]] double cllr(std::span<const LogRatio> ratios, std::span<const double> times = {});

/// `cllr` of many draws: what a trial costs does not depend on who is drawn, so costs are added up beforehand, one part
/// for each pair of people.
class CllrDraws {
 public:
  explicit CllrDraws(std::span<const LogRatio> ratios);
  [[nodiscard]] double operator()(std::span<const double> times = {}) const;

 private:
  struct Part {
    Trial pair;  ///< its weight is that of all the pair's trials
    double cost;
  };
  std::vector<Part> parts_;
};

/// The cllr that the best non-decreasing function of the score reaches, fitted to these very trials (pool adjacent
/// violators): what is lost to discrimination alone. `sorted`: largest score first.
[[nodiscard]] double least_cllr(std::span<const Trial> sorted);

/// ln LR = offset + slope · score.
struct Calibration {
  double offset = 0, slope = 0;
  [[nodiscard]] double operator()(double score) const { return offset + slope * score; }
};

/// Logistic regression with genuine and impostor trials weighing the same, so that log odds are log ratios. The targets
/// are not 1 and 0 but 1 − 1/(n + 2) and 1/(n + 2) of n people (after Platt, "Probabilistic outputs for support vector
/// machines", 1999, who counts trials): it is defined for scores that separate completely, and then tells no ratio
/// beyond about n + 1. Nothing without genuine or without impostor trials.
[[nodiscard]] std::optional<Calibration> calibrate(std::span<const Trial> trials, std::int64_t people);

/// People are dealt into this many folds, each one a fold up to there.
inline constexpr std::int64_t kCalibrationFolds = 10;
/// Fewer people with probes leave nobody to calibrate with when both of a pair are left out.
inline constexpr std::int64_t kFewestToCalibrate = 4;

/// Each trial's ratio by a calibration from which the fold of the probe's person and that of the enrolled person are
/// left out: neither is in any trial that it learned from. Nothing where a calibration would have no genuine or no
/// impostor trials.
[[nodiscard]] std::optional<std::vector<LogRatio>> cross_calibrated(std::span<const Trial> trials);

/// The weighted share of trials with a ratio above 10^`at`, of genuine or of impostor trials: one point of a Tippett
/// plot (Evett and Buckleton, 1996).
[[nodiscard]] double share_above(std::span<const LogRatio> ratios, bool genuine, double at);

}  // namespace osteon::verification
