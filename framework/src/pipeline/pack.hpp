#pragma once

// A finished run's trained network as one file that a colleague can use: all that turns a pair of X-rays into a
// fingerprint and a fingerprint into an answer. It is a bundle (store/bundle.hpp) of named parts, each an artifact:
//
//     network       weights, backbone and head, precision, and how an X-ray becomes the network's image: [views],
//                   [film], [xray], [crop], what of [training] changes an X-ray; the classifiers' choice
//     calibration   fingerprints of people whom the network was trained on and of such whom it never saw, to tell
//                   how sure an answer from any gallery is, and what they and known bones score before the run's own
//                   gallery
//     gallery       the run's fingerprints
//
// Other parts (a model of shapes) may stand beside them: what this Osteon does not know it keeps.

#include "config/experiment.hpp"
#include "host/registry.hpp"
#include "pipeline/gallery.hpp"
#include "pipeline/unknown.hpp"

#include <array>

namespace osteon::pipeline {

inline constexpr const char* kModelKind = "model";      ///< of a bundle
inline constexpr const char* kGalleryKind = "gallery";  ///< of a bundle, and of a model's part
/// The pictures that stand side by side in what a network sees, from the left.
inline constexpr std::array<const char*, 2> kMontageViews = {"AP", "ML"};

/// What X-rays of people score whom a gallery doesn't know.
struct Strangers {
  PeopleScores trained;  ///< people that the network was trained on: they decide the threshold
  PeopleScores unseen;   ///< people that it never saw: they decide nothing, and say what the threshold is worth
};

/// A classifier of the run, and what X-rays scored before the run's own gallery.
struct PackedClassifier {
  config::PluginChoice choice;
  Strangers strangers;  ///< each taken out of the gallery before they are asked about
  PeopleScores known;   ///< bones that were trained on, from a scan of their own; minus infinity if taken for another
};

struct Pack {
  std::string title, run, date;      ///< of the experiment; the run's folder; when it was packed
  std::string network;               ///< SHA-256 of the weights and of all else that decides a fingerprint
  std::vector<std::string> notices;  ///< what everybody who uses it should know
  std::int64_t height = 0, width = 0;
  std::map<std::string, Parameters> sections;  ///< of the experiment, by name
  config::PluginChoice backbone;
  std::vector<PackedClassifier> classifiers;  ///< in the experiment's order
  std::map<std::string, at::Tensor> weights;
  Labelled trained;  ///< validation images of the people that were trained on
  Labelled unseen;   ///< all images of the people that were held out
  Gallery gallery;
  std::map<std::string, store::Artifact> more;  ///< other named parts

  [[nodiscard]] const Parameters& section(const std::string& name) const { return sections.at(name); }
};

/// What the model's strangers score before a gallery, for a classifier of the model; nobody where [unknown] asks for no
/// calibration. People whom the gallery knows are taken out of it before they are asked about.
[[nodiscard]] Strangers strangers_of(const host::ClassifierHandle& classifier, const Pack& pack,
                                     const Gallery& gallery);

/// A part of a bundle of parts. Throws `Error` when `file` has none of that name.
[[nodiscard]] store::Artifact part_of(const store::Artifact& whole, const std::string& name, const std::string& file);

void write_pack(const std::filesystem::path& file, const Pack& pack, host::Registry& registry);

/// Throws `Error` for what `store::read_bundle` refuses, a plugin that is not there, and parameters that it or this
/// Osteon doesn't have.
[[nodiscard]] Pack read_pack(const std::filesystem::path& file, host::Registry& registry);

/// A parameter's value from JSON, or from a word of the command line. Throws `Error` when it is of another type.
[[nodiscard]] ParameterValue value_from(const Parameter& parameter, const nlohmann::json& json);

}  // namespace osteon::pipeline
