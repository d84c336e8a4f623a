#pragma once

// A tree against the declarations of its sections and plugins: every parameter gets its value or a mistake.

#include "config/document.hpp"
#include "config/experiment.hpp"
#include "config/mistakes.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace osteon::config {

class Checker {
 public:
  /// `main` is the file that the user named: where nothing else can be pointed at.
  Checker(const Sections& sections, host::Registry& registry, Place main)
      : sections_(sections), registry_(registry), main_(std::move(main)) {}

  /// The experiment of `root` as far as it is right; what is wrong goes to `mistakes`.
  [[nodiscard]] Experiment check(const Value& root, Mistakes& mistakes);

  /// The parameters of one plugin, which `table` holds and nothing else; nothing where there are mistakes.
  [[nodiscard]] std::optional<Parameters> check_plugin(const host::LoadedPlugin& plugin, const Value& table,
                                                       Mistakes& mistakes);

 private:
  /// A schema and the table that should fit it.
  struct Section {
    const Schema& schema;
    std::string path;    ///< "classifier.knn"
    std::string owner;   ///< "classifier/knn", "[views]"
    const Value* table;  ///< nothing: all defaults
    bool is_plugin;      ///< has a key `plugin` beside its parameters
  };
  /// One as it was read. The points of a sweep that have it alike share it.
  struct Part {
    std::string owner;
    Value table;
    PluginChoice choice;  ///< of a section of the framework the parameters alone
    Origins::Places origins;
    std::vector<std::string> paths;  ///< dotted paths of its files and folders
  };
  struct Found {
    const host::LoadedPlugin* plugin = nullptr;
    std::string problem;
  };

  void check_keys(const Value& root);
  void check_title_and_repeats(const Value& root);
  void check_single(const Value& root, std::string_view kind);
  void check_several(const Entry& kind);
  void check_instance(std::string_view kind, const std::string& path, const Value& table, std::string_view standard);
  void complain_of_missing(std::string_view kind);
  /// Reads what fits and notes the rest; nothing when there are mistakes.
  std::shared_ptr<const Part> fill(const Section& section, const PluginChoice& choice);
  std::shared_ptr<const Part> read_part(const Section& section, const PluginChoice& choice);
  std::optional<ParameterValue> read(const Parameter& parameter, const Value& value, const std::string& path);
  std::optional<ParameterValue> read_list(const Parameter& parameter, const Value& list, const std::string& path);
  std::optional<ParameterValue> read_path(const Value& value, const std::string& path);
  const Found& find(std::string_view kind, const std::string& name);
  [[nodiscard]] std::vector<std::string> available(std::string_view kind) const;

  const Sections& sections_;
  host::Registry& registry_;
  Place main_;
  std::map<std::pair<std::string, std::string>, Found> found_;
  std::map<std::string, std::shared_ptr<const Part>> last_;  ///< by path: in a sweep most are the same again
  Experiment experiment_;
  Mistakes* mistakes_ = nullptr;
};

}  // namespace osteon::config
