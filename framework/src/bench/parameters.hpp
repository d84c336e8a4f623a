#pragma once

#include "host/registry.hpp"

#include <span>
#include <string>

namespace osteon::bench {

/// The parameters of one plugin from words of the command line, "margin=0.2" or "loss.margin=0.2", over its defaults.
/// Throws one `Error` that lists all mistakes, each as those of an experiment file.
[[nodiscard]] Parameters plugin_parameters(const host::LoadedPlugin& plugin, std::span<const std::string> words,
                                           host::Registry& registry);

}  // namespace osteon::bench
