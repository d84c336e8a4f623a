// The grid of a sweep and its combinations.

#include "config/sweep.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace osteon::config {

namespace {

/// `loss.margin = […]`, `"loss.margin" = […]` and [sweep.loss] all mean the same.
void collect(const Value& table, const std::string& prefix, std::vector<Swept>& keys, Mistakes& mistakes) {
  for (const auto& [key, place, value] : table.entries) {
    const std::string path = prefix + key;
    const std::string section = path.substr(0, path.find('.'));
    const std::vector<std::string> words = split(path, '.');
    if (section == "title" || section == "repeats" || section == "extends" || section == "sweep") {
      mistakes.add(place, "sweep." + path + ": can't be swept; only parameters and plugins can");
    } else if (std::ranges::find(words, "") != words.end()) {
      mistakes.add(place, "sweep." + path + ": must be a dotted key, e.g. \"loss.margin\"");
    } else if (value.is_table()) {
      collect(value, path + ".", keys, mistakes);
    } else if (value.type != Value::Type::list) {
      mistakes.add(value.place, "sweep." + path + ": must be a list of values, e.g. [" + value.shown() + "]; found " +
                                    value.describe());
    } else if (value.items.empty()) {
      mistakes.add(value.place, "sweep." + path + ": the list is empty; give it at least one value or leave it out");
    } else {
      keys.push_back({path, place, value.items});
    }
  }
}

/// Paths of all values below `value`: "loss.plugin", "loss.margin" for `loss={plugin="…", margin=0.1}`.
void leaves(const std::string& path, const Value& value, std::vector<std::string>& found) {
  if (!value.is_table()) return found.push_back(path);
  for (const Entry& entry : value.entries) leaves(path + "." + entry.key, entry.value, found);
}

/// Removes `path` from the values of a swept key at or above it.
void remove(const std::string& path, Swept& swept) {
  if (path == swept.path) return swept.values.clear();
  if (!path.starts_with(swept.path + ".")) return;
  const std::string key = path.substr(swept.path.size() + 1);
  for (Value& value : swept.values) std::erase_if(value.entries, [&](const Entry& entry) { return entry.key == key; });
  if (std::ranges::all_of(swept.values, [](const Value& value) { return value.is_table() && value.entries.empty(); }))
    swept.values.clear();
}

/// Plugins are chosen before their parameters are set: whole sections, then `plugin`, then the rest.
int rank(const Swept& swept, const Value& value) {
  if (value.is_table()) return 0;
  return swept.path.ends_with(".plugin") ? 1 : 2;
}

}  // namespace

Sweep::Sweep(const Value& root, std::span<const Override> overrides, Mistakes& mistakes) {
  const Value* table = root.find("sweep");
  if (table == nullptr) return;
  if (!table->is_table()) {
    mistakes.add(table->place, "sweep: is a section, written [sweep]; found " + table->describe());
    return;
  }
  collect(*table, "", keys_, mistakes);
  std::vector<std::string> overridden;
  for (const Override& one : overrides) leaves(one.path, one.value, overridden);
  for (Swept& swept : keys_)
    for (const std::string& path : overridden) remove(path, swept);
  std::erase_if(keys_, [](const Swept& swept) { return swept.values.empty(); });
  for (const Swept& swept : keys_) {
    size_ *= swept.values.size();
    if (size_ <= kMostPoints) continue;
    mistakes.add(swept.key_place, text("sweep: has more than ", kMostPoints, " points"));
    size_ = 1;
    return;
  }
}

std::vector<std::string> Sweep::paths() const {
  std::vector<std::string> result;
  for (const Swept& swept : keys_) result.push_back(swept.path);
  return result;
}

std::vector<const Value*> Sweep::chosen(std::size_t n) const {
  std::vector<const Value*> result(keys_.size());
  for (std::size_t i = keys_.size(); i-- > 0;) {
    result[i] = &keys_[i].values[n % keys_[i].values.size()];
    n /= keys_[i].values.size();
  }
  return result;
}

Value Sweep::tree(std::size_t n) const {
  const std::vector<const Value*> values = chosen(n);
  Value root;
  for (const int now : {0, 1, 2})
    for (std::size_t i = 0; i < keys_.size(); ++i)
      if (rank(keys_[i], *values[i]) == now) put(root, keys_[i].path, keys_[i].key_place, *values[i]);
  return root;
}

std::vector<std::pair<std::string, std::string>> Sweep::changes(std::size_t n) const {
  const std::vector<const Value*> values = chosen(n);
  std::vector<std::pair<std::string, std::string>> result;
  for (std::size_t i = 0; i < keys_.size(); ++i) result.emplace_back(keys_[i].path, values[i]->shown());
  return result;
}

}  // namespace osteon::config
