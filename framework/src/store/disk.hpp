#pragma once

// The few things that the store asks of the file system beyond the standard library: writing that reaches the disk
// before it counts, and errors that say what to do.

#include <osteon/error.hpp>

#include <filesystem>
#include <span>
#include <string_view>

namespace osteon::store {

inline constexpr std::string_view kStoreAdvice = "make room there, or set OSTEON_STORE to a folder that can be written";

/// A failure "`path`: cannot `deed`: the system's reason; what to do".
[[nodiscard]] Error cannot(const std::filesystem::path& path, std::string_view deed, int reason,
                           std::string_view advice = kStoreAdvice);

/// Makes a folder and those above it; throws `cannot` when that fails.
void make_folder(const std::filesystem::path& folder);

/// Writes the pieces one after the other into a new file and waits until they are on the disk. Throws `cannot` and
/// removes what it had written.
void write_flushed(const std::filesystem::path& file, std::span<const std::string_view> pieces, int mode = 0644,
                   std::string_view advice = kStoreAdvice);
inline void write_flushed(const std::filesystem::path& file, std::initializer_list<std::string_view> pieces,
                          int mode = 0644) {
  write_flushed(file, std::span(pieces.begin(), pieces.size()), mode);
}

/// Waits until the names in a folder are on the disk.
void flush_folder(const std::filesystem::path& folder);

}  // namespace osteon::store
