// train → embed: the network, its fingerprints, and the trivial methods that stand beside them.

#include "pipeline/stage_tools.hpp"

#include "host/stop.hpp"
#include "pipeline/ranks.hpp"
#include "training/runtime.hpp"
#include "training/weights_fit.hpp"
#include "training/whitening.hpp"

#include <osteon/digest.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

namespace osteon::pipeline {

namespace {

using nlohmann::json;

/// What the untrained network and its numbers depend on.
std::map<std::string, std::string> first_network_parts(const RunContext& run, const host::BackboneHandle& backbone) {
  auto parts = backbone.ingredients();
  merge(parts, training::weights_parts(run.experiment.sections.at("weights")));
  merge(parts, section_parts(run.experiment, "head"));
  const Parameters& settings = run.experiment.sections.at("training");
  parts["training.seed"] = settings.canonical().at("seed");
  merge(parts, network_input_parts(settings));
  // "One for each core" is another number on another machine, and the number of threads changes the last bits.
  parts["training.threads"] = std::to_string(training::resolved_threads(settings));
  // So do the kind of device and what it computes in.
  parts["training.precision"] = training::resolved_precision(settings);
  parts["training.device"] = training::resolved_device(settings).is_cuda() ? "cuda" : "cpu";
  return parts;
}

/// What the trained network depends on, data and loss aside.
std::map<std::string, std::string> network_parts(const RunContext& run, const host::BackboneHandle& backbone) {
  auto parts = first_network_parts(run, backbone);
  merge(parts, section_parts(run.experiment, "augment"));
  merge(parts, section_parts(run.experiment, "training"));
  // The order in which gradients are added changes the last bits too. One process says nothing, as it always has.
  if (run.group.size() > 1) parts["training.ranks"] = std::to_string(run.group.size());
  return parts;
}

/// The network before training: drawn from the seed, its backbone from a file where [weights] names one.
std::shared_ptr<training::FingerprintNetwork> first_network(const RunContext& run, const host::BackboneHandle& backbone,
                                                            const ImageTable& images) {
  const auto& sections = run.experiment.sections;
  auto network = training::make_network(backbone, sections.at("head"), sections.at("training"), images.pixels.height(),
                                        images.pixels.width());
  training::load_backbone_weights(network->backbone(), sections.at("weights"));
  return network;
}

/// Digest of the training images: which image sets, in which order, which rows train.
std::string data_digest(const Cohort& cohort, const ImageTable& images) {
  Digest digest;
  std::size_t last = cohort.scans.size();
  for (std::size_t i = 0; i < images.role.size(); ++i) {
    if (images.role[i] != Role::training && images.role[i] != Role::validation) continue;
    if (images.scan[i] != last) digest.add(cohort.scans[images.scan[i]].seen_digest());
    last = images.scan[i];
    digest.add(images.role[i] == Role::training ? "t" : "v");
  }
  return digest.hex();
}

json curves_json(const std::vector<training::CurvePoint>& curves) {
  json list = json::array();
  for (const auto& point : curves) list.push_back({point.curve, point.step, point.value});
  return list;
}

/// One row an image from one row a scan.
at::Tensor spread(const std::vector<std::vector<float>>& by_scan, const ImageTable& images) {
  const auto width = static_cast<std::int64_t>(by_scan.front().size());
  at::Tensor result = at::empty({static_cast<std::int64_t>(images.scan.size()), width}, at::kFloat);
  auto* out = result.data_ptr<float>();
  for (const std::size_t scan : images.scan) out = std::copy(by_scan[scan].begin(), by_scan[scan].end(), out);
  return result;
}

/// Length, and length with volume (each in units of its standard deviation over the gallery's bones), measured on the
/// surface of the scan that an image shows: more than an X-ray would tell, so a generous rival.
std::vector<EmbeddingSet> size_sets(const RunContext& run, const Cohort& cohort, const ImageTable& images) {
  std::vector<std::vector<float>> lengths, both;
  for (const Scan& scan : cohort.scans) {
    const BoneSurface surface = bone_surface_from(run.store.load(scan.surface.key));
    lengths.push_back({static_cast<float>(surface.frame.length)});
    both.push_back({static_cast<float>(surface.frame.length), static_cast<float>(enclosed_volume(surface.mesh))});
  }
  for (std::size_t column = 0; column < 2; ++column) {
    double sum = 0, squares = 0, count = 0;
    for (std::size_t s = 0; s < both.size(); ++s)
      if (cohort.scans[s].acquisition == 0) {
        sum += both[s][column];
        squares += double{both[s][column]} * both[s][column];
        ++count;
      }
    const double deviation = std::sqrt(std::max(1e-12, squares / count - sum / count * (sum / count)));
    for (auto& row : both) row[column] = static_cast<float>((row[column] - sum / count) / deviation);
  }
  return {{"bone length", true, spread(lengths, images)}, {"length + volume", true, spread(both, images)}};
}

/// Weights, the loss's own state, curves and notices of a stored training.
void restore_model(TrainedModel& model, const store::Artifact& artifact, std::int64_t classes,
                   const Parameters& settings) {
  std::map<std::string, at::Tensor> state, loss_state;
  for (const auto& [name, tensor] : artifact.tensors) {
    if (name.starts_with("network.")) state[name.substr(8)] = tensor;
    if (name.starts_with("loss.")) loss_state[name.substr(5)] = tensor;
  }
  training::load_network_state(*model.network, state);
  training::prepare_loss(*model.loss, classes, *model.network, training::resolved_device(settings), 0);
  const at::NoGradGuard no_graph;
  for (auto& [name, tensor] : model.loss->state()) tensor.copy_(loss_state.at(name));
  for (const json& point : artifact.facts.at("curves")) model.curves.push_back({point[0], point[1], point[2]});
  for (const json& notice : artifact.facts.at("notices")) model.notices.push_back(notice);
}

/// A network and what its fingerprints depend on beside the images.
struct Embedder {
  training::FingerprintNetwork& network;
  std::map<std::string, std::string> parts;
  std::string what;  ///< "trained"
};

Embedder trained_embedder(const RunContext& run, const Stored& model, training::FingerprintNetwork& network) {
  const Parameters& settings = run.experiment.sections.at("training");
  auto parts = network_input_parts(settings);
  parts["input.network"] = model.digest;
  parts["training.precision"] = training::resolved_precision(settings);
  return {network, std::move(parts), "trained"};
}

/// Fingerprints of all images, float32 `[N, d]`; one artifact per network and image set, so that adding a bone embeds
/// one bone. `done` counts images for the report.
at::Tensor embed_scans(const RunContext& run, const Cohort& cohort, const ImageTable& images, const Embedder& embedder,
                       StageReport& report, std::int64_t& done) {
  std::vector<at::Tensor> chunks;
  for (std::size_t s = 0; s < cohort.scans.size(); ++s) {
    const Scan& scan = cohort.scans[s];
    store::Ingredients ingredients{
        "embed", text(embedder.what, ", ", cohort.specimens[scan.specimen].id, ", acquisition ", scan.acquisition + 1),
        embedder.parts};
    ingredients.parts["revision"] = "1";
    ingredients.parts["input.images"] = scan.seen_digest();
    const at::Tensor rows =
        images.rows_where([&](std::int64_t i) { return images.scan[static_cast<std::size_t>(i)] == s; });
    const Stored stored = find_or_make(run, ingredients, report, [&] {
      store::Artifact artifact;
      artifact.tensors["embeddings"] = training::embed(
          embedder.network, images.network_input, as_vector(rows), run.experiment.sections.at("training"),
          [&](std::int64_t n, std::int64_t) { report.progress(done + n); });
      return artifact;
    });
    chunks.push_back(run.store.load(stored.key).tensors.at("embeddings"));
    done += rows.size(0);
    report.progress(done);
  }
  return at::cat(chunks);
}

}  // namespace

at::Tensor TrainedModel::class_scores(const at::Tensor& embeddings) const {
  return network->is_whitened() ? at::Tensor() : loss->class_scores(embeddings);
}

std::vector<std::int64_t> classes_of_bones(const ImageTable& images) {
  std::vector<std::int64_t> classes;
  std::int64_t next = 0;
  for (const EvidenceBone& bone : images.bones) classes.push_back(bone.held_out ? -1 : next++);
  return classes;
}

training::Data training_data(const ImageTable& images) {
  const at::Tensor rows = images.rows_where([&](std::int64_t i) {
    const Role role = images.role[static_cast<std::size_t>(i)];
    return role == Role::training || role == Role::validation;
  });
  const std::vector<std::int64_t> classes = classes_of_bones(images);
  training::Data data;
  data.pixels = images.network_input.subset(as_vector(rows));
  data.views = kViews;
  data.labels = at::tensor(classes, at::kLong).index_select(0, images.bone.index_select(0, rows));
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    const auto row = static_cast<std::size_t>(rows.data_ptr<std::int64_t>()[i]);
    (images.role[row] == Role::training ? data.training : data.validation).push_back(i);
  }
  for (const std::int64_t c : classes) data.classes = std::max(data.classes, c + 1);
  return data;
}

TrainedModel train_model(const RunContext& run, const Cohort& cohort, const ImageTable& images, Records& records,
                         const std::string& fold) {
  const auto backbone = make_handle<host::BackboneHandle>(run, "backbone");
  const Parameters& settings = run.experiment.sections.at("training");

  TrainedModel model;
  model.loss = std::make_shared<host::LossHandle>(make_handle<host::LossHandle>(run, "loss"));
  model.network = first_network(run, backbone, images);

  store::Ingredients ingredients{"train", run.experiment.title, network_parts(run, backbone)};
  merge(ingredients.parts, model.loss->ingredients());
  ingredients.parts["revision"] = "2";
  ingredients.parts["input.images"] = data_digest(cohort, images);

  StageReport report(run.reporters, "train",
                     backbone.name() + " · " + model.loss->name() + (fold.empty() ? "" : " · " + fold), 0, "batches");
  const training::Data data = training_data(images);
  const auto& sections = run.experiment.sections;
  const std::string checkpoints = of_one_process(ingredients, settings).key();
  if (!run.group.is_first()) {
    if (joins_training(run, ingredients))
      (void)training::train(*model.network, *model.loss, data, settings, sections.at("augment"),
                            run.store.working_folder(checkpoints), {}, run.group);
    return model;
  }
  std::string detail;
  bool is_told = false;
  model.stored = find_or_make(run, ingredients, report, [&] {
    std::optional<store::Lock> lock;  // of the checkpoints, where `find_or_make` holds that of another key
    if (checkpoints != ingredients.key()) lock.emplace(run.store.lock(checkpoints));
    const auto work = run.store.working_folder(checkpoints);
    const training::Listener listener{[&](const training::Progress& p) {
                                        detail = p.detail;
                                        report.progress(p.batches_done, p.batches_total, p.seconds_left, p.detail);
                                      },
                                      {}};
    training::Trained trained;
    if (settings.integer("epochs") > 0) {
      is_told = true;
      tell_training(run, &ingredients);
      trained = training::train(*model.network, *model.loss, data, settings, sections.at("augment"), work, listener,
                                run.group);
    } else {
      training::prepare_loss(*model.loss, data.classes, *model.network, training::resolved_device(settings),
                             static_cast<std::uint64_t>(settings.integer("seed")));
    }
    training::fit_whitening(*model.network, data, sections.at("head"), settings, sections.at("augment"));
    store::Artifact artifact;
    for (auto& [name, tensor] : training::network_state(*model.network))
      artifact.tensors[text("network.", name)] = tensor;
    for (auto& [name, tensor] : model.loss->state()) artifact.tensors[text("loss.", name)] = tensor.detach().cpu();
    artifact.facts["curves"] = curves_json(trained.curves);
    artifact.facts["notices"] = trained.notices;
    artifact.facts["height"] = images.pixels.height();
    artifact.facts["width"] = images.pixels.width();
    return artifact;
  });
  if (!is_told) tell_training(run, nullptr);
  std::error_code ignored;  // an old checkpoint costs room and nothing else
  if (checkpoints != model.stored.key) std::filesystem::remove_all(run.store.working_folder(checkpoints), ignored);
  restore_model(model, run.store.load(model.stored.key), data.classes, settings);
  finish(report, records, detail.empty() ? "network" : detail);
  return model;
}

void embed_images(const RunContext& run, const Cohort& cohort, std::span<Fold> folds, Records& records) {
  const auto backbone = make_handle<host::BackboneHandle>(run, "backbone");
  const ImageTable& images = folds.front().images;  // folds differ in roles, not in images
  StageReport report(run.reporters, "embed", "", (std::ssize(folds) + 1) * std::ssize(images.role), "X-rays");

  std::int64_t done = 0;
  std::vector<EmbeddingSet> beside;
  const auto untrained = first_network(run, backbone, images);
  beside.push_back(
      {run.experiment.sections.at("weights").path("path").empty() ? "untrained network" : "given weights, untrained",
       true,
       embed_scans(run, cohort, images, {*untrained, first_network_parts(run, backbone), "untrained"}, report, done)});
  const std::string planes = run.experiment.sections.at("training").text("planes");
  beside.push_back({"raw pixels", true, raw_pixels(images.pixels, {false, planes})});
  beside.push_back({"raw pixels, upright", true, raw_pixels(images.pixels, {true, planes})});
  if (cohort.has_volumes())
    for (EmbeddingSet& set : size_sets(run, cohort, images)) beside.push_back(std::move(set));

  for (Fold& fold : folds) {
    fold.embeddings = {{"fingerprint", false,
                        embed_scans(run, cohort, images, trained_embedder(run, fold.model.stored, *fold.model.network),
                                    report, done)}};
    fold.embeddings.insert(fold.embeddings.end(), beside.begin(), beside.end());
  }
  finish(report, records, text(std::ssize(folds) * std::ssize(images.role), " fingerprints"));
}

at::Tensor trained_fingerprints(const RunContext& run, const Cohort& cohort, const ImageTable& images,
                                const Stored& model, training::FingerprintNetwork& network, Records& records) {
  StageReport report(run.reporters, "embed", "", std::ssize(images.role), "X-rays");
  std::int64_t done = 0;
  at::Tensor vectors = embed_scans(run, cohort, images, trained_embedder(run, model, network), report, done);
  finish(report, records, text(done, " fingerprints"));
  return vectors;
}

}  // namespace osteon::pipeline
