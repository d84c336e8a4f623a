#pragma once

// Which process of several this one is: told by whoever started them, in the environment.

#include <functional>
#include <string>

namespace osteon::training {

/// A process's place among those that train together.
struct Launch {
  int rank = 0;               ///< 0 … size - 1
  int size = 1;               ///< number of processes; 1: this one is alone
  int local_rank = 0;         ///< among those of the same machine
  std::string host;           ///< of rank 0, a name or an address
  int port = 0;               ///< at which rank 0 listens
  double join_seconds = 300;  ///< how long a rank waits for the others to come
};

/// Value of an environment variable, nullptr where it isn't set; `std::getenv`, or a test's.
using Variables = std::function<const char*(const char*)>;

/// Reads RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and LOCAL_RANK, as torchrun and others set them; where there is no
/// WORLD_SIZE, what Slurm's srun sets for each task of a step: SLURM_PROCID, SLURM_STEP_NUM_TASKS, SLURM_LOCALID, and
/// the first host of SLURM_STEP_NODELIST, with a port that follows from job and step (MASTER_ADDR and MASTER_PORT go
/// before these). A batch script itself, which is not started by srun, is alone however many tasks its job has.
/// Throws `Error` that names the variable which is missing or no number in its range.
[[nodiscard]] Launch launch_from(const Variables& variables);

/// The first host of Slurm's notation: "gpu[03-05,9],login" → "gpu03".
[[nodiscard]] std::string first_host(const std::string& nodes);

}  // namespace osteon::training
