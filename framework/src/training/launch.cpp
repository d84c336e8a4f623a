#include "training/launch.hpp"

#include <osteon/error.hpp>

#include <charconv>
#include <cstring>
#include <limits>

namespace osteon::training {

namespace {

constexpr int kLowestPort = 1, kHighestPort = 65535;

std::string value_of(const Variables& variables, const char* name) {
  const char* const value = variables(name);
  return value == nullptr ? "" : value;
}

/// A number that must be there.
int number_of(const Variables& variables, const char* name, int least, int most) {
  const std::string value = value_of(variables, name);
  if (value.empty())
    throw Error(
        text("several processes are to train together and ", name,
             " is not set; each needs RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT (torchrun sets them), or is "
             "started by srun"));
  int number = 0;
  const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (problem != std::errc() || end != value.data() + value.size() || number < least || number > most)
    throw Error(
        text(name, " = \"", value, "\" in the environment: expected a whole number from ", least, " to ", most));
  return number;
}

int number_or(const Variables& variables, const char* name, int otherwise) {
  return value_of(variables, name).empty() ? otherwise : number_of(variables, name, 0, std::numeric_limits<int>::max());
}

Launch launch_from_srun(const Variables& variables) {
  constexpr int kMost = std::numeric_limits<int>::max();
  Launch launch;
  launch.size = number_of(variables, "SLURM_STEP_NUM_TASKS", 1, kMost);
  if (launch.size == 1) return launch;
  launch.rank = number_of(variables, "SLURM_PROCID", 0, launch.size - 1);
  launch.local_rank = number_or(variables, "SLURM_LOCALID", 0);
  launch.host = value_of(variables, "MASTER_ADDR");
  if (launch.host.empty()) launch.host = first_host(value_of(variables, "SLURM_STEP_NODELIST"));
  if (!value_of(variables, "MASTER_PORT").empty()) {
    launch.port = number_of(variables, "MASTER_PORT", kLowestPort, kHighestPort);
  } else {
    // Below the range from which Linux draws ports by itself (32768 on).
    constexpr long kFirst = 15000, kPorts = 17000, kStepsApart = 101;
    const long job = number_or(variables, "SLURM_JOB_ID", 0), step = number_or(variables, "SLURM_STEP_ID", 0);
    launch.port = static_cast<int>(kFirst + (job + kStepsApart * step) % kPorts);
  }
  return launch;
}

}  // namespace

std::string first_host(const std::string& nodes) {
  const std::size_t end = nodes.find_first_of("[,");
  std::string host = nodes.substr(0, end);
  if (end != std::string::npos && nodes[end] == '[')
    host += nodes.substr(end + 1, nodes.find_first_of("-,]", end + 1) - end - 1);
  if (host.empty())
    throw Error(text("SLURM_STEP_NODELIST = \"", nodes,
                     "\": no host found in it; set MASTER_ADDR to the machine of the first task"));
  return host;
}

Launch launch_from(const Variables& variables) {
  if (value_of(variables, "WORLD_SIZE").empty()) {
    // Only srun sets it: in a batch script SLURM_PROCID and SLURM_NTASKS speak of tasks that nobody has started yet.
    return value_of(variables, "SLURM_STEP_NUM_TASKS").empty() ? Launch() : launch_from_srun(variables);
  }
  Launch launch;
  launch.size = number_of(variables, "WORLD_SIZE", 1, std::numeric_limits<int>::max());
  if (launch.size == 1) return launch;
  launch.rank = number_of(variables, "RANK", 0, launch.size - 1);
  launch.local_rank = number_or(variables, "LOCAL_RANK", 0);
  launch.host = value_of(variables, "MASTER_ADDR");
  if (launch.host.empty())
    throw Error(text("WORLD_SIZE = ", launch.size,
                     " and MASTER_ADDR is not set; it is the name or address of the machine that rank 0 runs on"));
  launch.port = number_of(variables, "MASTER_PORT", kLowestPort, kHighestPort);
  return launch;
}

}  // namespace osteon::training
