// Keys, and why an artifact has to be made: the ingredients asked for beside those of the newest artifact of the same
// stage and subject.

#include "store/disk.hpp"
#include "store/layout.hpp"
#include "store/store.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <algorithm>
#include <set>

namespace osteon::store {

namespace {

using Parts = std::map<std::string, std::string>;

std::filesystem::path latest_file(const std::filesystem::path& root, const Ingredients& ingredients) {
  check_name("stage", ingredients.stage);
  return root / "latest" / ingredients.stage / (sha256(ingredients.subject) + ".json");
}

/// The remembered ingredients; nothing when there are none. Damage is no reason to stop: what is lost is an
/// explanation.
std::optional<Parts> latest_parts(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return std::nullopt;
  try {
    return nlohmann::json::parse(read_file(file)).at("ingredients").get<Parts>();
  } catch (const Error&) {
  } catch (const nlohmann::json::exception&) {
  }
  return std::nullopt;
}

/// Digests and other long values say nothing to a person.
bool is_readable(const std::string& value) {
  const bool is_digest = value.size() >= 32 && value.find_first_not_of("0123456789abcdef") == std::string::npos;
  return !is_digest && value.size() <= 60;
}

std::string with_value(const std::string& value, const char* before, const char* after) {
  return is_readable(value) ? before + value + after : "";
}

/// "loss.build" and the plugin of that kind → "loss/NAME".
std::string plugin_name(const std::string& prefix, const Parts& parts) {
  const auto found = parts.find(prefix + ".plugin");
  if (found == parts.end()) return prefix;
  if (found->second.find('/') != std::string::npos) return found->second;
  return prefix.substr(prefix.rfind('.') + 1) + "/" + found->second;
}

/// One difference in words; "" when another one says it. The part is in one of the two at least.
std::string difference(const std::string& name, const Parts& before, const Parts& now) {
  constexpr std::string_view kInput = "input.", kBuild = ".build";
  const auto old_part = before.find(name), new_part = now.find(name);
  const bool is_input = name.starts_with(kInput);
  const std::string called = is_input ? "input " + name.substr(kInput.size()) : name;
  if (name.ends_with(kBuild)) {
    const std::string prefix = name.substr(0, name.size() - kBuild.size());
    const std::string plugin = plugin_name(prefix, now);
    // Another plugin has another build; that `prefix`.plugin changed says all.
    if (plugin != plugin_name(prefix, before)) return "";
    if (old_part != before.end() && new_part != now.end()) return "plugin " + plugin + " was rebuilt";
  }
  if (old_part == before.end()) return called + with_value(new_part->second, " = ", "") + " was added";
  if (new_part == now.end()) return called + with_value(old_part->second, " (", ")") + " was removed";
  if (is_input) return "its input " + name.substr(kInput.size()) + " changed";
  if (!is_readable(old_part->second) || !is_readable(new_part->second)) return called + " changed";
  return called + " changed " + old_part->second + " → " + new_part->second;
}

}  // namespace

std::string Ingredients::key() const {
  // Each text with its length in front, so that no two lists of ingredients read the same.
  Digest digest;
  const auto add = [&digest](std::string_view word) { digest.add(text(word.size(), ":")).add(word); };
  digest.add("osteon artifact 1\n");
  add(stage);
  for (const auto& [name, value] : parts) {
    add(name);
    add(value);
  }
  return digest.hex();
}

void remember(const std::filesystem::path& root, const Ingredients& ingredients) {
  const std::filesystem::path file = latest_file(root, ingredients);
  make_folder(file.parent_path());
  const nlohmann::json record = {
      {"key", ingredients.key()}, {"subject", ingredients.subject}, {"ingredients", ingredients.parts}};
  // Not through `write_file`, whose one temporary name two processes would share.
  const std::filesystem::path temporary = temporary_path(root, "latest");
  write_flushed(temporary, {json_text(record, 1), "\n"});
  std::error_code problem;
  std::filesystem::rename(temporary, file, problem);
  if (problem) throw cannot(file, "write", problem.value());
}

std::string Store::why(const Ingredients& ingredients) const {
  if (std::filesystem::exists(artifact_folder(root_, ingredients.key()))) return "";
  const std::optional<Parts> before = latest_parts(latest_file(root_, ingredients));
  if (!before) return "first time";
  const Parts& now = ingredients.parts;
  if (*before == now) return "its artifact is no longer in the store";
  std::set<std::string> names;
  for (const Parts* parts : {&*before, &now})
    for (const auto& [name, value] : *parts) names.insert(name);
  std::string reasons;
  for (const std::string& name : names) {
    const auto old_part = before->find(name), new_part = now.find(name);
    if (old_part != before->end() && new_part != now.end() && old_part->second == new_part->second) continue;
    const std::string reason = difference(name, *before, now);
    if (!reason.empty()) reasons += (reasons.empty() ? "" : "; ") + reason;
  }
  return reasons;
}

}  // namespace osteon::store
