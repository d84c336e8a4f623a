#pragma once

// `osteon run FILE --executor slurm`: the points of a sweep as jobs of Slurm. Nothing stays behind to watch them.

#include "pipeline/runner.hpp"

namespace osteon::pipeline {

/// Submits the points that are neither complete nor queued as a job array (or several, where the cluster's arrays are
/// smaller), and a job that makes the sweep's table when they have ended. Throws `Error` where sbatch is missing or
/// [slurm] cannot be meant, a failure that quotes sbatch where it refuses. Exit code as of `run_experiment`.
int submit_to_slurm(const RunOptions& options, const config::Plan& plan, const std::filesystem::path& folder,
                    host::Registry& registry);

/// Makes the table and report of a submitted sweep from what its points have left; runs none of them. Exit code: 0; a
/// failure that lists them is thrown where points are not complete.
int collect_sweep(const std::filesystem::path& folder, host::Registry& registry);

}  // namespace osteon::pipeline
