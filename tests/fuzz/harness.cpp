#include "harness.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace osteon::fuzz {

namespace {

namespace fs = std::filesystem;

std::vector<Harness>& registered() {
  static std::vector<Harness> list;
  return list;
}

/// Removed when the process ends as it should. After a crash it stays: what was read last lies in it.
class ScratchFolder {
 public:
  ScratchFolder() {
    const fs::path memory = "/dev/shm";
    const fs::path parent = ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
    std::string pattern = (parent / "osteon-fuzz-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw failure(text(pattern, ": cannot make: ", std::strerror(errno)));
    path_ = pattern;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

Registered::Registered(const char* name, std::string (*read)(std::string_view)) {
  registered().push_back({name, read});
}

std::vector<Harness> harnesses() {
  std::vector<Harness> list = registered();
  std::ranges::sort(list, {}, &Harness::name);
  return list;
}

const fs::path& scratch() {
  static const ScratchFolder folder;
  return folder.path();
}

fs::path put(const std::string& name, std::string_view bytes) {
  const fs::path file = scratch() / name;
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0 || ::write(descriptor, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
    throw failure(text(file.string(), ": cannot write: ", std::strerror(errno)));
  ::close(descriptor);
  return file;
}

std::vector<std::string_view> cut_before(std::string_view bytes, std::string_view word) {
  std::vector<std::string_view> parts;
  while (!bytes.empty()) {
    const std::size_t end = std::min(bytes.find(word, 1), bytes.size());
    parts.push_back(bytes.substr(0, end));
    bytes.remove_prefix(end);
  }
  return parts;
}

std::string without_scratch(std::string message) {
  const std::string folder = scratch().string() + "/";
  for (std::size_t at = message.find(folder); at != std::string::npos; at = message.find(folder))
    message.erase(at, folder.size());
  return message;
}

}  // namespace osteon::fuzz
