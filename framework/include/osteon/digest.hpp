#pragma once

#include <osteon/export.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace osteon {

/// SHA-256 (OpenSSL), fed piece by piece.
class OSTEON_API Digest {
 public:
  Digest();
  ~Digest();
  Digest(Digest&&) noexcept;
  Digest& operator=(Digest&&) noexcept;

  Digest& add(std::span<const std::byte> bytes);
  Digest& add(std::string_view bytes);

  /// 64 lower-case hexadecimal digits; the digest can't be fed any more afterwards.
  [[nodiscard]] std::string hex();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

OSTEON_API std::string sha256(std::string_view bytes);
OSTEON_API std::string sha256_of_file(const std::filesystem::path& file);

/// HMAC-SHA-256 in hexadecimal: how an identifier of a patient becomes a pseudonym. Without the key it can't be undone
/// by trying names.
OSTEON_API std::string hmac_sha256(std::string_view key, std::string_view bytes);

}  // namespace osteon
