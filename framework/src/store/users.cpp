// Lists of who needs what; see the header.

#include "store/users.hpp"

#include "store/disk.hpp"

#include <osteon/digest.hpp>
#include <osteon/files.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace osteon::store {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kKeyLength = 64;

int open_file(const fs::path& file, int flags) {
  const int descriptor = ::open(file.c_str(), flags | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) throw cannot(file, "open", errno);
  return descriptor;
}

fs::path file_of(const fs::path& root, const fs::path& run) {
  const std::string name = run.empty() ? text("process ", ::getpid(), " at ", ::time(nullptr)) : run.string();
  return root / "users" / sha256(name);
}

}  // namespace

HeldFile::HeldFile(HeldFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

HeldFile::~HeldFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

HeldFile lock_of_lookups(const fs::path& root, bool is_alone) {
  const fs::path file = root / "locks" / "lookups";
  HeldFile held(open_file(file, O_RDWR));
  while (::flock(held.descriptor(), is_alone ? LOCK_EX : LOCK_SH) != 0)
    if (errno != EINTR) throw cannot(file, "lock", errno);
  return held;
}

UserList::UserList(const fs::path& root, const fs::path& run)
    : file_(file_of(root, run.empty() ? run : fs::absolute(run).lexically_normal())),
      is_of_process_(run.empty()),
      held_(open_file(file_, O_WRONLY | O_APPEND)) {
  const HeldFile lookups = lock_of_lookups(root, false);  // nobody else tries the list's lock now, but its writers
  const std::string first = (run.empty() ? "" : fs::absolute(run).lexically_normal().string()) + "\n";
  const bool is_ours = ::flock(held_.descriptor(), LOCK_EX | LOCK_NB) == 0;
  const bool is_new = is_ours && ::ftruncate(held_.descriptor(), 0) == 0;
  if (is_new && ::write(held_.descriptor(), first.data(), first.size()) != static_cast<ssize_t>(first.size()))
    throw cannot(file_, "write", errno);
  ::flock(held_.descriptor(), LOCK_SH);
}

UserList::~UserList() {
  if (is_of_process_) ::unlink(file_.c_str());
}

void UserList::add(const std::string& key) {
  if (!keys_.insert(key).second) return;
  const std::string line = key + "\n";
  if (::write(held_.descriptor(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    throw cannot(file_, "write", errno);
}

bool User::counts() const {
  std::error_code ignored;
  return is_alive || (!run.empty() && fs::is_directory(run, ignored));
}

std::vector<User> users_of(const fs::path& root) {
  std::vector<User> users;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root / "users", ignored)) {
    User user{entry.path(), {}, false, {}};
    const HeldFile held(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (!held) continue;  // a process that has ended just now
    user.is_alive = ::flock(held.descriptor(), LOCK_EX | LOCK_NB) != 0;
    const std::string all = read_file(entry.path());
    const std::size_t end = all.find('\n');
    user.run = all.substr(0, end);
    // A line that a kill or a full disk cut off is no key.
    for (std::size_t at = end; at != std::string::npos && at + 1 + kKeyLength <= all.size();
         at = all.find('\n', at + 1))
      user.keys.insert(all.substr(at + 1, kKeyLength));
    users.push_back(std::move(user));
  }
  return users;
}

}  // namespace osteon::store
