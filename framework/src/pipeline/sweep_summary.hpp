#pragma once

// What a sweep varied and what came of it, for its reporters: each point, and the comparison of its settings that
// `osteon compare` makes too.

#include "config/experiment.hpp"
#include "pipeline/sweep_table.hpp"

#include <osteon/reporter.hpp>

#include <filesystem>

namespace osteon::pipeline {

/// Beyond so many settings their comparison would take longer than looking at it; the points' figures are told anyway.
inline constexpr std::size_t kMostCompared = 300;

/// Of the sweep that has run in `folder`, whose points have these figures. The baseline is the setting that the file
/// itself describes, else the first.
[[nodiscard]] SweepSummary sweep_summary(const config::Plan& plan, const SweepResults& results,
                                         const std::filesystem::path& folder);

}  // namespace osteon::pipeline
