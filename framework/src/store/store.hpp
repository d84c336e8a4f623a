#pragma once

// Content-addressed artifacts. An artifact's key is the SHA-256 of what it was made from; it appears under its key by a
// rename when it is complete, so a killed run leaves nothing half-made and two processes can share a store.

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace osteon::store {

/// All that decides what a stage makes for one subject.
struct Ingredients {
  std::string stage;    ///< "render"
  std::string subject;  ///< what it is made for, for people and for `why`: "p03, acquisition 1". Not part of the key.
  std::map<std::string, std::string> parts;  ///< "renderer.step" → "1.0", "input.volume" → content digest

  [[nodiscard]] std::string key() const;
};

/// Named tensors and facts about them.
struct Artifact {
  nlohmann::json facts = nlohmann::json::object();
  std::map<std::string, at::Tensor> tensors;
};

/// Held by the one process that makes an artifact; released on destruction, and by the system when the process dies.
class Lock {
 public:
  explicit Lock(const std::filesystem::path& file);
  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&&) = delete;
  ~Lock();

 private:
  int descriptor_;
};

class UserList;

class Store {
 public:
  /// $OSTEON_STORE, by default runs/.store in the working folder. Makes the folder; throws `Error` when it can't.
  explicit Store(std::filesystem::path root);
  Store(Store&&) noexcept;
  ~Store();
  [[nodiscard]] static std::filesystem::path standard_root();

  [[nodiscard]] const std::filesystem::path& root() const { return root_; }

  /// SHA-256 of the artifact's content (facts and tensors), or nothing when it has not been made.
  [[nodiscard]] std::optional<std::string> digest(const std::string& key) const;

  /// The same for whoever will load it, or make it: from now on `osteon gc` leaves it alone, for the run that `serve`
  /// has named, or else for as long as this process lives.
  [[nodiscard]] std::optional<std::string> use(const std::string& key) const;
  /// Whether an artifact is there, without a look into it.
  [[nodiscard]] bool contains(const std::string& key) const;
  /// Names the folder of the run that artifacts will be used for.
  void serve(const std::filesystem::path& run);

  /// The facts of an artifact, without reading its tensors.
  [[nodiscard]] nlohmann::json facts(const std::string& key) const;

  /// Reads an artifact; tensors are `NAME.npy`, which NumPy opens too. Throws `Error` with the file's name when it is
  /// damaged, and says to delete its folder.
  [[nodiscard]] Artifact load(const std::string& key) const;

  /// Stores under a temporary name, flushes, renames; remembers the ingredients for `why`. Returns the content digest.
  /// Throws a failure when the disk is full or OSTEON_STORE_QUOTA would be exceeded.
  std::string put(const Ingredients& ingredients, const Artifact& artifact);

  /// Waits until no other process makes the same artifact. Look again with `digest` once it is held.
  [[nodiscard]] Lock lock(const std::string& key) const;

  /// A folder that outlives a kill, for checkpoints of the artifact in the making; `put` removes it.
  [[nodiscard]] std::filesystem::path working_folder(const std::string& key) const;

  /// Why these ingredients are not in the store: "first time", or what differs from the newest artifact of the same
  /// stage and subject ("loss.margin changed 0.1 → 0.2").
  [[nodiscard]] std::string why(const Ingredients& ingredients) const;

  /// A secret that never leaves the store, made at first use: the key of pseudonyms.
  [[nodiscard]] std::string salt() const;

 private:
  std::filesystem::path root_;
  mutable std::unique_ptr<UserList> users_;
};

/// NumPy's .npy, version 1.0, little-endian, C order: uint8, int16, int32, int64, float32, float64.
void write_npy(const std::filesystem::path& file, const at::Tensor& tensor);
/// Files from 1 MB on are mapped rather than read; changing the tensor never changes the file. A mapped file must not
/// be cut off while the tensor lives (a store only ever deletes whole folders, which is safe).
[[nodiscard]] at::Tensor read_npy(const std::filesystem::path& file);

}  // namespace osteon::store
