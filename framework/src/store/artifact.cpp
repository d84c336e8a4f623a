// Artifacts on the disk: written aside and flushed, then renamed; checked when they are read.
//
// Reading recomputes the SHA-256 of every tensor. A store outlives the experiment that filled it, and a flipped bit
// would otherwise become a scientific result under a key that vouches for it. The price is small beside what is done
// with the numbers: 1.7 GB/s here on a processor with SHA instructions (`openssl speed -evp sha256`). `digest`, all
// that a run needs of the stages that it reuses, reads the manifest alone.

#include "host/fault.hpp"
#include "store/disk.hpp"
#include "store/layout.hpp"
#include "store/quota.hpp"
#include "store/store.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace osteon::store {

namespace {

constexpr int kFormat = 1;

std::string type_name(at::ScalarType type) {
  switch (type) {
    case at::kByte:
      return "uint8";
    case at::kShort:
      return "int16";
    case at::kInt:
      return "int32";
    case at::kLong:
      return "int64";
    case at::kFloat:
      return "float32";
    case at::kDouble:
      return "float64";
    default:
      throw failure(text("a tensor of type ", c10::toString(type),
                         " cannot be stored; expected uint8, int16, int32, int64, float32 or float64"));
  }
}

/// What the manifest says of one tensor; `tensor` is contiguous and on the CPU.
nlohmann::json describe(const std::string& name, const at::Tensor& tensor) {
  const std::string_view bytes(static_cast<const char*>(tensor.data_ptr()), tensor.nbytes());
  return {{"name", name},
          {"dtype", type_name(tensor.scalar_type())},
          {"shape", tensor.sizes().vec()},
          {"sha256", sha256(bytes)}};
}

std::string content_digest(const nlohmann::json& facts, const nlohmann::json& tensors) {
  return sha256(json_text({{"facts", facts}, {"tensors", tensors}}));
}

Error damaged(const std::filesystem::path& folder, const std::string& what) {
  return failure(text(what, "; the artifact is damaged: delete the folder ", folder.string(), " and run again"));
}

/// The manifest of an artifact whose folder exists, consistent in itself.
nlohmann::json read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "manifest.json";
  nlohmann::json manifest;
  try {
    manifest = json_from(read_file(file));
  } catch (const Error& e) {
    throw damaged(folder, e.what());
  }
  if (manifest.is_discarded()) throw damaged(folder, text(file.string(), ": is no JSON"));
  try {
    if (manifest.at("format") != kFormat)
      throw damaged(folder, text(file.string(), ": format ", json_text(manifest.at("format")), ", expected ", kFormat));
    if (manifest.at("digest") != content_digest(manifest.at("facts"), manifest.at("tensors")))
      throw damaged(folder, text(file.string(), ": its content differs from its digest"));
  } catch (const nlohmann::json::exception&) {
    throw damaged(folder, text(file.string(), ": an entry is missing"));
  }
  return manifest;
}

/// One tensor, as the manifest's entry describes it.
at::Tensor read_tensor(const std::filesystem::path& folder, const nlohmann::json& entry) {
  const std::string name = entry.at("name");
  check_name("tensor", name);
  const std::filesystem::path file = folder / (name + ".npy");
  at::Tensor tensor;
  try {
    tensor = read_npy(file);
  } catch (const Error& e) {
    throw damaged(folder, e.what());
  }
  const nlohmann::json found = describe(name, tensor);
  for (const char* what : {"dtype", "shape", "sha256"})
    if (found.at(what) != entry.at(what))
      throw damaged(folder, text(file.string(), ": ", what, " is ", json_text(found.at(what)), ", expected ",
                                 json_text(entry.at(what))));
  return tensor;
}

/// A folder in tmp/ that goes away unless it was renamed.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {
    if (::mkdir(path_.c_str(), 0755) != 0) throw cannot(path_, "make the folder", errno);
    // Says to processes that can't see this one's number that it is at work; a help, so a refusal is no error.
    descriptor_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor_ >= 0) ::flock(descriptor_, LOCK_EX | LOCK_NB);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!renamed_) std::filesystem::remove_all(path_, ignored);
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// False when a folder with content has that name already.
  bool rename_to(const std::filesystem::path& folder) {
    renamed_ = ::rename(path_.c_str(), folder.c_str()) == 0;
    if (!renamed_ && errno != ENOTEMPTY && errno != EEXIST) throw cannot(folder, "write", errno);
    return renamed_;
  }

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

}  // namespace

std::optional<std::string> Store::digest(const std::string& key) const {
  const std::filesystem::path folder = artifact_folder(root_, key);
  if (!std::filesystem::exists(folder)) return std::nullopt;
  return read_manifest(folder).at("digest").get<std::string>();
}

nlohmann::json Store::facts(const std::string& key) const {
  const std::filesystem::path folder = artifact_folder(root_, key);
  if (!std::filesystem::exists(folder)) throw failure(text(folder.string(), ": there is no such artifact"));
  return read_manifest(folder).at("facts");
}

Artifact Store::load(const std::string& key) const {
  const std::filesystem::path folder = artifact_folder(root_, key);
  if (!std::filesystem::exists(folder)) throw failure(text(folder.string(), ": there is no such artifact"));
  const nlohmann::json manifest = read_manifest(folder);
  Artifact artifact{manifest.at("facts"), {}};
  try {
    for (const nlohmann::json& entry : manifest.at("tensors"))
      artifact.tensors[entry.at("name")] = read_tensor(folder, entry);
  } catch (const nlohmann::json::exception&) {
    throw damaged(folder, text((folder / "manifest.json").string(), ": its list of tensors cannot be read"));
  }
  return artifact;
}

std::string Store::put(const Ingredients& ingredients, const Artifact& artifact) {
  const std::string key = ingredients.key();
  const std::filesystem::path folder = artifact_folder(root_, key);
  check_name("stage", ingredients.stage);
  std::uint64_t bytes = 0;
  for (const auto& [name, tensor] : artifact.tensors)
    if (tensor.defined()) bytes += tensor.nbytes();
  require_quota(root_, bytes, text(ingredients.stage, " of ", ingredients.subject));
  nlohmann::json tensors = nlohmann::json::array();
  {
    TemporaryFolder temporary(temporary_path(root_, key));
    for (const auto& [name, tensor] : artifact.tensors) {
      check_name("tensor", name);
      if (!tensor.defined())
        throw failure(text("tensor \"", name, "\" of stage ", ingredients.stage, " holds nothing"));
      const at::Tensor packed = tensor.detach().cpu().contiguous();
      tensors.push_back(describe(name, packed));
      write_npy(temporary.path() / (name + ".npy"), packed);
    }
    const nlohmann::json manifest = {{"format", kFormat},
                                     {"stage", ingredients.stage},
                                     {"subject", ingredients.subject},
                                     {"ingredients", ingredients.parts},
                                     {"facts", artifact.facts},
                                     {"tensors", tensors},
                                     {"digest", content_digest(artifact.facts, tensors)}};
    write_flushed(temporary.path() / "manifest.json", {json_text(manifest, 1), "\n"});
    flush_folder(temporary.path());
    make_folder(folder.parent_path());
    host::fault_point("rename");
    // When another process was faster, its artifact has the same key and is as good.
    temporary.rename_to(folder);
    flush_folder(folder.parent_path());
    flush_folder(root_);
  }
  remember(root_, ingredients);
  std::error_code ignored;  // an old checkpoint costs room and nothing else
  std::filesystem::remove_all(root_ / "work" / key, ignored);
  return read_manifest(folder).at("digest");
}

}  // namespace osteon::store
