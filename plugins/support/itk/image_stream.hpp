#pragma once

// Bytes of a file, plain or unpacked (zlib).

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

namespace osteon::image {

/// Up to `count` bytes from `begin` of the file; when `compressed`, of the gzip or zlib stream that begins there,
/// behind `skip` unpacked bytes. `count` bytes, or fewer where the file ends or the stream is damaged. Returns how
/// many. Throws `Error` naming the file when it can't be read at all.
std::size_t read_bytes(const std::filesystem::path& file, std::uintmax_t begin, bool compressed, std::uintmax_t skip,
                       char* bytes, std::size_t count);

/// The first bytes of a file, at most `count`.
[[nodiscard]] std::string start_of(const std::filesystem::path& file, std::size_t count, bool compressed);

}  // namespace osteon::image
