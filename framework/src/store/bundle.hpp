#pragma once

// An artifact as one file that can be handed to somebody: facts and tensors, with a magic, a version and a SHA-256 over
// all of it.
//
//     bytes        what
//     8            magic: 0x89 "OSTEON" 0x0A, which a transfer as text or as 7 bits would change
//     4            version of this layout, unsigned, least byte first
//     4            length of the header
//     8            length of the whole file
//     …            header: JSON with "kind", "facts" and "tensors", a list of {"name", "dtype", "shape"}
//     …            the tensors' numbers in the list's order, C order, least byte first, without gaps
//     64           SHA-256 of all before it, hexadecimal

#include "store/store.hpp"

namespace osteon::store {

inline constexpr std::uint32_t kBundleVersion = 1;

/// Writes under "FILE.partial", waits until that is on the disk, renames: whoever reads finds the old file or the new
/// one, whatever happens in between. Two processes must not write the same file at once (see `Lock`). Throws a failure
/// with the system's reason and leaves the old file when the disk is full.
void write_bundle(const std::filesystem::path& file, const std::string& kind, const Artifact& artifact);

struct Bundle {
  std::string kind;
  Artifact artifact;
};

/// Reads a bundle back. Throws `Error` that names the file, what is wrong and what to do: no bundle, another version,
/// cut off, altered. Nothing in the file is believed before it agrees with the file's size.
[[nodiscard]] Bundle read_bundle(const std::filesystem::path& file);

/// Reads a bundle that must be of this kind.
[[nodiscard]] Artifact read_bundle(const std::filesystem::path& file, const std::string& kind);

}  // namespace osteon::store
