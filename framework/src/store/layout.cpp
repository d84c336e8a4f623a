// Paths in a store, and what dead processes left behind in it; see the header.

#include "store/layout.hpp"

#include <osteon/error.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>

namespace osteon::store {

namespace {

bool lives(pid_t process) { return ::kill(process, 0) == 0 || errno == EPERM; }

/// Whether a process that this one can't see (in another container) still writes here: it holds the folder's lock.
bool is_held(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool held = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(descriptor);
  return held;
}

/// The process that a name in tmp/ belongs to, "KEY.PID.N"; 0 when the name is of another form.
pid_t owner_of(const std::string& name) {
  const std::size_t first = name.find('.'), second = name.find('.', first + 1);
  if (first == std::string::npos || second == std::string::npos) return 0;
  pid_t process = 0;
  const auto [end, problem] = std::from_chars(name.data() + first + 1, name.data() + second, process);
  return problem == std::errc() && end == name.data() + second && process > 0 ? process : 0;
}

}  // namespace

std::filesystem::path artifact_folder(const std::filesystem::path& root, const std::string& key) {
  const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  if (key.size() != 64 || !std::ranges::all_of(key, is_digit))
    throw failure(text("\"", key, "\" is not the key of an artifact: expected 64 hexadecimal digits"));
  return root / key.substr(0, 2) / key;
}

void check_name(std::string_view what, std::string_view name) {
  constexpr std::size_t kLongest = 200;  // with ".npy" below the 255 bytes that file systems allow
  const bool has_control = std::ranges::any_of(name, [](char c) { return static_cast<unsigned char>(c) < ' '; });
  if (name.empty() || name.size() > kLongest || name.front() == '.' || has_control ||
      name.find('/') != std::string_view::npos || name.find("..") != std::string_view::npos)
    throw failure(text("\"", name, "\" cannot be the name of a ", what,
                       ": expected 1 to 200 bytes without '/', \"..\", a dot in front or control characters"));
}

std::filesystem::path temporary_path(const std::filesystem::path& root, std::string_view stem) {
  static std::atomic<unsigned> number{0};
  return root / "tmp" / text(stem, ".", ::getpid(), ".", number++);
}

std::vector<std::filesystem::path> leftovers_of(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(root / "tmp", ignored)) {
    const pid_t owner = owner_of(entry.path().filename().string());
    if (owner != 0 && !lives(owner) && !is_held(entry.path())) found.push_back(entry.path());
  }
  return found;
}

void remove_leftovers(const std::filesystem::path& root) {
  std::error_code ignored;  // what can't be removed now disturbs nobody and is tried again the next time
  for (const std::filesystem::path& path : leftovers_of(root)) std::filesystem::remove_all(path, ignored);
}

nlohmann::json json_from(std::string_view bytes) {
  constexpr int kDeepest = 64;
  bool is_too_deep = false;
  const auto within = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    is_too_deep |= depth > kDeepest;
    return depth <= kDeepest;
  };
  nlohmann::json json = nlohmann::json::parse(bytes, within, false);
  return is_too_deep ? nlohmann::json(nlohmann::json::value_t::discarded) : json;
}

std::string json_text(const nlohmann::json& json, int indent) {
  return json.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace osteon::store
