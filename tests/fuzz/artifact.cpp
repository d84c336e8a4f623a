// What the store keeps: a manifest, with NumPy files behind it, as the folder of an artifact. It is read as it is, and
// once more with its digests repaired, as somebody would who means harm; then as each of the things that are stored:
// image sets, acquisitions, surfaces and results of metrics.

#include "harness.hpp"

#include "pipeline/artifacts.hpp"
#include "store/layout.hpp"

#include <osteon/digest.hpp>

#include <ATen/core/Tensor.h>

namespace osteon::fuzz {
namespace {

using nlohmann::json;

const std::string kKey(64, 'a');

std::string text_of(const json& j) { return j.dump(-1, ' ', false, json::error_handler_t::replace); }

const char* type_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
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
    default:
      return "float64";
  }
}

/// The manifest with what its tensors are and the digest of all; "" when it is no manifest.
std::string repaired(std::string_view manifest, const std::filesystem::path& folder) {
  json j = store::json_from(manifest);
  if (!j.is_object() || !j.contains("facts") || !j.contains("tensors") || !j["tensors"].is_array()) return "";
  for (json& entry : j["tensors"]) {
    if (!entry.is_object() || !entry.contains("name") || !entry["name"].is_string()) continue;
    const std::string name = entry["name"];
    if (name.find('/') != std::string::npos || name.size() > 100 || name.find('\0') != std::string::npos) continue;
    const std::filesystem::path file = folder / (name + ".npy");
    (void)message_of([&] {
      const at::Tensor tensor = store::read_npy(file);
      entry["dtype"] = type_of(tensor);
      entry["shape"] = tensor.sizes().vec();
      entry["sha256"] = sha256({static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()});
    });
  }
  j["format"] = 1;
  j["digest"] = sha256(text_of({{"facts", j["facts"]}, {"tensors", j["tensors"]}}));
  return text_of(j);
}

/// As every kind of thing that an artifact may be taken for; the message of the image set.
std::string interpreted(const store::Artifact& artifact) {
  (void)message_of([&] { (void)pipeline::acquisition_from(artifact); });
  (void)message_of([&] { (void)pipeline::bone_surface_from(artifact); });
  (void)message_of([&] { (void)pipeline::metric_result_from(artifact); });
  return message_of([&] { (void)pipeline::image_set_from(artifact); });
}

std::string read_artifact(std::string_view bytes) {
  static const store::Store store(scratch() / "store");
  static const std::string place = text("store/", kKey.substr(0, 2), "/", kKey, "/");
  static const bool made = std::filesystem::create_directories(scratch() / place);
  (void)made;
  const std::vector<std::string_view> parts = cut_before(bytes, "\x93NUMPY");
  const std::string_view manifest = parts.empty() ? std::string_view() : parts[0];
  put(place + "manifest.json", manifest);
  // The files in the order of the manifest's list, under its names.
  const json j = store::json_from(manifest);
  std::vector<std::string> names;
  if (j.is_object() && j.contains("tensors") && j["tensors"].is_array())
    for (const json& entry : j["tensors"])
      if (entry.is_object() && entry.contains("name") && entry["name"].is_string()) names.push_back(entry["name"]);
  for (std::size_t i = 0; i < names.size() && i + 1 < parts.size(); ++i)
    if (!names[i].empty() && names[i].size() <= 100 &&
        names[i].find_first_of(std::string("/\0", 2)) == std::string::npos)
      put(place + names[i] + ".npy", parts[i + 1]);
  store::Artifact artifact;
  std::string message = message_of([&] { artifact = store.load(kKey); });
  const std::string sound = message.empty() ? "" : repaired(manifest, scratch() / place);
  if (!sound.empty()) {
    put(place + "manifest.json", sound);
    message = message_of([&] { artifact = store.load(kKey); });
  }
  for (const std::string& name : names) {
    std::error_code ignored;
    if (!name.empty() && name.find_first_of(std::string("/\0", 2)) == std::string::npos)
      std::filesystem::remove(scratch() / (place + name + ".npy"), ignored);
  }
  return message.empty() ? interpreted(artifact) : message;
}

const Registered kArtifact("artifact", read_artifact);

}  // namespace
}  // namespace osteon::fuzz
