#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace osteon {

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(text(file.string(), ": cannot read: ", std::strerror(errno)));
  std::string bytes((std::istreambuf_iterator<char>(in)), {});
  if (in.bad()) throw Error(text(file.string(), ": cannot read: ", std::strerror(errno)));
  return bytes;
}

void write_file(const std::filesystem::path& file, std::string_view bytes) {
  const std::filesystem::path partial = file.string() + ".partial";
  const int descriptor = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  int reason = descriptor < 0 ? errno : 0;
  while (reason == 0 && !bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) reason = errno;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (descriptor >= 0) {
    if (reason == 0 && ::fsync(descriptor) != 0) reason = errno;
    if (::close(descriptor) != 0 && reason == 0) reason = errno;
  }
  if (reason == 0 && ::rename(partial.c_str(), file.c_str()) != 0) reason = errno;
  if (reason != 0) {
    if (descriptor >= 0) ::unlink(partial.c_str());
    throw failure(text(file.string(), ": cannot write: ", std::strerror(reason)));
  }
}

}  // namespace osteon
