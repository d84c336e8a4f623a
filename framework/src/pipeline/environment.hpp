#pragma once

#include "config/experiment.hpp"

#include <map>
#include <string>

namespace osteon::pipeline {

/// As the system and the library call themselves.
[[nodiscard]] std::string processor_name();
[[nodiscard]] std::string blas_name();

/// Versions, plugin build ids, processor, threads, BLAS: what one needs to know to repeat a figure.
[[nodiscard]] std::map<std::string, std::string> environment(const config::Experiment& experiment,
                                                             host::Registry& registry);

/// Sets LibTorch's and the other libraries' threads to what the experiment asks for (0: all cores).
void limit_threads(const config::Experiment& experiment);

}  // namespace osteon::pipeline
