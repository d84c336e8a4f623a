#pragma once

// How much a store may hold, and what there is room for.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace osteon::store {

inline constexpr const char* kQuotaVariable = "OSTEON_STORE_QUOTA";

/// "50 GB", "1.5TB", "800 MB", "1000" → bytes (1 GB = 10⁹ bytes). Nothing when it is no size.
[[nodiscard]] std::optional<std::uint64_t> bytes_from(std::string_view words);

/// 16,700,000,000 → "16.7 GB".
[[nodiscard]] std::string size_text(std::uint64_t bytes);

/// What OSTEON_STORE_QUOTA says; nothing when it is not set. Throws `Error` when it is no size.
[[nodiscard]] std::optional<std::uint64_t> quota();

/// Bytes of all files at or below a path; what disappears meanwhile counts nothing.
[[nodiscard]] std::uint64_t bytes_below(const std::filesystem::path& path);

/// How much more a store may take: what the file system has free, or what the quota leaves where that is less.
struct Room {
  std::uint64_t bytes = 0;
  bool is_of_quota = false;
};
[[nodiscard]] Room room_of(const std::filesystem::path& root);

/// Throws a failure that names `osteon gc` when `bytes` more, for what `what` names, would go beyond the quota.
void require_quota(const std::filesystem::path& root, std::uint64_t bytes, const std::string& what);

}  // namespace osteon::store
