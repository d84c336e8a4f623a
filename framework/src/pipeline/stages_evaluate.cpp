// evaluate: classifiers and shapes answer for the queries, metrics turn the answers into figures.

#include "pipeline/stage_tools.hpp"

#include "host/stop.hpp"
#include "training/runtime.hpp"

#include <osteon/digest.hpp>
#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

namespace osteon::pipeline {

namespace {

bool is_gallery(Role role) { return role != Role::query; }

struct Handles {
  std::vector<std::pair<std::string, host::ClassifierHandle>> classifiers;
  std::vector<std::pair<std::string, host::ShapeHandle>> shapes;
  std::vector<std::pair<std::string, host::MetricHandle>> metrics;

  /// Without surfaces there is nothing for shapes and for what measures them.
  Handles(const RunContext& run, bool has_surfaces) {
    for (const config::PluginChoice* choice : run.experiment.all("classifier"))
      classifiers.emplace_back(choice->instance, host::ClassifierHandle(run.registry.find("classifier", choice->plugin),
                                                                        choice->parameters));
    for (const config::PluginChoice* choice : run.experiment.all("shape"))
      if (has_surfaces)
        shapes.emplace_back(choice->instance,
                            host::ShapeHandle(run.registry.find("shape", choice->plugin), choice->parameters));
    for (const config::PluginChoice* choice : run.experiment.all("metric")) {
      host::MetricHandle metric(run.registry.find("metric", choice->plugin), choice->parameters);
      if (has_surfaces || !metric.needs().contains(Need::meshes))
        metrics.emplace_back(choice->instance, std::move(metric));
    }
  }

  /// Every plugin of the stage under its instance's name.
  [[nodiscard]] std::map<std::string, std::string> ingredients() const {
    std::map<std::string, std::string> parts;
    const auto add = [&](const std::string& instance, const host::Handle& handle) {
      for (const auto& [name, value] : handle.ingredients()) {
        const auto dot = name.find('.');
        parts[name.substr(0, dot) + "." + instance + name.substr(dot)] = value;
      }
    };
    for (const auto& [instance, handle] : classifiers) add(instance, handle);
    for (const auto& [instance, handle] : shapes) add(instance, handle);
    for (const auto& [instance, handle] : metrics) add(instance, handle);
    return parts;
  }

  [[nodiscard]] bool need(Need need) const {
    for (const auto& [instance, metric] : metrics)
      if (metric.needs().contains(need)) return true;
    return false;
  }
};

/// Asks one classifier about the query images, from one embedding set.
void identify(const host::ClassifierHandle& classifier, const std::string& instance, const EmbeddingSet& set,
              const at::Tensor& gallery_labels, const at::Tensor& gallery, const ImageTable& images,
              std::vector<Identification>& answers) {
  classifier.fit(set.vectors.index_select(0, gallery).contiguous(), gallery_labels);
  for (const bool held_out : {false, true}) {
    const at::Tensor queries = images.rows_where([&](std::int64_t i) {
      const auto row = static_cast<std::size_t>(i);
      return images.role[row] == Role::query &&
             images.bones[static_cast<std::size_t>(images.bone.data_ptr<std::int64_t>()[i])].held_out == held_out;
    });
    if (queries.size(0) == 0) continue;
    const Prediction prediction = classifier.predict(set.vectors.index_select(0, queries).contiguous());
    Identification answer;
    answer.embedding_set = set.name;
    answer.classifier = instance;
    answer.is_trivial = set.is_trivial;
    answer.held_out = held_out;
    answer.images = queries;
    answer.truth = images.bone.index_select(0, queries);
    answer.predicted = prediction.labels;
    answer.scores = prediction.scores;
    answer.candidates = std::ssize(images.bones);
    answers.push_back(std::move(answer));
  }
}

std::vector<Identification> identify_all(const RunContext& run, const Handles& handles, const ImageTable& images,
                                         const std::vector<EmbeddingSet>& sets, StageReport& report) {
  // Without a second volume, images of seen bones that the network has not trained on are the queries.
  ImageTable table = images;
  if (images.queries_share_volume)
    for (Role& role : table.role)
      if (role == Role::validation) role = Role::query;
  const at::Tensor gallery =
      table.rows_where([&](std::int64_t i) { return is_gallery(table.role[static_cast<std::size_t>(i)]); });
  const at::Tensor labels = table.bone.index_select(0, gallery);

  std::vector<Identification> answers;
  for (const auto& [instance, classifier] : handles.classifiers) {
    for (const EmbeddingSet& set : sets) {
      throw_if_stopped();
      report.progress(0, 0, -1, "identify by " + set.name);
      identify(classifier, instance, set, labels, gallery, table, answers);
    }
    // The same fingerprints with the gallery's labels dealt out anew: what is left above chance is a leak.
    const auto seed = static_cast<std::uint64_t>(run.experiment.sections.at("split").integer("seed"));
    const auto order = Random(seed, "shuffled labels").permutation(labels.size(0));
    EmbeddingSet shuffled = sets.front();
    shuffled.name = "shuffled labels";
    shuffled.is_trivial = true;
    identify(classifier, instance, shuffled, labels.index_select(0, at::tensor(order, at::kLong)), gallery, table,
             answers);
  }
  return answers;
}

Mesh own_frame_mesh(const RunContext& run, const Scan& scan) {
  const BoneSurface surface = bone_surface_from(run.store.load(scan.surface.key));
  return imaging::in_bone_frame(surface.mesh, surface.frame);
}

/// The surface that a simulated CT was made from, in the frame of the surface found in it.
std::optional<Mesh> surface_made_from(const RunContext& run, const Scan& scan) {
  const auto truth = acquisition_from(run.store.load(scan.volume.key)).truth;
  if (!truth) return std::nullopt;
  return imaging::in_bone_frame(*truth, bone_surface_from(run.store.load(scan.surface.key)).frame);
}

/// Predicts the shape of each held-out bone from its query images. The gallery is the training bones.
ShapeEvidence predict_shapes(const RunContext& run, const Handles& handles, const Cohort& cohort,
                             const ImageTable& images, const EmbeddingSet& fingerprints, StageReport& report) {
  ShapeEvidence evidence;
  std::vector<std::int64_t> position(images.bones.size(), -1);
  std::vector<const Scan*> first_scan(images.bones.size(), nullptr);
  for (const Scan* scan : cohort.of_acquisition(0))
    for (std::size_t b = 0; b < images.bones.size(); ++b)
      if (images.specimen[b] == scan->specimen) first_scan[b] = scan;
  for (std::size_t b = 0; b < images.bones.size(); ++b)
    if (!images.bones[b].held_out) {
      position[b] = static_cast<std::int64_t>(evidence.gallery.size());
      evidence.gallery_bones.push_back(static_cast<std::int64_t>(b));
      evidence.gallery.push_back(own_frame_mesh(run, *first_scan[b]));
    }

  const auto* bone = images.bone.data_ptr<std::int64_t>();
  const at::Tensor gallery_rows = images.rows_where([&](std::int64_t i) {
    return is_gallery(images.role[static_cast<std::size_t>(i)]) && position[static_cast<std::size_t>(bone[i])] >= 0;
  });
  const ShapeGallery gallery{
      evidence.gallery, fingerprints.vectors.index_select(0, gallery_rows).contiguous(),
      at::tensor(position, at::kLong).index_select(0, images.bone.index_select(0, gallery_rows))};
  for (const auto& [instance, shape] : handles.shapes) shape.fit(gallery);

  for (std::size_t b = 0; b < images.bones.size(); ++b) {
    if (!images.bones[b].held_out) continue;
    throw_if_stopped();
    report.progress(0, 0, -1, "shape of " + images.bones[b].id);
    const at::Tensor rows = images.rows_where([&](std::int64_t i) {
      return images.role[static_cast<std::size_t>(i)] == Role::query && bone[i] == static_cast<std::int64_t>(b);
    });
    if (rows.size(0) == 0) continue;
    ShapeCase one{
        static_cast<std::int64_t>(b), own_frame_mesh(run, *first_scan[b]), surface_made_from(run, *first_scan[b]), {}};
    const ShapeQuery query{fingerprints.vectors.index_select(0, rows).contiguous(),
                           images.pixels.gather(as_vector(rows))};
    for (const auto& [instance, shape] : handles.shapes) {
      ShapePrediction prediction = shape.predict(query);
      one.answers.push_back({instance, std::move(prediction.mesh), prediction.chosen});
    }
    evidence.cases.push_back(std::move(one));
  }
  return evidence;
}

/// What the trained class layer says of the validation images, and of the query images of bones that it was trained on.
ClassScores class_scores_of(const ImageTable& images, const TrainedModel& model, const EmbeddingSet& fingerprints,
                            at::Device device) {
  const at::NoGradGuard no_graph;
  const at::Tensor rows = images.rows_where([&](std::int64_t i) {
    const Role role = images.role[static_cast<std::size_t>(i)];
    const auto bone = static_cast<std::size_t>(images.bone.data_ptr<std::int64_t>()[i]);
    return role == Role::validation || (role == Role::query && !images.bones[bone].held_out);
  });
  const at::Tensor scores = model.loss->class_scores(fingerprints.vectors.index_select(0, rows).to(device));
  if (!scores.defined()) return {};
  std::vector<std::int64_t> bones;
  const std::vector<std::int64_t> classes = classes_of_bones(images);
  for (std::size_t b = 0; b < classes.size(); ++b)
    if (classes[b] >= 0) bones.push_back(static_cast<std::int64_t>(b));
  return {at::tensor(bones, at::kLong), rows, scores.detach().to(at::kCPU, at::kFloat)};
}

/// All that the figures depend on beside the plugins.
void add_inputs(store::Ingredients& ingredients, const Cohort& cohort, const ImageTable& images,
                const TrainedModel& model) {
  Digest scans, roles;
  for (const Scan& scan : cohort.scans) scans.add(scan.images.digest).add(scan.surface.digest);
  for (std::size_t i = 0; i < images.role.size(); ++i) {
    const EvidenceBone& bone = images.bones[static_cast<std::size_t>(images.bone.data_ptr<std::int64_t>()[i])];
    roles.add(text(bone.id, bone.held_out, static_cast<int>(images.role[i])));
  }
  ingredients.parts["input.network"] = model.stored.digest;
  ingredients.parts["input.scans"] = scans.hex();
  ingredients.parts["input.roles"] = roles.hex();
}

}  // namespace

MetricResult evaluate(const RunContext& run, const Cohort& cohort, const ImageTable& images, const TrainedModel& model,
                      std::vector<EmbeddingSet> embeddings, Records& records) {
  const Handles handles(run, cohort.has_volumes());
  const host::LossHandle& loss = *model.loss;
  store::Ingredients ingredients{"evaluate", run.experiment.title, handles.ingredients()};
  merge(ingredients.parts, section_parts(run.experiment, "split"));
  ingredients.parts["revision"] = "3";
  ingredients.parts["training.seed"] = run.experiment.sections.at("training").canonical().at("seed");
  ingredients.parts["loss.margin"] = text(loss.margin());
  add_inputs(ingredients, cohort, images, model);

  StageReport report(run.reporters, "evaluate", "", 0, "metrics");
  const Stored stored = find_or_make(run, ingredients, report, [&] {
    Evidence::Contents contents;
    contents.bones = images.bones;
    contents.bone = images.bone;
    contents.role = images.role;
    contents.rows = images.rows;
    contents.margin = loss.margin();
    contents.seed = static_cast<std::uint64_t>(run.experiment.sections.at("split").integer("seed"));
    contents.queries_share_volume = images.queries_share_volume;
    if (handles.need(Need::predictions))
      contents.identifications = identify_all(run, handles, images, embeddings, report);
    if (handles.need(Need::meshes))
      contents.shapes = predict_shapes(run, handles, cohort, images, embeddings.front(), report);
    if (handles.need(Need::class_scores))
      contents.class_scores = class_scores_of(images, model, embeddings.front(),
                                              training::resolved_device(run.experiment.sections.at("training")));
    contents.embeddings = std::move(embeddings);

    MetricResult all;
    for (const auto& [instance, metric] : handles.metrics) {
      throw_if_stopped();
      report.progress(0, 0, -1, "metric " + instance);
      MetricResult result = metric.evaluate(contents);
      all.values.insert(all.values.end(), result.values.begin(), result.values.end());
      all.surfaces.insert(all.surfaces.end(), result.surfaces.begin(), result.surfaces.end());
      all.charts.insert(all.charts.end(), result.charts.begin(), result.charts.end());
      all.maps.insert(all.maps.end(), result.maps.begin(), result.maps.end());
    }
    return to_artifact(all);
  });
  MetricResult result = metric_result_from(run.store.load(stored.key));
  finish(report, records, text(result.values.size(), " figures"));
  return result;
}

}  // namespace osteon::pipeline
