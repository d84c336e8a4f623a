// A store's folders, locks and salt. Artifacts are in artifact.cpp, reasons in why.cpp, who needs them in users.cpp.

#include "store/store.hpp"

#include "store/disk.hpp"
#include "store/layout.hpp"
#include "store/users.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/files.hpp>
#include <osteon/parallel.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

namespace osteon::store {

Lock::Lock(const std::filesystem::path& file) : descriptor_(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) throw cannot(file, "lock", errno);
  // Asking again and again rather than sleeping in the system lets Ctrl-C end the wait, whichever thread it reaches.
  while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    try {
      if (reason != EWOULDBLOCK && reason != EINTR) throw cannot(file, "lock", reason);
      throw_if_stopped();
    } catch (...) {
      ::close(descriptor_);
      throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

Lock::Lock(Lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

Lock::~Lock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Store::Store(std::filesystem::path root) : root_(std::move(root)) {
  for (const char* folder : {"tmp", "locks", "work", "latest", "users"}) make_folder(root_ / folder);
  remove_leftovers(root_);
}

Store::Store(Store&&) noexcept = default;
Store::~Store() = default;

void Store::serve(const std::filesystem::path& run) { users_ = std::make_unique<UserList>(root_, run); }

std::optional<std::string> Store::use(const std::string& key) const {
  if (users_ == nullptr) users_ = std::make_unique<UserList>(root_, "");
  const HeldFile lookups = lock_of_lookups(root_, false);
  users_->add(key);
  return digest(key);
}

bool Store::contains(const std::string& key) const {
  std::error_code ignored;
  return std::filesystem::exists(artifact_folder(root_, key), ignored);
}

std::filesystem::path Store::standard_root() {
  const char* const given = std::getenv("OSTEON_STORE");
  return given != nullptr && *given != '\0' ? given : "runs/.store";
}

Lock Store::lock(const std::string& key) const {
  return Lock(root_ / "locks" / artifact_folder(root_, key).filename());
}

std::filesystem::path Store::working_folder(const std::string& key) const {
  const std::filesystem::path folder = root_ / "work" / artifact_folder(root_, key).filename();
  make_folder(folder);
  return folder;
}

std::string Store::salt() const {
  const std::filesystem::path file = root_ / "salt";
  if (!std::filesystem::exists(file)) {
    std::array<char, 32> secret{};
    if (::getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size()))
      throw cannot(file, "draw a secret", errno);
    const std::filesystem::path temporary = temporary_path(root_, "salt");
    write_flushed(temporary, {sha256({secret.data(), secret.size()})}, 0600);
    // Unlike a rename, a link fails when another process was first: then both use that one's salt.
    const int reason = ::link(temporary.c_str(), file.c_str()) == 0 || errno == EEXIST ? 0 : errno;
    ::unlink(temporary.c_str());
    if (reason != 0) throw cannot(file, "write", reason);
    flush_folder(root_);
  }
  std::string salt = read_file(file);
  if (salt.size() != 64)
    throw Error(text(file.string(), ": damaged: expected 64 bytes, found ", salt.size(),
                     "; restore it, or delete it, which gives every patient a new pseudonym"));
  return salt;
}

}  // namespace osteon::store
