// Loading an experiment, and writing it down again as TOML.

#include "config/experiment.hpp"

#include "config/assemble.hpp"
#include "config/check.hpp"
#include "config/sweep.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

namespace osteon::config {

namespace {

constexpr const char* kTraining = "training";
constexpr const char* kSeed = "seed";

std::string last_component(const std::string& path) { return std::filesystem::path(path).filename().string(); }

/// Whether a section says what is made. One of which nothing is part of a key says where and how a run runs.
bool is_identifying(const Parameters& section) { return !section.canonical().empty(); }

/// Everything as TOML. For a digest: paths by their last component, no reporters and no section that identifies
/// nothing, an order that no file decides.
std::string write(const Experiment& experiment, bool for_digest) {
  std::string result = text("title = ", to_text(experiment.title), "\nrepeats = ", experiment.repeats, "\n");
  const auto write_table = [&](const std::string& path, const std::string& plugin, const Parameters& parameters) {
    result += "\n[" + path + "]\n";
    if (!plugin.empty()) result += "plugin = " + to_text(plugin) + "\n";
    for (const auto& [name, value] : parameters.values()) {
      const bool is_path = for_digest && experiment.path_parameters.contains(path + "." + name);
      result += name + " = " + to_text(is_path ? last_component(std::get<std::string>(value)) : value) + "\n";
    }
  };
  for (const auto& [name, parameters] : experiment.sections)
    if (!for_digest || is_identifying(*parameters)) write_table(name, "", *parameters);
  std::vector<const PluginChoice*> choices;
  for (const auto& choice : experiment.plugins)
    if (!for_digest || choice->kind != "reporter") choices.push_back(choice.get());
  if (for_digest)
    std::ranges::stable_sort(choices, [](const PluginChoice* a, const PluginChoice* b) {
      return std::tie(a->kind, a->instance) < std::tie(b->kind, b->instance);
    });
  for (const PluginChoice* choice : choices) {
    const std::string path = is_single_kind(choice->kind) ? choice->instance : choice->kind + "." + choice->instance;
    write_table(path, choice->plugin, choice->parameters);
  }
  return result;
}

class Loader {
 public:
  Loader(const Request& request, const Sections& sections, host::Registry& registry)
      : file_(request.file),
        sections_(sections),
        overrides_(read_overrides(request.overrides, mistakes_)),
        root_(read_with_bases(request.file, mistakes_)),
        file_tree_(root_),
        profiles_(apply_profiles(root_, request.profiles, mistakes_)),
        sweep_(root_, overrides_, mistakes_),
        checker_(sections, registry, root_.place) {
    for (const Override& one : overrides_) put(overriding_, one.path, one.value.place, one.value);
    merge(root_, overriding_);
  }

  Plan plan() {
    Plan plan;
    plan.base = base();
    plan.title = plan.base.title;
    plan.swept = sweep_.paths();
    refuse_what_identifies_nothing(plan);
    plan.repeats = plan.base.repeats;
    const std::size_t count = sweep_.size() * static_cast<std::size_t>(plan.repeats);
    if (count > Sweep::kMostPoints) {
      mistakes_.add(root_.find("repeats")->place, text("repeats: ", plan.repeats, " times the sweep makes ", count,
                                                       " points; at most ", Sweep::kMostPoints, " are allowed"));
      mistakes_.throw_if_any();
    }
    for (std::size_t n = 0; n < sweep_.size(); ++n) {
      Value root = root_;
      merge(root, sweep_.tree(n));
      // Once more: a plugin that the sweep changed has dropped them.
      merge(root, overriding_);
      const Experiment experiment = check(root, mistakes_);
      for (int repeat = 0; repeat < experiment.repeats; ++repeat)
        plan.points.push_back({repeated(experiment, repeat), sweep_.changes(n), repeat});
    }
    check_profiles();
    mistakes_.throw_if_any();
    return plan;
  }

 private:
  /// Points that differ in nothing that is made would be one run several times.
  void refuse_what_identifies_nothing(const Plan& plan) {
    for (const std::string& path : plan.swept) {
      const std::string name = path.substr(0, path.find('.'));
      if (plan.base.sections.contains(name) && !is_identifying(plan.base.sections.at(name)))
        mistakes_.add(root_.find("sweep")->place,
                      text("sweep: ", path, " cannot be swept: [", name, "] says how a run runs, not what comes out"));
    }
  }

  /// A mistake in a profile shows when the file is checked, not on the day when somebody asks for it.
  void check_profiles() {
    if (!mistakes_.empty()) return;
    mistakes_.files_must_exist = false;  // what a profile needs has to be there for those who ask for it
    for (const Entry& profile : profiles_) {
      const std::array<std::string, 1> name{profile.key};
      Value root = file_tree_;
      apply_profiles(root, name, mistakes_);
      const Sweep sweep(root, {}, mistakes_);
      merge(root, sweep.tree(0));
      (void)check(root, mistakes_);
    }
  }

  Experiment check(const Value& root, Mistakes& mistakes) {
    Experiment experiment = checker_.check(root, mistakes);
    experiment.file = file_;
    if (experiment.title.empty()) experiment.title = file_.stem().string();
    return experiment;
  }

  /// The file before the sweep. What only [sweep] gives (a whole [loss], a required parameter) has its first value
  /// there.
  Experiment base() {
    Mistakes without_sweep;
    without_sweep.incomplete = mistakes_.incomplete;
    Experiment experiment = check(root_, without_sweep);
    if (without_sweep.empty()) return experiment;
    Value completed = sweep_.tree(0);
    merge(completed, root_);
    return check(completed, mistakes_);
  }

  Experiment repeated(Experiment experiment, int repeat) {
    const Parameter* seed = experiment.sections.contains(kTraining) ? sections_.at(kTraining).find(kSeed) : nullptr;
    experiment.repeats = 1;
    if (seed == nullptr || seed->type != Parameter::Type::integer || repeat == 0) return experiment;
    auto values = experiment.sections.at(kTraining).values();
    const std::int64_t value = std::get<std::int64_t>(values.at(kSeed)) + repeat;
    if (const auto reason = seed->refusal(value)) {
      mistakes_.add(root_.find("repeats")->place,
                    text("repeats: repeat ", repeat + 1, " would set training.seed: ", *reason));
      return experiment;
    }
    values[kSeed] = value;
    experiment.sections.set(kTraining, std::make_shared<const Parameters>(sections_.at(kTraining), values));
    experiment.origins.add(std::make_shared<const Origins::Places>(
        Origins::Places{{text(kTraining, ".", kSeed), experiment.origins.at("repeats")}}));
    return experiment;
  }

  std::filesystem::path file_;
  const Sections& sections_;
  Mistakes mistakes_;
  std::vector<Override> overrides_;
  Value overriding_;
  Value root_, file_tree_;
  std::vector<Entry> profiles_;
  Sweep sweep_;
  Checker checker_;
};

}  // namespace

const Parameters& SectionValues::at(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw failure(text("the experiment has no section [", name, "]"));
  return *found->second;
}

const std::string* Origins::find(const std::string& path) const {
  for (auto places = added_.rbegin(); places != added_.rend(); ++places)
    if (const auto found = (*places)->find(path); found != (*places)->end()) return &found->second;
  return nullptr;
}

const std::string& Origins::at(const std::string& path) const {
  const std::string* found = find(path);
  if (found == nullptr) throw failure(text(path, ": has its default, which stands in no file"));
  return *found;
}

const PluginChoice& Experiment::only(std::string_view table) const {
  for (const auto& choice : plugins)
    if ((is_single_kind(choice->kind) ? choice->instance : choice->kind) == table) return *choice;
  if (table == kQueryRenderer) return only("renderer");
  throw failure(text("the experiment has no ", table));
}

std::vector<const PluginChoice*> Experiment::all(std::string_view kind) const {
  std::vector<const PluginChoice*> result;
  for (const auto& choice : plugins)
    if (choice->kind == kind) result.push_back(choice.get());
  return result;
}

std::string Experiment::to_toml() const { return write(*this, false); }

std::string Experiment::digest() const { return sha256(write(*this, true)); }

Plan load(const Request& request, const Sections& sections, host::Registry& registry) {
  return Loader(request, sections, registry).plan();
}

}  // namespace osteon::config
