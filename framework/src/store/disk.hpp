#pragma once

// The few things that the store asks of the file system beyond the standard library: writing that reaches the disk
// before it counts, and errors that say what to do.

#include <osteon/error.hpp>

#include <filesystem>
#include <span>
#include <string_view>

namespace osteon::store {

/// A failure "`path`: cannot `deed`: the system's reason; what to do".
[[nodiscard]] Error cannot(const std::filesystem::path& path, std::string_view deed, int reason);

/// Makes a folder and those above it; throws `cannot` when that fails.
void make_folder(const std::filesystem::path& folder);

/// Writes the pieces one after the other into a new file and waits until they are on the disk. Throws `cannot` and
/// removes what it had written.
void write_flushed(const std::filesystem::path& file, std::initializer_list<std::string_view> pieces, int mode = 0644);

/// Waits until the names in a folder are on the disk.
void flush_folder(const std::filesystem::path& folder);

}  // namespace osteon::store
