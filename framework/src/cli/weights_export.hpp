#pragma once

// A run's trained network as a file that Python loads.

#include "cli/commands.hpp"

#include <osteon/backbone.hpp>

#include <string>
#include <vector>

namespace osteon::cli {

/// A backbone of one grey channel, built for its names and shapes; weights don't depend on the images' size.
[[nodiscard]] std::shared_ptr<Network> make_network(const host::LoadedPlugin& plugin, const Parameters& parameters);

struct WeightsExport {
  std::filesystem::path run, file;
  bool whole = false;
};

/// Writes the file and returns what to tell: how many tensors, and the lines of Python that load it. Throws `Error`
/// when the folder is not that of a finished run or its model is not in the store.
[[nodiscard]] std::vector<std::string> export_weights(const WeightsExport& request, Common& common);

}  // namespace osteon::cli
