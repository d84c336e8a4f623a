// Reading `extends` chains and `--set`, and laying trees over each other.

#include "config/assemble.hpp"

#include "config/experiment.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <algorithm>
#include <string>
#include <system_error>
#include <utility>

namespace osteon::config {

namespace fs = std::filesystem;

namespace {

/// The command line comes after every file in the list of mistakes.
constexpr int kOverrideRank = 1000;

constexpr const char* kProfile = "profile";

std::shared_ptr<const Source> source_of_file(const fs::path& file, int rank, const std::string& bytes) {
  auto source = std::make_shared<Source>();
  source->name = shown_name(file);
  source->folder = fs::absolute(file).lexically_normal().parent_path();
  source->rank = rank;
  source->lines = split(bytes, '\n');
  for (std::string& line : source->lines)
    if (line.ends_with('\r')) line.pop_back();
  return source;
}

/// Names a neighbour when the file's name is misspelt.
std::string missing_file(const fs::path& file) {
  std::vector<std::string> neighbours;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(file.parent_path(), ignored))
    if (entry.path().extension() == ".toml") neighbours.push_back(entry.path().filename().string());
  std::ranges::sort(neighbours);
  const bool is_there = fs::exists(file, ignored);
  return (is_there ? "not a file: " : "no such file: ") + file.string() +
         (is_there ? "" : suggestion(file.filename().string(), neighbours));
}

class Reader {
 public:
  explicit Reader(Mistakes& mistakes) : mistakes_(mistakes) {}

  Value read(const fs::path& given, const Place& asked_at, const std::string& prefix) {
    const fs::path file = fs::absolute(given).lexically_normal();
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) return refuse(asked_at, prefix + missing_file(file));
    const fs::path real = fs::canonical(file);
    if (std::ranges::find(chain_, real) != chain_.end()) return refuse(asked_at, prefix + circle(real));
    chain_.push_back(real);
    try {
      const std::string bytes = read_file(file);
      const auto source = source_of_file(file, static_cast<int>(chain_.size()) - 1, bytes);
      return over_its_base(parse(bytes, source));
    } catch (const SyntaxError& error) {
      return refuse(error.place, error.description);
    } catch (const Error& error) {
      return refuse(asked_at, prefix + error.what());
    }
  }

 private:
  Value over_its_base(Value root) {
    const auto found = std::ranges::find(root.entries, "extends", &Entry::key);
    if (found == root.entries.end()) return root;
    const Value extends = std::move(found->value);
    root.entries.erase(found);
    if (extends.as_text().empty()) {
      refuse(extends.place, "extends: must be the name of a file; found " + extends.describe());
      return root;
    }
    Value base = read(extends.place.source->folder / extends.as_text(), extends.place, "extends: ");
    merge(base, std::move(root));
    return base;
  }

  Value refuse(const Place& place, const std::string& message) {
    mistakes_.add(place, message);
    mistakes_.incomplete = true;
    return {};
  }

  [[nodiscard]] std::string circle(const fs::path& again) const {
    std::string result;
    for (auto file = std::ranges::find(chain_, again); file != chain_.end(); ++file)
      result += file->filename().string() + " extends ";
    return result + again.filename().string() + ", a circle";
  }

  Mistakes& mistakes_;
  std::vector<fs::path> chain_;
};

void replace_or_append(Value& table, Entry entry) {
  const auto found = std::ranges::find(table.entries, entry.key, &Entry::key);
  if (found == table.entries.end()) {
    table.entries.push_back(std::move(entry));
  } else {
    *found = std::move(entry);
  }
}

/// One section: [loss], [classifier.knn], [views]. `standard` is the plugin when no table names one.
void merge_section(Value& base, Value over, std::string_view standard) {
  const auto plugin = [](const Value& table, std::string_view otherwise) {
    const Value* found = table.find("plugin");
    return std::string(found == nullptr ? otherwise : found->as_text());
  };
  const std::string old = plugin(base, standard);
  if (!old.empty() && plugin(over, old) != old) base.entries.clear();
  for (Entry& entry : over.entries) replace_or_append(base, std::move(entry));
}

/// A header in a file stays the place of a section to which the command line adds a key.
void take_place(Entry& base, const Entry& over) {
  if (over.value.place.line == 0) return;
  base.key_place = over.key_place;
  base.value.place = over.value.place;
}

void merge_instances(Value& base, Value over) {
  for (Entry& entry : over.entries) {
    const auto found = std::ranges::find(base.entries, entry.key, &Entry::key);
    if (found == base.entries.end()) {
      base.entries.push_back(std::move(entry));
    } else if (found->value.is_table() && entry.value.is_table()) {
      take_place(*found, entry);
      merge_section(found->value, std::move(entry.value), entry.key);
    } else {
      *found = std::move(entry);
    }
  }
}

/// Each profile is a small experiment of its own: later keys win inside it too.
void merge_profiles(Value& base, Value over) {
  for (Entry& entry : over.entries) {
    const auto found = std::ranges::find(base.entries, entry.key, &Entry::key);
    if (found != base.entries.end() && found->value.is_table() && entry.value.is_table()) {
      merge(found->value, std::move(entry.value));
    } else {
      replace_or_append(base, std::move(entry));
    }
  }
}

}  // namespace

bool is_single_kind(std::string_view kind) { return std::ranges::find(kSingleKinds, kind) != kSingleKinds.end(); }

bool is_several_kind(std::string_view kind) { return std::ranges::find(kSeveralKinds, kind) != kSeveralKinds.end(); }

bool is_plugin_table(std::string_view name) { return is_single_kind(name) || name == kQueryRenderer; }

std::string shown_name(const fs::path& file) {
  const fs::path whole = fs::absolute(file).lexically_normal();
  const fs::path relative = whole.lexically_relative(fs::current_path());
  return relative.empty() || *relative.begin() == ".." ? whole.string() : relative.string();
}

Value read_with_bases(const fs::path& file, Mistakes& mistakes) {
  const auto source = source_of_file(file, 0, "");
  Value root = Reader(mistakes).read(file, Place{source, 0, 0, 1}, "");
  if (root.place.source == nullptr || root.place.source->rank != 0) root.place = {source, 0, 0, 1};
  return root;
}

void merge(Value& base, Value over) {
  for (Entry& entry : over.entries) {
    const auto found = std::ranges::find(base.entries, entry.key, &Entry::key);
    if (found == base.entries.end()) {
      base.entries.push_back(std::move(entry));
    } else if (entry.key == kProfile && found->value.is_table() && entry.value.is_table()) {
      merge_profiles(found->value, std::move(entry.value));
    } else if (entry.key == "sweep" || !found->value.is_table() || !entry.value.is_table()) {
      *found = std::move(entry);
    } else {
      take_place(*found, entry);
      if (is_several_kind(entry.key)) {
        merge_instances(found->value, std::move(entry.value));
      } else if (is_plugin_table(entry.key)) {
        merge_section(found->value, std::move(entry.value), "");
      } else {
        // A section of the framework may have a parameter that is called `plugin`.
        for (Entry& inner : entry.value.entries) replace_or_append(found->value, std::move(inner));
      }
    }
  }
}

std::vector<Entry> apply_profiles(Value& root, std::span<const std::string> names, Mistakes& mistakes) {
  std::vector<Entry> profiles;
  const auto section = std::ranges::find(root.entries, kProfile, &Entry::key);
  if (section != root.entries.end()) {
    if (section->value.is_table())
      profiles = std::move(section->value.entries);
    else
      mistakes.add(section->value.place, "profile: must be tables, as in [profile.cpu.training]");
    root.entries.erase(section);
  }
  std::vector<std::string> known;
  std::erase_if(profiles, [&](const Entry& profile) {
    known.push_back(profile.key);
    if (profile.value.is_table()) return false;
    mistakes.add(profile.value.place,
                 "profile." + profile.key + ": must be a table, as in [profile." + profile.key + ".training]");
    return true;
  });
  for (const std::string& name : names) {
    const auto found = std::ranges::find(profiles, name, &Entry::key);
    if (found != profiles.end()) {
      merge(root, found->value);
      continue;
    }
    auto source = std::make_shared<Source>();
    source->name = "--profile " + name;
    source->rank = kOverrideRank - 1;
    mistakes.add(Place{source, 0, 0, 1},
                 known.empty() ? "the file has no profiles"
                               : "the file has no such profile; it has " + join(known, ", ") + suggestion(name, known));
    mistakes.incomplete = true;
  }
  return profiles;
}

void put(Value& root, const std::string& path, const Place& key_place, Value value) {
  Value* table = &root;
  const std::vector<std::string> words = split(path, '.');
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto found = std::ranges::find(table->entries, words[i], &Entry::key);
    if (found == table->entries.end()) {
      Place nowhere{key_place.source, 0, 0, 1};
      table->entries.push_back({words[i], key_place, Value{Value::Type::table, {}, {}, {}, nowhere}});
      found = std::prev(table->entries.end());
    }
    if (i + 1 == words.size()) {
      if (found->value.is_table() && value.is_table() && !found->value.entries.empty()) {
        for (Entry& entry : value.entries) replace_or_append(found->value, std::move(entry));
      } else {
        found->key_place = key_place;
        found->value = std::move(value);
      }
    } else if (!found->value.is_table()) {
      found->value = Value{Value::Type::table, {}, {}, {}, key_place};
    }
    table = &found->value;
  }
}

std::vector<Override> read_overrides(std::span<const std::string> words, Mistakes& mistakes) {
  std::vector<Override> overrides;
  int rank = kOverrideRank;
  for (const std::string& word : words) {
    auto source = std::make_shared<Source>();
    source->name = "--set " + word;
    source->folder = fs::current_path();
    source->rank = rank++;
    const Place place{source, 0, 0, 1};
    const std::size_t sign = word.find('=');
    std::string path = word.substr(0, std::min(sign, word.size()));
    std::erase_if(path, [](char c) { return c == ' ' || c == '\t'; });
    const std::vector<std::string> keys = split(path, '.');
    if (sign == std::string::npos || std::ranges::find(keys, "") != keys.end()) {
      mistakes.add(place, "must be section.parameter=value, e.g. --set loss.margin=0.2");
    } else if (keys.front() == "sweep") {
      mistakes.add(place, "a sweep stands in a file; to replace it by one value: --set section.parameter=value");
    } else if (keys.front() == "extends") {
      mistakes.add(place, "what a file extends stands in the file; on the command line name another file");
    } else {
      try {
        overrides.push_back({path, parse_override(word.substr(sign + 1), source)});
      } catch (const SyntaxError& error) {
        mistakes.add(place, error.description);
      }
    }
  }
  return overrides;
}

}  // namespace osteon::config
