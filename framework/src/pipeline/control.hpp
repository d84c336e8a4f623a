#pragma once

// The control of the evidence: every scan X-rayed once more with its bone taken out. Whoever still tells the bones
// apart there, by pixels or by fingerprint, reads something that is no bone (the thigh's outline, the neighbours, the
// grid), and the run's identity figures are worth nothing.

#include "pipeline/stages.hpp"

#include <osteon/parameters.hpp>

#include <span>
#include <string>
#include <vector>

namespace osteon::pipeline {

[[nodiscard]] Schema control_schema();  ///< [control]

/// What one method said of the X-rays without bones.
struct ControlFigure {
  std::string method;      ///< "fingerprint", "raw pixels"
  double recognised = 0;   ///< bones: the sum over bones of the share of their queries that were answered rightly
  std::int64_t bones = 0;  ///< with queries
  double probability = 1;  ///< of as many by chance: from permutations of the bones
};

/// `answers` `[B][B]`: of the queries of each bone the share answered by each bone. The probability that bones dealt
/// out at random score as high as the right ones (one-sided, 9,999 permutations and the data themselves; Phipson &
/// Smyth, Stat. Appl. Genet. Mol. Biol. 9:39, 2010).
[[nodiscard]] double permutation_probability(const std::vector<std::vector<double>>& answers, std::uint64_t seed);

/// Below this probability the figures are no chance: the control has found a leak. Six bones or more can get there.
inline constexpr double kLeakProbability = 0.001;

/// One figure a method; none when [control] turns it off or when gallery and queries share a volume anyway.
[[nodiscard]] std::vector<ControlFigure> run_control(const RunContext& run, const Cohort& cohort,
                                                     const ImageTable& images, const TrainedModel& model,
                                                     Records& records);

/// The figures as rows of the report's tables.
[[nodiscard]] std::vector<MetricValue> control_table(std::span<const ControlFigure> figures);

/// Throws a failure when a method has recognised bones that are not there.
void require_no_leak(std::span<const ControlFigure> figures);

}  // namespace osteon::pipeline
