#pragma once

#include <osteon/export.hpp>

#include <filesystem>
#include <string>
#include <string_view>

namespace osteon {

/// The whole of a file; throws `Error` naming it when it can't be read.
OSTEON_API std::string read_file(const std::filesystem::path& file);

/// Writes to `file`.partial, flushes, and renames: readers see the old file or the new one, never a part. Throws
/// `Error` (a failure) with the path and the system's reason, and removes the partial file.
OSTEON_API void write_file(const std::filesystem::path& file, std::string_view bytes);

}  // namespace osteon
