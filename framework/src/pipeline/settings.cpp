#include "pipeline/settings.hpp"

#include "config/document.hpp"
#include "config/mistakes.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPlugin = ".plugin";

using Keys = std::set<std::string>;

std::string value_of(const RunSetting& setting, const std::string& key) {
  const auto& parameters = setting.seeds.front().parameters;
  const auto found = parameters.find(key);
  return found == parameters.end() ? "" : found->second;
}

bool has(const RunSetting& setting, const std::string& key) { return setting.seeds.front().parameters.contains(key); }

/// The key that names the plugin to which `key` belongs: "loss.plugin" of "loss.margin", nothing of "views.height".
/// Whether a plugin's table is there at all is a matter of the one around it.
std::string owner_of(const std::string& key, const Keys& all) {
  std::string table = key.ends_with(kPlugin) ? key.substr(0, key.size() - kPlugin.size()) : key;
  for (std::size_t dot = table.rfind('.'); dot != std::string::npos; dot = table.rfind('.')) {
    table.resize(dot);
    if (const std::string plugin = table + std::string(kPlugin); all.contains(plugin)) return plugin;
  }
  return "";
}

/// Whether settings that use the same plugin (or to which none belongs) differ in the key.
bool differs(const std::vector<RunSetting>& settings, const std::string& key, const Keys& all) {
  const std::string owner = owner_of(key, all);
  std::map<std::string, std::string> first;  // by the owner's plugin
  for (const RunSetting& setting : settings) {
    if (!owner.empty() && !has(setting, owner)) continue;
    const std::string value = has(setting, key) ? text("= ", value_of(setting, key)) : "";
    const auto [known, is_new] = first.try_emplace(owner.empty() ? "" : value_of(setting, owner), value);
    if (known->second != value) return true;
  }
  return false;
}

/// Whether another setting that uses the same plugin, or to which none belongs either, has the key.
bool lacks(const RunSetting& setting, const std::string& key, const std::string& owner,
           const std::vector<RunSetting>& settings) {
  return std::ranges::any_of(settings, [&](const RunSetting& other) {
    return has(other, key) &&
           (owner.empty() || (has(setting, owner) && value_of(setting, owner) == value_of(other, owner)));
  });
}

/// "loss" of "loss.plugin", else the key itself.
std::string short_key(const std::string& key) {
  return key.ends_with(kPlugin) ? key.substr(0, key.size() - kPlugin.size()) : key;
}

void name_settings(std::vector<RunSetting>& settings) {
  Keys all;
  for (const RunSetting& setting : settings)
    for (const auto& [key, value] : setting.seeds.front().parameters) all.insert(key);
  std::vector<std::string> ordered(all.begin(), all.end());  // a plugin before its parameters
  std::ranges::stable_sort(ordered, {}, short_key);
  for (const std::string& key : ordered) {
    if (!differs(settings, key, all)) continue;
    const std::string owner = owner_of(key, all);
    for (RunSetting& setting : settings) {
      if (has(setting, key))
        setting.differing.emplace_back(short_key(key), value_of(setting, key));
      else if (lacks(setting, key, owner, settings))
        setting.differing.emplace_back(short_key(key), "none");
    }
  }
  for (RunSetting& setting : settings) {
    for (const auto& [key, value] : setting.differing)
      setting.name += text(setting.name.empty() ? "" : ", ", key, " = ", value);
    if (setting.name.empty()) setting.name = "all runs";  // there is no other setting
  }
}

/// The programs that made the runs, where they are not one.
void note_programs(const std::vector<RunSetting>& settings, std::vector<std::string>& notices) {
  std::map<std::string, std::set<std::string>> facts;
  for (const RunSetting& setting : settings)
    for (const RunResult& run : setting.seeds)
      for (const auto& [name, fact] : run.environment)
        if (name == "LibTorch" || name == "processor" || name == "threads" ||
            (name.starts_with("plugin ") && !name.starts_with("plugin reporter/")))
          facts[name].insert(fact);
  std::string differing;
  for (const auto& [name, all] : facts)
    if (all.size() > 1) differing += (differing.empty() ? "" : ", ") + name;
  if (!differing.empty())
    notices.push_back(
        text("the runs were not all made by the same program on the same machine, which may change figures "
             "too; their environment.json differ in: ",
             differing));
}

std::string without_spaces(std::string words) {
  std::erase(words, ' ');
  return words;
}

/// "margin=0.1" fits "loss.margin = 0.1".
bool has_part(const RunSetting& setting, const std::string& part) {
  return std::ranges::any_of(setting.differing, [&](const auto& one) {
    const std::string whole = without_spaces(text(one.first, "=", one.second));
    return whole == part || whole.ends_with("." + part);
  });
}

bool has_parts(const RunSetting& setting, const std::string& wanted) {
  if (without_spaces(setting.name) == without_spaces(wanted) || has_part(setting, without_spaces(wanted))) return true;
  return std::ranges::all_of(config::split(without_spaces(wanted), ','),
                             [&](const std::string& part) { return has_part(setting, part); });
}

bool has_run_in(const RunSetting& setting, const fs::path& folder) {
  const fs::path whole = fs::weakly_canonical(folder);
  return std::ranges::any_of(setting.seeds, [&](const RunResult& run) {
    const fs::path own = fs::weakly_canonical(run.folder);
    return own == whole || own.parent_path() == whole;
  });
}

}  // namespace

std::vector<RunSetting> settings_of(RunResults results, std::vector<std::string>& notices) {
  std::vector<RunSetting> settings;
  for (RunResult& run : results.runs) {
    auto same = std::ranges::find_if(
        settings, [&](const RunSetting& known) { return known.seeds.front().parameters == run.parameters; });
    if (same == settings.end()) same = settings.insert(settings.end(), RunSetting{});
    const auto twin = std::ranges::find(same->seeds, run.training_seed, &RunResult::training_seed);
    if (twin != same->seeds.end())
      notices.push_back(text(run.folder.string(), ": left out, as it is the same experiment with the same seed as ",
                             twin->folder.string()));
    else
      same->seeds.push_back(std::move(run));
  }
  name_settings(settings);
  note_programs(settings, notices);
  return settings;
}

std::size_t find_setting(const std::vector<RunSetting>& settings, const std::string& wanted) {
  const bool is_folder = fs::is_directory(wanted);
  std::vector<std::string> found, names;
  std::optional<std::size_t> index;
  for (std::size_t s = 0; s < settings.size(); ++s) {
    names.push_back(settings[s].name);
    if (is_folder ? !has_run_in(settings[s], wanted) : !has_parts(settings[s], wanted)) continue;
    found.push_back(settings[s].name);
    index = s;
  }
  if (found.size() == 1) return *index;
  if (found.empty()) {
    std::vector<std::string> near = names;
    for (const RunSetting& setting : settings)
      for (const RunResult& run : setting.seeds) near.push_back(run.folder.string());
    throw Error(text("no setting \"", wanted, "\" to compare with",
                     config::suggestion(wanted, near, text("; there are: ", config::join(names, "; ")))));
  }
  throw Error(text("\"", wanted, "\" means ", found.size(), " settings; name one of: ", config::join(found, "; ")));
}

}  // namespace osteon::pipeline
