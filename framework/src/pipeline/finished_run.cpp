#include "pipeline/finished_run.hpp"

#include "pipeline/stage_tools.hpp"
#include "training/runtime.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>

#include <array>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;

/// The sections that say how X-rays become the network's images and fingerprints become answers.
constexpr std::array kSections = {"crop", "views", "film", "xray", "head", "training", "unknown", "split"};

std::map<std::string, at::Tensor> network_weights(const store::Artifact& model) {
  constexpr std::string_view kNetwork = "network.";
  std::map<std::string, at::Tensor> weights;
  for (const auto& [name, tensor] : model.tensors)
    if (name.starts_with(kNetwork)) weights[name.substr(kNetwork.size())] = tensor;
  return weights;
}

/// With the number format that this machine chose, which another one would perhaps not choose.
Parameters training_settings(const Parameters& training) {
  auto values = training.values();
  values["precision"] = training::resolved_precision(training);
  return {training::training_schema(), values};
}

/// Digest of the weights and of all else that decides what the network makes of an X-ray.
std::string network_digest(const Pack& pack) {
  Digest digest;
  digest.add(text(pack.backbone.plugin, "\n", pack.height, " x ", pack.width, "\n"));
  const auto add = [&](const std::string& owner, const std::map<std::string, std::string>& values) {
    for (const auto& [name, value] : values) digest.add(text(owner, ".", name, " = ", value, "\n"));
  };
  add("backbone", pack.backbone.parameters.canonical());
  for (const char* section : {"head", "views", "film", "xray"}) add(section, pack.section(section).canonical());
  const auto training = pack.section("training").canonical();
  for (const char* name : {"upright", "planes", "precision"}) add("training", {{name, training.at(name)}});
  for (const auto& [name, tensor] : pack.weights) {
    const at::Tensor packed = tensor.contiguous();
    digest.add(text(name, " ", packed.sizes(), " ", c10::toString(packed.scalar_type()), "\n"));
    digest.add(std::string_view(static_cast<const char*>(packed.data_ptr()), packed.nbytes()));
  }
  return digest.hex();
}

/// The experiment that the run kept.
fs::path experiment_of(const fs::path& folder) {
  const fs::path file = folder / "experiment.toml";
  if (!fs::exists(file))
    throw Error(text(folder.string(),
                     ": has no experiment.toml; add a reporter to the experiment that keeps it and run it "
                     "again, which costs nothing"));
  return file;
}

}  // namespace

FinishedRun::FinishedRun(const fs::path& folder, const std::vector<fs::path>& plugin_folders)
    : folder_(folder),
      model_(stored_model(folder)),
      opened_({{experiment_of(folder), {}, {}}, plugin_folders, folder.parent_path(), ""}) {}

Pack FinishedRun::network() const {
  Pack pack;
  pack.title = run().experiment.title;
  pack.run = fs::absolute(folder_).lexically_normal().filename().string();
  if (pack.run.empty()) pack.run = fs::absolute(folder_).lexically_normal().parent_path().filename().string();
  pack.date = utc_now();
  pack.height = model_.artifact.facts.at("height");
  pack.width = model_.artifact.facts.at("width");
  for (const char* name : kSections) pack.sections[name] = run().experiment.sections.at(name);
  pack.sections["training"] = training_settings(run().experiment.sections.at("training"));
  pack.backbone = run().experiment.only("backbone");
  pack.weights = network_weights(model_.artifact);
  pack.network = network_digest(pack);
  return pack;
}

RunImages FinishedRun::load() const {
  const auto& sections = run().experiment.sections;
  Records records;
  RunImages loaded{run(), make_volumes(run(), records), {}, {}};
  make_surfaces(run(), loaded.cohort, records);
  make_images(run(), loaded.cohort, records);
  make_network_input(run(), loaded.cohort, records);
  loaded.images = load_images(run(), loaded.cohort, 0);
  const auto network = training::make_network(make_handle<host::BackboneHandle>(run(), "backbone"), sections.at("head"),
                                              training_settings(sections.at("training")),
                                              model_.artifact.facts.at("height"), model_.artifact.facts.at("width"));
  training::load_network_state(*network, network_weights(model_.artifact));
  loaded.fingerprints = trained_fingerprints(run(), loaded.cohort, loaded.images, model_.stored, *network, records);
  return loaded;
}

}  // namespace osteon::pipeline
