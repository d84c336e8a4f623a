#pragma once

#include "store/gc.hpp"

#include <filesystem>
#include <span>

namespace osteon::pipeline {

/// Adds the artifacts that the runs in a folder refer to, by run: that of a run or of a sweep, or one of those
/// ("runs").
void add_claims(const std::filesystem::path& folder, store::Claims& claims);

/// Those of several folders.
/// Throws `Error` when a folder that was named is not there or holds no run.
[[nodiscard]] store::Claims claims_of(std::span<const std::filesystem::path> folders);

}  // namespace osteon::pipeline
