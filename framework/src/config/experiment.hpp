#pragma once

// A TOML experiment file, read, completed and checked: every parameter of every section and plugin has a value, and
// every mistake of the file is reported in one go with file, line, column and the nearest valid name.

#include "host/registry.hpp"

#include <osteon/parameters.hpp>

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace osteon::config {

/// The framework's own sections ([views], [film], [split], …), declared by the rooms that read them.
using Sections = std::map<std::string, Schema>;

/// Kinds of which an experiment has exactly one ([source], [surface], [renderer], [backbone], [loss]) and kinds of
/// which it has any number ([classifier.knn], [metric.rank], …: named tables whose `plugin` defaults to the name).
[[nodiscard]] bool is_single_kind(std::string_view kind);

/// The X-rays that ask may be made by another renderer than the gallery's: an optional table beside [renderer].
inline constexpr std::string_view kQueryRenderer = "query_renderer";

struct PluginChoice {
  std::string kind;
  std::string instance;  ///< the table's name, as in [classifier.NAME]; or what a single kind is called
  std::string plugin;
  Parameters parameters;
};

/// The values of the framework's own sections. Copies share them: most points of a sweep have most sections alike.
class SectionValues {
 public:
  /// Throws a failure when there is no such section.
  [[nodiscard]] const Parameters& at(const std::string& name) const;
  [[nodiscard]] bool contains(const std::string& name) const { return values_.contains(name); }
  void set(const std::string& name, std::shared_ptr<const Parameters> values) { values_[name] = std::move(values); }

  [[nodiscard]] auto begin() const { return values_.begin(); }
  [[nodiscard]] auto end() const { return values_.end(); }

 private:
  std::map<std::string, std::shared_ptr<const Parameters>> values_;
};

/// Where values came from: dotted path → "experiments/a.toml:12" or "--set". Nothing for defaults. Copies share it.
class Origins {
 public:
  using Places = std::map<std::string, std::string>;

  /// Throws a failure for a default.
  [[nodiscard]] const std::string& at(const std::string& path) const;
  [[nodiscard]] bool contains(const std::string& path) const { return find(path) != nullptr; }
  /// What is added later hides what was there.
  void add(std::shared_ptr<const Places> places) { added_.push_back(std::move(places)); }

 private:
  [[nodiscard]] const std::string* find(const std::string& path) const;

  std::vector<std::shared_ptr<const Places>> added_;
};

struct Experiment {
  std::string title;
  std::filesystem::path file;
  int repeats = 1;
  SectionValues sections;
  std::vector<std::shared_ptr<const PluginChoice>> plugins;  ///< single kinds first, then in the file's order

  /// Of a single kind, or of [query_renderer]; without that table it is [renderer]'s.
  [[nodiscard]] const PluginChoice& only(std::string_view table) const;
  [[nodiscard]] std::vector<const PluginChoice*> all(std::string_view kind) const;

  Origins origins;

  /// Dotted paths of the parameters that are files or folders: `digest` looks at their last component only.
  std::set<std::string> path_parameters;

  /// Everything resolved, as TOML that runs as it is (paths absolute, no `extends`, no [sweep]).
  [[nodiscard]] std::string to_toml() const;
  /// SHA-256 of `to_toml` less the paths' folders and sections that are in no key: names the run's folder.
  [[nodiscard]] std::string digest() const;
};

/// One point of a sweep: an experiment with its own values of the swept parameters, and its training seed.
struct Point {
  Experiment experiment;
  std::vector<std::pair<std::string, std::string>> changes;  ///< dotted path → value as text, the swept ones
  int repeat = 0;                                            ///< 0 … repeats-1
};

struct Plan {
  std::string title;
  Experiment base;                 ///< the file itself, before the sweep
  std::vector<Point> points;       ///< one when there is neither [sweep] nor repeats
  std::vector<std::string> swept;  ///< dotted paths
  int repeats = 1;
};

/// Which experiment, as the command line asks for it.
struct Request {
  std::filesystem::path file;
  std::vector<std::string> overrides;  ///< "loss.margin=0.2"
  std::vector<std::string> profiles;   ///< names of [profile.NAME] tables, laid over the file in this order
};

/// Reads the file and all it extends, lays its profiles and then the overrides on it, checks every point of the sweep
/// and every profile that was not asked for. Throws one `Error` that lists all mistakes. `repeats` vary `training.seed`
/// only (seed, seed + 1, …).
[[nodiscard]] Plan load(const Request& request, const Sections& sections, host::Registry& registry);

}  // namespace osteon::config
