#pragma once

// What Slurm adds to the status of points: why one has not begun, and what became of one whose process is gone.

#include "pipeline/run_status.hpp"

#include <vector>

namespace osteon::pipeline {

/// Completes the status of all points that have a job of Slurm and are not complete, in one question to Slurm. Where it
/// does not answer, the points say so and keep what their folders tell.
void add_slurm_status(std::vector<PointStatus>& points);

}  // namespace osteon::pipeline
