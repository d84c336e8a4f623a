// Which keys, sections and plugins an experiment may have.

#include "config/check.hpp"

#include "config/assemble.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <set>
#include <string>

namespace osteon::config {

namespace {

constexpr int kMostRepeats = 100;

/// Names of plugins and tables go into paths of files and dotted keys.
bool is_plain(std::string_view name) {
  return !name.empty() && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
                              std::string_view::npos;
}

}  // namespace

Experiment Checker::check(const Value& root, Mistakes& mistakes) {
  mistakes_ = &mistakes;
  experiment_ = Experiment();
  check_keys(root);
  check_title_and_repeats(root);
  for (const auto& [name, schema] : sections_) {
    const Value* table = root.find(name);
    if (table != nullptr && !table->is_table()) continue;
    if (const auto part = fill({schema, name, "[" + name + "]", table, false}, {}))
      experiment_.sections.set(name, {part, &part->choice.parameters});
  }
  for (const std::string_view kind : kSingleKinds) check_single(root, kind);
  if (const Value* table = root.find(kQueryRenderer); table != nullptr && table->is_table())
    check_instance("renderer", std::string(kQueryRenderer), *table, "");
  for (const Entry& entry : root.entries)
    if (is_several_kind(entry.key) && entry.value.is_table()) check_several(entry);
  return std::move(experiment_);
}

std::optional<Parameters> Checker::check_plugin(const host::LoadedPlugin& plugin, const Value& table,
                                                Mistakes& mistakes) {
  mistakes_ = &mistakes;
  experiment_ = Experiment();
  const auto part = fill({plugin.schema, plugin.descriptor->kind, plugin.id(), &table, false}, {});
  return part == nullptr ? std::nullopt : std::optional(part->choice.parameters);
}

void Checker::check_keys(const Value& root) {
  static const std::set<std::string, std::less<>> plain = {"title", "repeats", "sweep"};
  std::vector<std::string> known(kSingleKinds.begin(), kSingleKinds.end());
  known.insert(known.end(), kSeveralKinds.begin(), kSeveralKinds.end());
  known.emplace_back(kQueryRenderer);
  for (const auto& [name, schema] : sections_) known.push_back(name);
  std::ranges::sort(known);
  for (const auto& [key, place, value] : root.entries) {
    if (plain.contains(key)) continue;
    if (std::ranges::find(known, key) == known.end()) {
      std::vector<std::string> candidates = known;
      candidates.insert(candidates.end(), {"title", "repeats", "extends", "sweep"});
      mistakes_->add(place, key + (value.is_table() ? ": unknown section" : ": unknown key") +
                                suggestion(key, candidates, "; there are " + join(candidates, ", ")));
    } else if (!value.is_table()) {
      const std::string header = is_several_kind(key) ? "[" + key + ".name]" : "[" + key + "]";
      const std::string hint = is_plugin_table(key) ? ", or " + key + ".plugin = …" : "";
      mistakes_->add(value.place, key + ": is a section, written " + header + hint + "; found " + value.describe());
    }
  }
}

void Checker::check_title_and_repeats(const Value& root) {
  static const Parameter title = Parameter::text("title", "", "");
  static const Parameter repeats = Parameter::integer("repeats", 1, "").at_least(1).at_most(kMostRepeats);
  Origins::Places own;
  if (const Value* value = root.find("title")) {
    if (const auto read_title = read(title, *value, "title")) {
      experiment_.title = std::get<std::string>(*read_title);
      own["title"] = value->place.text();
      if (experiment_.title.empty())
        mistakes_->add(value->place, "title: is empty; leave it out to use the file's name");
    }
  }
  if (const Value* value = root.find("repeats")) {
    if (const auto read_repeats = read(repeats, *value, "repeats")) {
      experiment_.repeats = static_cast<int>(std::get<std::int64_t>(*read_repeats));
      own["repeats"] = value->place.text();
    }
  }
  experiment_.origins.add(std::make_shared<const Origins::Places>(std::move(own)));
}

void Checker::check_single(const Value& root, std::string_view kind) {
  const Value* table = root.find(kind);
  if (table == nullptr) return complain_of_missing(kind);
  if (table->is_table()) check_instance(kind, std::string(kind), *table, "");
}

void Checker::complain_of_missing(std::string_view kind) {
  if (mistakes_->incomplete) return;
  const std::vector<std::string> names = available(kind);
  std::string message = text("no [", kind, "] in this experiment: ");
  if (names.empty()) {
    message += text("add one; but there is no ", kind, " plugin on the search path");
  } else {
    message += text("add one, e.g. [", kind, "] with plugin = \"", names.front(), "\"; available: ", join(names, ", "));
  }
  mistakes_->add(main_, message);
}

void Checker::check_several(const Entry& kind) {
  for (const auto& [name, place, value] : kind.value.entries) {
    const std::string path = kind.key + "." + name;
    if (!value.is_table()) {
      mistakes_->add(place, text(path,
                                 ": an experiment may have several of this kind; write a table of its own for each, "
                                 "e.g. [",
                                 kind.key, ".", name == "plugin" ? value.as_text() : "name", "]"));
    } else if (!is_plain(name)) {
      mistakes_->add(place, path + ": a table's name has letters, digits, _ and - only");
    } else {
      check_instance(kind.key, path, value, name);
    }
  }
}

void Checker::check_instance(std::string_view kind, const std::string& path, const Value& table,
                             std::string_view standard) {
  const Value* plugin = table.find("plugin");
  const Place& place = plugin == nullptr ? table.place : plugin->place;
  if (plugin != nullptr && plugin->type != Value::Type::text)
    return mistakes_->add(place, path + ".plugin: must be the name of a plugin; found " + plugin->describe());
  const std::string name(plugin == nullptr ? standard : plugin->as_text());
  if (plugin == nullptr && standard.empty()) {
    if (!mistakes_->incomplete)
      mistakes_->add(place, text(path, ".plugin: must be given; available: ", join(available(kind), ", ")));
    return;
  }
  const Found& found = find(kind, name);
  if (found.plugin == nullptr) return mistakes_->add(place, path + ".plugin: " + found.problem);
  const std::string instance(standard.empty() ? path : standard);
  if (const auto part =
          fill({found.plugin->schema, path, found.plugin->id(), &table, true}, {std::string(kind), instance, name, {}}))
    experiment_.plugins.emplace_back(part, &part->choice);
}

const Checker::Found& Checker::find(std::string_view kind, const std::string& name) {
  const auto [found, is_new] = found_.try_emplace({std::string(kind), name});
  if (!is_new) return found->second;
  try {
    if (!is_plain(name)) throw Error("\"" + name + "\" is no name of a plugin (letters, digits and _)");
    found->second.plugin = &registry_.find(kind, name);
  } catch (const std::exception& error) {
    found->second.problem = error.what();
  }
  return found->second;
}

std::vector<std::string> Checker::available(std::string_view kind) const {
  std::set<std::string> names;
  for (const host::FoundPlugin& plugin : registry_.list(kind))
    if (plugin.problem.empty()) names.insert(plugin.name);
  return {names.begin(), names.end()};
}

}  // namespace osteon::config
