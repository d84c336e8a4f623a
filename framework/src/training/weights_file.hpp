#pragma once

// A file of weights from anywhere, read piece by piece: nothing in it is believed before it agrees with the file's
// size, and no memory is taken before that. Reading rather than mapping keeps a file that shrinks meanwhile an error.

#include <osteon/error.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace osteon::training {

/// A mistake in a weights file: "NAME: what". The folder stays out of the message.
template <class... Parts>
[[nodiscard]] Error refusal(const std::filesystem::path& file, const Parts&... what) {
  return Error(text(file.filename().string(), ": ", what...));
}

/// A name from a file as a terminal may show it: control characters replaced, at most 100 bytes.
[[nodiscard]] std::string shown(std::string_view name);

/// CRC-32 as zip files have it (ISO 3309), of bytes that follow those of `before`.
[[nodiscard]] std::uint32_t crc32(std::string_view bytes, std::uint32_t before = 0);

/// The integer of `size` ≤ 8 bytes at `place`, least byte first.
[[nodiscard]] std::uint64_t little_endian(std::string_view bytes, std::size_t place, std::size_t size);

class WeightsFile {
 public:
  /// Throws `Error` when it can't be read or is no ordinary file.
  explicit WeightsFile(std::filesystem::path path);
  WeightsFile(const WeightsFile&) = delete;
  WeightsFile& operator=(const WeightsFile&) = delete;
  ~WeightsFile();

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

  /// Whether `bytes` bytes from `first` lie in the file.
  [[nodiscard]] bool holds(std::uint64_t first, std::uint64_t bytes) const {
    return first <= size_ && bytes <= size_ - first;
  }
  /// Throws `Error` when the file doesn't hold them.
  void read(std::uint64_t first, void* to, std::uint64_t bytes) const;
  [[nodiscard]] std::string read(std::uint64_t first, std::uint64_t bytes) const;

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// A file being written: under "NAME.partial" until `finish` has flushed and renamed it; removed when it never is.
class WeightsSink {
 public:
  explicit WeightsSink(std::filesystem::path path);
  WeightsSink(const WeightsSink&) = delete;
  WeightsSink& operator=(const WeightsSink&) = delete;
  ~WeightsSink();

  /// Throws a failure with the system's reason.
  void write(std::string_view bytes);
  [[nodiscard]] std::uint64_t written() const { return written_; }
  void finish();

 private:
  [[noreturn]] void fail(int reason) const;

  std::filesystem::path path_, partial_;
  int descriptor_ = -1;
  std::uint64_t written_ = 0;
};

}  // namespace osteon::training
