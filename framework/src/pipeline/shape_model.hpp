#pragma once

// What a run's shape method has learnt, as one file of arrays that other programs read.

#include <filesystem>
#include <string>
#include <vector>

namespace osteon::pipeline {

/// Lets a shape method of a finished run learn from all of its bones and writes the model to `file`, safetensors or
/// PyTorch's container by its ending. Returns what was written, as lines for a terminal. Throws `Error` when the folder
/// is not that of a run that has trained, it has no such method, or the method keeps no model.
std::vector<std::string> write_shape_model(const std::filesystem::path& run,
                                           const std::vector<std::filesystem::path>& plugin_folders,
                                           const std::string& shape, const std::filesystem::path& file);

}  // namespace osteon::pipeline
