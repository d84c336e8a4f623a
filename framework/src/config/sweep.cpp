// The grid of a sweep, its draws, and which combinations are kept.

#include "config/sweep.hpp"

#include "config/draws.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

namespace osteon::config {

namespace {

/// What stands in [sweep] beside the keys that are swept.
bool is_word_of_sweep(std::string_view key) {
  return key == "zip" || key == "exclude" || key == "points" || key == "order" || key == "seed";
}

/// `loss.margin = […]`, `"loss.margin" = […]` and [sweep.loss] all mean the same.
void collect(const Value& table, const std::string& prefix, const std::optional<Draws>& draws, std::vector<Swept>& keys,
             Mistakes& mistakes) {
  for (const auto& [key, place, value] : table.entries) {
    if (prefix.empty() && is_word_of_sweep(key)) continue;
    const std::string path = prefix + key;
    const std::string section = path.substr(0, path.find('.'));
    const std::vector<std::string> words = split(path, '.');
    if (section == "title" || section == "repeats" || section == "extends" || section == "sweep") {
      mistakes.add(place, "sweep." + path + ": can't be swept; only parameters and plugins can");
    } else if (std::ranges::find(words, "") != words.end()) {
      mistakes.add(place, "sweep." + path + ": must be a dotted key, e.g. \"loss.margin\"");
    } else if (is_range(value)) {
      const auto dimension = static_cast<std::size_t>(std::ranges::count(keys, true, &Swept::is_drawn));
      keys.push_back({path, place, drawn(path, value, dimension, *draws, mistakes), true});
    } else if (value.is_table()) {
      collect(value, path + ".", draws, keys, mistakes);
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

/// As text; 1 and 1.0 are one.
std::string comparable(const Value& value) {
  if (value.type != Value::Type::integer && value.type != Value::Type::real) return value.shown();
  const double number = value.type == Value::Type::real ? std::get<double>(value.scalar)
                                                        : static_cast<double>(std::get<std::int64_t>(value.scalar));
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, number).ptr};
}

/// Dotted path → value as text, of all single values at or below `path`.
void flatten(const std::string& path, const Value& value, std::map<std::string, std::string>& found) {
  if (!value.is_table()) found[path] = comparable(value);
  for (const Entry& entry : value.entries)
    flatten(path.empty() ? entry.key : path + "." + entry.key, entry.value, found);
}

/// Without those that name what the command line has set: it is no longer swept.
std::vector<Exclusion> exclusions_of(const Value* list, const std::vector<std::string>& overridden,
                                     Mistakes& mistakes) {
  std::vector<Exclusion> result;
  if (list == nullptr) return result;
  const bool is_right = list->type == Value::Type::list && std::ranges::all_of(list->items, [](const Value& one) {
                          return one.is_table() && !one.entries.empty();
                        });
  if (!is_right)
    mistakes.add(list->place,
                 "sweep.exclude: must be a list of tables, e.g. [{\"loss.margin\" = 1.0, \"head.pairs\" = 0}]");
  for (const Value& one : is_right ? list->items : std::vector<Value>{}) {
    result.push_back({one.place, {}});
    flatten("", one, result.back().values);
  }
  std::erase_if(result, [&](const Exclusion& one) {
    return std::ranges::any_of(overridden, [&](const std::string& path) { return one.values.contains(path); });
  });
  return result;
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

bool Exclusion::matches(const std::map<std::string, std::string>& point) const {
  return std::ranges::all_of(values, [&](const auto& one) {
    const auto found = point.find(one.first);
    return found != point.end() && found->second == one.second;
  });
}

std::string Exclusion::shown() const {
  std::vector<std::string> words;
  for (const auto& [path, value] : values) words.push_back(path + " = " + value);
  return join(words, " and ");
}

Sweep::Sweep(const Value& root, std::span<const Override> overrides, Mistakes& mistakes) {
  const Value* table = root.find("sweep");
  if (table == nullptr) return;
  if (!table->is_table()) {
    mistakes.add(table->place, "sweep: is a section, written [sweep]; found " + table->describe());
    return;
  }
  const std::optional<Draws> draws = draws_of(*table, kMostPoints, mistakes);
  collect(*table, "", draws, keys_, mistakes);
  std::vector<std::string> overridden;
  for (const Override& one : overrides) leaves(one.path, one.value, overridden);
  for (Swept& swept : keys_)
    for (const std::string& path : overridden) remove(path, swept);
  std::erase_if(keys_, [](const Swept& swept) { return swept.values.empty(); });
  make_axes(table->find("zip"), overridden, mistakes);
  combine(exclusions_of(table->find("exclude"), overridden, mistakes), mistakes);
}

void Sweep::make_axes(const Value* zip, const std::vector<std::string>& overridden, Mistakes& mistakes) {
  std::vector<Axis> together;
  const auto named = [&](const Value& word) -> std::optional<std::size_t> {
    const auto found = std::ranges::find(keys_, word.as_text(), &Swept::path);
    if (found != keys_.end()) return static_cast<std::size_t>(found - keys_.begin());
    if (std::ranges::find(overridden, word.as_text()) != overridden.end()) return std::nullopt;
    mistakes.add(word.place, "sweep.zip: " + word.describe() + " is no key of this sweep" +
                                 suggestion(word.as_text(), paths(), "; it has " + join(paths(), ", ")));
    return std::nullopt;
  };
  if (zip != nullptr) {
    const bool is_right = zip->type == Value::Type::list && std::ranges::all_of(zip->items, [](const Value& group) {
                            return group.type == Value::Type::list && group.items.size() > 1;
                          });
    if (!is_right)
      mistakes.add(zip->place, "sweep.zip: must be a list of lists of keys, e.g. [[\"loss.margin\", \"head.pairs\"]]");
    for (const Value& group : is_right ? zip->items : std::vector<Value>{}) {
      Axis axis;
      for (const Value& word : group.items)
        if (const auto key = named(word)) axis.push_back(*key);
      for (const std::size_t key : axis)
        if (keys_[key].values.size() != keys_[axis.front()].values.size())
          mistakes.add(group.place,
                       text("sweep.zip: ", keys_[key].path, " has ", keys_[key].values.size(), " values and ",
                            keys_[axis.front()].path, " ", keys_[axis.front()].values.size(),
                            "; lists that advance together are of one length"));
      if (!axis.empty()) together.push_back(std::move(axis));
    }
  }
  Axis drawn;
  for (std::size_t key = 0; key < keys_.size(); ++key)
    if (keys_[key].is_drawn) drawn.push_back(key);
  if (!drawn.empty()) together.push_back(std::move(drawn));
  // An axis stands where its first key does.
  std::vector<bool> placed(keys_.size(), false);
  for (std::size_t key = 0; key < keys_.size(); ++key) {
    if (placed[key]) continue;
    const auto axis =
        std::ranges::find_if(together, [&](const Axis& one) { return std::ranges::find(one, key) != one.end(); });
    axes_.push_back(axis == together.end() ? Axis{key} : *axis);
    for (const std::size_t each : axes_.back()) placed[each] = true;
  }
}

void Sweep::combine(const std::vector<Exclusion>& exclusions, Mistakes& mistakes) {
  constexpr std::size_t kMostCombinations = 1'000'000;
  const std::size_t most = exclusions.empty() ? kMostPoints : kMostCombinations;
  std::size_t size = 1;
  for (const Axis& axis : axes_) {
    size *= keys_[axis.front()].values.size();
    if (size <= most) continue;
    mistakes.add(keys_[axis.front()].key_place,
                 text("sweep: has more than ", most, " points", exclusions.empty() ? "" : ", before any is excluded"));
    return;
  }
  std::vector<bool> used(exclusions.size(), false);
  kept_.clear();
  for (std::size_t n = 0; n < size; ++n) {
    bool is_kept = true;
    if (!exclusions.empty()) {
      const auto values = settings(n);
      for (std::size_t e = 0; e < exclusions.size(); ++e)
        if (exclusions[e].matches(values)) used[e] = true, is_kept = false;
    }
    if (is_kept) kept_.push_back(n);
    if (kept_.size() > kMostPoints) break;
  }
  for (std::size_t e = 0; e < exclusions.size(); ++e)
    if (!used[e] && kept_.size() <= kMostPoints)
      mistakes.add(exclusions[e].place, "sweep.exclude: no point of this sweep has " + exclusions[e].shown());
  if (kept_.empty()) mistakes.add(exclusions.front().place, "sweep.exclude: leaves no point");
  if (kept_.size() > kMostPoints)
    mistakes.add(keys_.front().key_place, text("sweep: has more than ", kMostPoints, " points"));
  if (kept_.empty() || kept_.size() > kMostPoints) kept_ = {0};
}

std::map<std::string, std::string> Sweep::settings(std::size_t combination) const {
  std::map<std::string, std::string> result;
  const std::vector<const Value*> values = chosen(combination);
  for (std::size_t i = 0; i < keys_.size(); ++i) flatten(keys_[i].path, *values[i], result);
  return result;
}

std::vector<std::string> Sweep::paths() const {
  std::vector<std::string> result;
  for (const Swept& swept : keys_) result.push_back(swept.path);
  return result;
}

std::vector<const Value*> Sweep::chosen(std::size_t combination) const {
  std::vector<const Value*> result(keys_.size());
  for (std::size_t a = axes_.size(); a-- > 0;) {
    const std::size_t count = keys_[axes_[a].front()].values.size();
    for (const std::size_t key : axes_[a])  // of one length, unless a mistake has been noted
      result[key] = &keys_[key].values[(combination % count) % keys_[key].values.size()];
    combination /= count;
  }
  return result;
}

Value Sweep::tree(std::size_t n) const {
  const std::vector<const Value*> values = chosen(kept_[n]);
  Value root;
  for (const int now : {0, 1, 2})
    for (std::size_t i = 0; i < keys_.size(); ++i)
      if (rank(keys_[i], *values[i]) == now) put(root, keys_[i].path, keys_[i].key_place, *values[i]);
  return root;
}

std::vector<std::pair<std::string, std::string>> Sweep::changes(std::size_t n) const {
  const std::vector<const Value*> values = chosen(kept_[n]);
  std::vector<std::pair<std::string, std::string>> result;
  for (std::size_t i = 0; i < keys_.size(); ++i) result.emplace_back(keys_[i].path, values[i]->shown());
  return result;
}

}  // namespace osteon::config
