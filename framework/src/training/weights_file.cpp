// Reading and writing files of weights; see the header.

#include "training/weights_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>

namespace osteon::training {

static_assert(std::endian::native == std::endian::little, "weights are read and written as they stand in memory");

namespace {

constexpr std::uint64_t kMostAtOnce = std::uint64_t{1} << 30;  // Linux moves no more than 2 GiB in one call

/// Tables for eight bytes at a time (Kounavis and Berry, "A systematic approach to building high performance
/// software-based CRC generators", 2005).
using CrcTables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr CrcTables make_crc_tables() {
  CrcTables tables{};
  for (std::uint32_t n = 0; n < 256; ++n) {
    std::uint32_t value = n;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1) != 0 ? 0xEDB88320U ^ (value >> 1) : value >> 1;
    tables[0][n] = value;
  }
  for (std::size_t t = 1; t < tables.size(); ++t)
    for (std::uint32_t n = 0; n < 256; ++n) tables[t][n] = (tables[t - 1][n] >> 8) ^ tables[0][tables[t - 1][n] & 255];
  return tables;
}

constexpr CrcTables kCrc = make_crc_tables();

}  // namespace

std::string shown(std::string_view name) {
  constexpr std::size_t kLongest = 100;
  std::string result(name.substr(0, kLongest));
  for (char& c : result)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  return name.size() > kLongest ? result + "…" : result;
}

std::uint32_t crc32(std::string_view bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  const auto* next = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, next += 8) {
    std::uint32_t low = 0, high = 0;
    std::memcpy(&low, next, 4);
    std::memcpy(&high, next + 4, 4);
    low ^= crc;
    crc = kCrc[7][low & 255] ^ kCrc[6][(low >> 8) & 255] ^ kCrc[5][(low >> 16) & 255] ^ kCrc[4][low >> 24] ^
          kCrc[3][high & 255] ^ kCrc[2][(high >> 8) & 255] ^ kCrc[1][(high >> 16) & 255] ^ kCrc[0][high >> 24];
  }
  for (; left > 0; --left) crc = (crc >> 8) ^ kCrc[0][(crc ^ *next++) & 255];
  return ~crc;
}

std::uint64_t little_endian(std::string_view bytes, std::size_t place, std::size_t size) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.substr(place, size).data(), size);
  return value;
}

WeightsFile::WeightsFile(std::filesystem::path path) : path_(std::move(path)) {
  // O_NONBLOCK: a pipe of that name must not stop the program.
  descriptor_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
    const int reason = errno;
    if (descriptor_ >= 0) ::close(descriptor_);
    throw refusal(path_, "cannot read: ", std::strerror(reason));
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(descriptor_);
    throw refusal(path_, "no file; expected a .pth or .safetensors file of weights");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

WeightsFile::~WeightsFile() { ::close(descriptor_); }

void WeightsFile::read(std::uint64_t first, void* to, std::uint64_t bytes) const {
  if (!holds(first, bytes))
    throw refusal(path_, "cut off: ", bytes, " bytes expected from byte ", first, ", but the file has ", size_);
  auto* next = static_cast<char*>(to);
  while (bytes > 0) {
    const ssize_t got = ::pread(descriptor_, next, std::min(bytes, kMostAtOnce), static_cast<off_t>(first));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw failure(text(path_.filename().string(), ": reading failed: ", std::strerror(errno)));
    if (got == 0) throw refusal(path_, "became shorter while it was read");
    next += got;
    first += static_cast<std::uint64_t>(got);
    bytes -= static_cast<std::uint64_t>(got);
  }
}

std::string WeightsFile::read(std::uint64_t first, std::uint64_t bytes) const {
  std::string result;
  if (holds(first, bytes)) result.resize(bytes);
  read(first, result.data(), bytes);
  return result;
}

WeightsSink::WeightsSink(std::filesystem::path path) : path_(std::move(path)), partial_(path_.string() + ".partial") {
  descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail(errno);
}

WeightsSink::~WeightsSink() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(partial_.c_str());
}

void WeightsSink::fail(int reason) const {
  throw failure(text(path_.filename().string(), ": cannot write: ", std::strerror(reason)));
}

void WeightsSink::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(descriptor_, bytes.data(), std::min<std::uint64_t>(bytes.size(), kMostAtOnce));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
    written_ += static_cast<std::uint64_t>(count);
  }
}

void WeightsSink::finish() {
  if (::fsync(descriptor_) != 0) fail(errno);
  if (::rename(partial_.c_str(), path_.c_str()) != 0) fail(errno);
  ::close(descriptor_);
  descriptor_ = -1;
}

}  // namespace osteon::training
