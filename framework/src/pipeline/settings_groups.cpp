#include "pipeline/settings_groups.hpp"

#include "pipeline/network_input.hpp"

#include <osteon/digest.hpp>

namespace osteon::pipeline {

const std::string& SettingsGroups::of(const Parameters& parameters) {
  const auto [digest, is_new] = known_.try_emplace(&parameters);
  if (is_new) {
    std::string all;
    for (const auto& [name, value] : parameters.values()) all += name + " = " + to_text(value) + "\n";
    digest->second = sha256(all);
  }
  return digest->second;
}

std::string SettingsGroups::of(const config::PluginChoice& choice) { return choice.plugin + of(choice.parameters); }

std::string SettingsGroups::source(const config::Experiment& experiment) { return of(experiment.only("source")); }

std::string SettingsGroups::images(const config::Experiment& experiment) {
  std::string all = source(experiment);
  for (const std::string_view table :
       {std::string_view("surface"), std::string_view("renderer"), config::kQueryRenderer})
    all += of(experiment.only(table));
  for (const char* section : {"crop", "views", "film", "perturb", "xray", "split"})
    all += of(experiment.sections.at(section));
  for (const auto& [name, value] : network_input_parts(experiment.sections.at("training"))) all += name + value;
  return sha256(all);
}

std::string SettingsGroups::training(const config::Experiment& experiment) {
  std::string all = images(experiment);
  for (const char* table : {"backbone", "loss"}) all += of(experiment.only(table));
  for (const char* section : {"head", "augment", "training", "weights"}) all += of(experiment.sections.at(section));
  return sha256(all);
}

}  // namespace osteon::pipeline
