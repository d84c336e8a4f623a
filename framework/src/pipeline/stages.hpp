#pragma once

// The stages of one experiment, each a function of its inputs, its parameters and its seed, each artifact looked up in
// the store before it is made: source → surface → render → train → embed → evaluate.

#include "config/experiment.hpp"
#include "pipeline/artifacts.hpp"
#include "pipeline/reporters.hpp"
#include "training/training.hpp"

#include <functional>
#include <memory>
#include <span>

namespace osteon::pipeline {

inline constexpr std::int64_t kViews = 2;  ///< AP and ML, side by side in each image

/// Everything a stage needs to know of its run.
struct RunContext {
  const config::Experiment& experiment;
  host::Registry& registry;
  store::Store& store;
  const Reporters& reporters;
  training::Group& group = training::Group::alone();  ///< the processes of a run by several (pipeline/ranks.hpp)
  /// Nothing is made: stages note what the store has and what it lacks. For plans.
  bool looks_only = false;
};

/// A stored artifact: where it is, and what it holds.
struct Stored {
  std::string key, digest;
};

/// One CT volume, or pair of radiographs, on its way: each stage adds what it made.
struct Scan {
  std::size_t specimen = 0;  ///< index into `Cohort::specimens`
  int acquisition = 0;
  std::string files;  ///< digest of what the source read; "" where it reads nothing
  Stored volume, surface, images;
  Stored network_input;    ///< only where the network sees its images changed
  bool has_volume = true;  ///< else `volume` holds a pair of radiographs and there is no surface

  /// Digest of its images as the network sees them.
  [[nodiscard]] const std::string& seen_digest() const {
    return network_input.key.empty() ? images.digest : network_input.digest;
  }
};

/// Throws `Error` when scans of different people are of the same files: a split by person would train on what it holds
/// out.
void require_distinct_people(std::span<const SpecimenInfo> specimens, std::span<const Scan> scans);

struct Cohort {
  std::vector<SpecimenInfo> specimens;
  std::vector<Scan> scans;  ///< by specimen, then acquisition; those of a specimen that failed a stage are gone
  /// Specimens that failed a stage, with the stage and its reason.
  std::vector<SpecimenLeftOut> left_out;
  std::vector<std::string> notices;  ///< of the source, about all that it lists

  /// Whether every scan has a volume, and so a surface; with radiographs there is neither length nor shape.
  [[nodiscard]] bool has_volumes() const;
  [[nodiscard]] std::vector<const Scan*> of_acquisition(int acquisition) const;
};

/// What one run did at each stage, for `osteon why`.
struct StageRecord {
  std::string stage, reason;
  std::int64_t made = 0, reused = 0;
  double seconds = 0;
  std::vector<std::string> artifacts;  ///< keys of what was made or reused
  std::vector<std::string> lacking;    ///< keys of what would be made, where a run only looks
};
using Records = std::vector<StageRecord>;

/// What the source lists, nothing made.
[[nodiscard]] Cohort list_scans(const RunContext& run);
/// SHA-256 of who is listed, and of the files that each scan is made of.
[[nodiscard]] std::string listing_digest(const Cohort& cohort);
/// The volumes of the scans that `cohort` holds.
void make_volumes(const RunContext& run, Cohort& cohort, Records& records);
/// All that the source lists, with its volumes.
[[nodiscard]] Cohort make_volumes(const RunContext& run, Records& records);
void make_surfaces(const RunContext& run, Cohort& cohort, Records& records);

/// How many images were made, not found in the store, and what they took.
struct RenderTime {
  std::int64_t images = 0;
  double seconds = 0;
};
RenderTime make_images(const RunContext& run, Cohort& cohort, Records& records);
/// The images as the network sees them, where [training] wants them changed.
void make_network_input(const RunContext& run, Cohort& cohort, Records& records);

/// Images of the whole cohort in memory, with what is known of each.
struct ImageTable {
  std::vector<EvidenceBone> bones;
  std::vector<std::size_t> specimen;  ///< of each bone: index into `Cohort::specimens`
  training::Pixels pixels;            ///< N images, mapped from the store
  training::Pixels network_input;     ///< the same as the network sees them
  at::Tensor bone;                    ///< int64 `[N]`
  std::vector<Role> role;             ///< `[N]`
  std::vector<std::size_t> scan;      ///< `[N]`: index into `Cohort::scans`
  std::vector<ImageRow> rows;         ///< `[N]`
  bool queries_share_volume = false;

  [[nodiscard]] const EvidenceBone& bone_of(std::int64_t row) const {
    return bones[static_cast<std::size_t>(bone.data_ptr<std::int64_t>()[row])];
  }
  [[nodiscard]] at::Tensor rows_where(const std::function<bool(std::int64_t)>& keep) const;  ///< int64 indices
};
/// `fold` says who is held out: 0 … `split.folds` - 1.
[[nodiscard]] ImageTable load_images(const RunContext& run, const Cohort& cohort, std::int64_t fold = 0);

/// Training and validation images only, renumbered: what else the run holds changes nothing.
[[nodiscard]] training::Data training_data(const ImageTable& images);

struct TrainedModel {
  Stored stored;
  std::shared_ptr<training::FingerprintNetwork> network;
  std::shared_ptr<host::LossHandle> loss;  ///< with its trained state
  std::vector<training::CurvePoint> curves;
  std::vector<std::string> notices;  ///< of the training

  /// float `[N, d]` → `[N, classes]`, undefined where the loss knows no classes, or knows them by embeddings from
  /// before a whitening.
  [[nodiscard]] at::Tensor class_scores(const at::Tensor& embeddings) const;
};
/// `fold` is told to the reporters: "fold 3 of 12", or nothing.
[[nodiscard]] TrainedModel train_model(const RunContext& run, const Cohort& cohort, const ImageTable& images,
                                       Records& records, const std::string& fold = "");

/// Class of each of `images.bones` in training: its rank among the bones that are trained on; -1 for held-out ones.
[[nodiscard]] std::vector<std::int64_t> classes_of_bones(const ImageTable& images);

/// One choice of held-out people, its network and what that makes of the images. A run has one of these, or
/// `split.folds`.
struct Fold {
  ImageTable images;
  TrainedModel model;
  std::vector<EmbeddingSet> embeddings;
};

/// Embeddings of all images by each fold's trained network, and by the trivial methods beside it, which know no folds.
void embed_images(const RunContext& run, const Cohort& cohort, std::span<Fold> folds, Records& records);

/// Fingerprints of all images by one trained network, float32 `[N, d]`: what `embed_images` has of it, from the store
/// where it is there.
[[nodiscard]] at::Tensor trained_fingerprints(const RunContext& run, const Cohort& cohort, const ImageTable& images,
                                              const Stored& model, training::FingerprintNetwork& network,
                                              Records& records);

/// Classifiers, shapes, metrics.
[[nodiscard]] MetricResult evaluate(const RunContext& run, const Cohort& cohort, std::span<const Fold> folds,
                                    Records& records);

}  // namespace osteon::pipeline
