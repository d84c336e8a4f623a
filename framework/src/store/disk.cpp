// Writing that reaches the disk before it counts; see the header.

#include "store/disk.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace osteon::store {

namespace {

/// 0 or the system's reason.
int write_all(int descriptor, std::string_view bytes) {
  constexpr std::size_t kMost = std::size_t{1} << 30;  // Linux writes no more than 2 GiB in one call
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), std::min(bytes.size(), kMost));
    if (written < 0 && errno != EINTR) return errno;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace

Error cannot(const std::filesystem::path& path, std::string_view deed, int reason, std::string_view advice) {
  return failure(text(path.string(), ": cannot ", deed, ": ", std::strerror(reason), "; ", advice));
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) throw cannot(folder, "make the folder", problem.value());
}

void write_flushed(const std::filesystem::path& file, std::span<const std::string_view> pieces, int mode,
                   std::string_view advice) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (descriptor < 0) throw cannot(file, "write", errno, advice);
  int reason = 0;
  for (const std::string_view piece : pieces)
    if (reason == 0) reason = write_all(descriptor, piece);
  if (reason == 0 && ::fsync(descriptor) != 0) reason = errno;
  if (::close(descriptor) != 0 && reason == 0) reason = errno;
  if (reason == 0) return;
  ::unlink(file.c_str());
  throw cannot(file, "write", reason, advice);
}

void flush_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) throw cannot(folder, "open", errno);
  const int reason = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  // Some network file systems refuse to flush a folder; there is nothing that could be done instead.
  if (reason != 0 && reason != EINVAL) throw cannot(folder, "write", reason);
}

}  // namespace osteon::store
