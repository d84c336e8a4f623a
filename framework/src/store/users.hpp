#pragma once

// Who needs what of a store, so that `osteon gc` can tell what nobody does. Each run has a list of its own in users/:
// the folder of the run in the first line, then the key of every artifact that it has asked for. A process without a
// run's folder has a list too, for as long as it lives. Whoever writes a list holds its file's lock.

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace osteon::store {

/// A descriptor that holds a lock of the file (flock) and lets it go with its end; -1 where the lock was not to be had.
class HeldFile {
 public:
  explicit HeldFile(int descriptor) : descriptor_(descriptor) {}
  HeldFile(HeldFile&& other) noexcept;
  HeldFile& operator=(HeldFile&& other) = delete;
  ~HeldFile();
  [[nodiscard]] explicit operator bool() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

/// Held together by all who look an artifact up, alone by who takes artifacts away: between looking one up and writing
/// it down nothing disappears. Waits; throws a failure when the file can't be opened.
[[nodiscard]] HeldFile lock_of_lookups(const std::filesystem::path& root, bool is_alone);

/// The list that this process writes.
class UserList {
 public:
  /// `run` is a run's folder, or "" for a process that has none. A run's earlier list is forgotten, unless another
  /// process writes it at this moment.
  UserList(const std::filesystem::path& root, const std::filesystem::path& run);
  UserList(const UserList&) = delete;
  UserList& operator=(const UserList&) = delete;
  ~UserList();

  /// Throws a failure when it can't be written.
  void add(const std::string& key);

 private:
  std::filesystem::path file_;
  bool is_of_process_;
  HeldFile held_;
  std::set<std::string> keys_;
};

/// One list as it was found.
struct User {
  std::filesystem::path file;
  std::filesystem::path run;  ///< "" for a process without a run's folder
  bool is_alive = false;      ///< a process writes it now
  std::set<std::string> keys;

  /// Whether what it lists is needed: somebody writes it, or the run's folder is still there.
  [[nodiscard]] bool counts() const;
};

/// To be asked while `lock_of_lookups` is held alone.
[[nodiscard]] std::vector<User> users_of(const std::filesystem::path& root);

}  // namespace osteon::store
