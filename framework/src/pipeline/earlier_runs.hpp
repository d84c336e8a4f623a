#pragma once

// What earlier runs of an experiment took: seconds and bytes, for estimates.

#include "store/store.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace osteon::pipeline {

/// Whether points of a sweep may share what a stage makes; the others (training and what follows) are a point's own.
[[nodiscard]] bool is_shared_stage(const std::string& stage);

struct EarlierRuns {
  struct Mean {
    double sum = 0;
    std::int64_t count = 0;

    void add(double value, std::int64_t times = 1) { sum += value, count += times; }
    [[nodiscard]] std::optional<double> value() const;
  };
  std::map<std::string, Mean> seconds;  ///< by stage: of each artifact of a shared one, else of a point that made some
  Mean bytes;                           ///< of what a point keeps of its own
};

/// From the complete points in `folder` and in folders beside it of the same title, some dozens at most.
[[nodiscard]] EarlierRuns earlier_runs(const std::filesystem::path& folder, const store::Store& store);

}  // namespace osteon::pipeline
