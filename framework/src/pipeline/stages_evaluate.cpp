// evaluate: classifiers and shapes answer for the queries, metrics turn the answers into figures.

#include "pipeline/comparisons.hpp"
#include "pipeline/kept_memos.hpp"
#include "pipeline/shapes.hpp"
#include "pipeline/stage_tools.hpp"
#include "pipeline/unknown.hpp"

#include "host/stop.hpp"
#include "training/runtime.hpp"

#include <osteon/digest.hpp>
#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <cmath>
#include <iterator>

namespace osteon::pipeline {

namespace {

constexpr const char* kMemos = "memos";  ///< in an artifact's facts: the keys of what plugins memoised for it

bool is_gallery(Role role) { return role != Role::query; }

struct Handles {
  std::vector<std::pair<std::string, host::ClassifierHandle>> classifiers;
  std::vector<NamedShape> shapes;
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

  /// Of the plugins that may memoise what they work out.
  [[nodiscard]] std::map<std::string, std::string> builds() const {
    std::map<std::string, std::string> builds;
    for (const auto& [instance, handle] : shapes) builds[handle.id()] = handle.plugin().build_id;
    for (const auto& [instance, handle] : metrics) builds[handle.id()] = handle.plugin().build_id;
    return builds;
  }

  [[nodiscard]] bool need(Need need) const {
    for (const auto& [instance, metric] : metrics)
      if (metric.needs().contains(need)) return true;
    return false;
  }
};

/// The images of a fold by what they do in identification.
struct Sides {
  ImageTable table;  ///< of the fold; without a second volume, validation images are queries
  at::Tensor gallery;
  at::Tensor seen, never_trained;  ///< queries

  [[nodiscard]] const at::Tensor& queries(bool held_out) const { return held_out ? never_trained : seen; }
};

Sides sides_of(const Fold& fold) {
  Sides sides{fold.images, {}, {}, {}};
  ImageTable& table = sides.table;
  // Without a second volume, images of seen bones that the network has not trained on are the queries.
  if (table.queries_share_volume)
    for (Role& role : table.role)
      if (role == Role::validation) role = Role::query;
  const auto queries_of = [&](bool held_out) {
    return table.rows_where([&](std::int64_t i) {
      return table.role[static_cast<std::size_t>(i)] == Role::query &&
             table.bones[static_cast<std::size_t>(table.bone.data_ptr<std::int64_t>()[i])].held_out == held_out;
    });
  };
  sides.gallery = table.rows_where([&](std::int64_t i) { return is_gallery(table.role[static_cast<std::size_t>(i)]); });
  sides.seen = queries_of(false);
  sides.never_trained = queries_of(true);
  return sides;
}

/// Which columns a fold answers for: bones seen in training are seen in nearly all folds, so only the first tells them.
std::vector<bool> columns_of(std::size_t fold) {
  return fold == 0 ? std::vector<bool>{false, true} : std::vector<bool>{true};
}

/// Asks one classifier about the query images of a fold, from one embedding set.
void identify(const host::ClassifierHandle& classifier, const std::string& instance, const EmbeddingSet& set,
              const at::Tensor& gallery_labels, const Sides& sides, std::size_t fold,
              std::vector<Identification>& answers) {
  classifier.fit(set.vectors.index_select(0, sides.gallery).contiguous(), gallery_labels);
  for (const bool held_out : columns_of(fold)) {
    const at::Tensor& queries = sides.queries(held_out);
    if (queries.size(0) == 0) continue;
    const Prediction prediction = classifier.predict(set.vectors.index_select(0, queries).contiguous());
    Identification answer;
    answer.embedding_set = set.name;
    answer.classifier = instance;
    answer.is_trivial = set.is_trivial;
    answer.held_out = held_out;
    answer.images = queries;
    answer.truth = sides.table.bone.index_select(0, queries);
    answer.predicted = prediction.labels;
    answer.scores = prediction.scores;
    answer.candidates = std::ssize(sides.table.bones);
    answers.push_back(std::move(answer));
  }
}

/// Adds to the answers from the trained network's fingerprints from which score on they are accepted, and what
/// strangers score.
void add_unknown(const RunContext& run, const host::ClassifierHandle& classifier, const EmbeddingSet& set,
                 const Sides& sides, std::span<Identification> answers) {
  const Parameters& unknown = run.experiment.sections.at("unknown");
  const auto seed = static_cast<std::uint64_t>(run.experiment.sections.at("split").integer("seed"));
  const double accept_from = calibrated_threshold(classifier, set, sides.table, unknown, seed);
  if (std::isnan(accept_from)) return;
  for (Identification& answer : answers) {
    answer.accept_from = accept_from;
    answer.stated_rate = unknown.real("false_accept_rate");
    if (answer.held_out)
      answer.impostor_scores = scores_of_strangers(classifier, set, sides.table, sides.gallery, answer.images);
  }
}

std::vector<Identification> identify_all(const RunContext& run, const Handles& handles, const Fold& fold,
                                         const Sides& sides, std::size_t number, StageReport& report) {
  const at::Tensor labels = sides.table.bone.index_select(0, sides.gallery);
  std::vector<Identification> answers;
  for (const auto& [instance, classifier] : handles.classifiers) {
    for (const EmbeddingSet& set : fold.embeddings) {
      throw_if_stopped();
      report.progress(0, 0, -1, instance + " by " + set.name);
      const std::size_t first = answers.size();
      try {
        identify(classifier, instance, set, labels, sides, number, answers);
      } catch (const Error& e) {
        // A row for comparison that a classifier can't hold (raw pixels of a large gallery) must not end the run.
        if (!set.is_trivial || e.cause() == Error::Cause::failure) throw;
        run.reporters(Notice{text("left out: ", set.name, " + ", instance, ": ", e.what())});
        answers.resize(first);
      }
      if (!set.is_trivial) add_unknown(run, classifier, set, sides, std::span(answers).subspan(first));
    }
    // The same fingerprints with the gallery's labels dealt out anew: what is left above chance is a leak.
    const auto seed = static_cast<std::uint64_t>(run.experiment.sections.at("split").integer("seed"));
    const auto order = Random(seed, "shuffled labels").permutation(labels.size(0));
    EmbeddingSet shuffled = fold.embeddings.front();
    shuffled.name = "shuffled labels";
    shuffled.is_trivial = true;
    identify(classifier, instance, shuffled, labels.index_select(0, at::tensor(order, at::kLong)), sides, number,
             answers);
  }
  return answers;
}

/// Neighbours of all queries, and their distances from all bones.
void compare_all(const Fold& fold, const Sides& sides, std::size_t number, Evidence::Contents& contents,
                 StageReport& report) {
  for (const EmbeddingSet& set : fold.embeddings)
    for (const bool held_out : columns_of(number)) {
      if (sides.queries(held_out).size(0) == 0) continue;
      report.progress(0, 0, -1, "neighbours by " + set.name);
      Comparison comparison = compare(set, sides.table.bone, std::ssize(sides.table.bones), sides.gallery,
                                      sides.queries(held_out), held_out);
      contents.neighbours.push_back(std::move(comparison.neighbours));
      contents.trials.push_back(std::move(comparison.trials));
    }
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
  const at::Tensor scores = model.class_scores(fingerprints.vectors.index_select(0, rows).to(device));
  if (!scores.defined()) return {};
  std::vector<std::int64_t> bones;
  const std::vector<std::int64_t> classes = classes_of_bones(images);
  for (std::size_t b = 0; b < classes.size(); ++b)
    if (classes[b] >= 0) bones.push_back(static_cast<std::int64_t>(b));
  return {at::tensor(bones, at::kLong), rows, scores.detach().to(at::kCPU, at::kFloat)};
}

/// All that the figures depend on beside the plugins.
void add_inputs(store::Ingredients& ingredients, const Cohort& cohort, std::span<const Fold> folds) {
  Digest scans, roles, networks;
  for (const Scan& scan : cohort.scans) scans.add(scan.images.digest).add(scan.surface.digest);
  for (const Fold& fold : folds) {
    networks.add(fold.model.stored.digest);
    for (std::size_t i = 0; i < fold.images.role.size(); ++i) {
      const auto shown = static_cast<std::size_t>(fold.images.bone.data_ptr<std::int64_t>()[i]);
      const EvidenceBone& bone = fold.images.bones[shown];
      roles.add(text(bone.id, bone.held_out, static_cast<int>(fold.images.role[i])));
    }
  }
  ingredients.parts["input.network"] = networks.hex();
  ingredients.parts["input.scans"] = scans.hex();
  ingredients.parts["input.roles"] = roles.hex();
}

Evidence::Contents evidence_of(const RunContext& run, const Handles& handles, const Cohort& cohort,
                               std::span<const Fold> folds, StageReport& report) {
  const Fold& first = folds.front();
  Evidence::Contents contents;
  contents.bones = first.images.bones;
  contents.bone = first.images.bone;
  contents.role = first.images.role;
  contents.rows = first.images.rows;
  contents.margin = first.model.loss->margin();
  contents.seed = static_cast<std::uint64_t>(run.experiment.sections.at("split").integer("seed"));
  contents.queries_share_volume = first.images.queries_share_volume;
  contents.folds = std::ssize(folds);
  for (std::size_t number = 0; number < folds.size(); ++number) {
    const Fold& fold = folds[number];
    const Sides sides = sides_of(fold);
    if (handles.need(Need::predictions))
      for (Identification& one : identify_all(run, handles, fold, sides, number, report))
        contents.identifications.push_back(std::move(one));
    if (handles.need(Need::neighbours) || handles.need(Need::trials))
      compare_all(fold, sides, number, contents, report);
  }
  if (handles.need(Need::meshes)) contents.shapes = predict_shapes(run, handles.shapes, cohort, folds, report);
  if (handles.need(Need::class_scores))
    contents.class_scores = class_scores_of(first.images, first.model, first.embeddings.front(),
                                            training::resolved_device(run.experiment.sections.at("training")));
  contents.embeddings = first.embeddings;
  return contents;
}

}  // namespace

MetricResult evaluate(const RunContext& run, const Cohort& cohort, std::span<const Fold> folds, Records& records) {
  const Handles handles(run, cohort.has_volumes());
  store::Ingredients ingredients{"evaluate", run.experiment.title, handles.ingredients()};
  merge(ingredients.parts, section_parts(run.experiment, "split"));
  merge(ingredients.parts, section_parts(run.experiment, "unknown"));
  merge(ingredients.parts, section_parts(run.experiment, "reconstruction"));
  // A network without weights of its own is the same whatever it sees.
  merge(ingredients.parts, network_input_parts(run.experiment.sections.at("training")));
  ingredients.parts["revision"] = "5";
  ingredients.parts["training.seed"] = run.experiment.sections.at("training").canonical().at("seed");
  ingredients.parts["loss.margin"] = text(folds.front().model.loss->margin());
  add_inputs(ingredients, cohort, folds);

  StageReport report(run.reporters, "evaluate", "", 0, "metrics");
  const Stored stored = find_or_make(run, ingredients, report, [&] {
    const KeptMemos memos(run.store, handles.builds());
    const Evidence::Contents contents = evidence_of(run, handles, cohort, folds, report);
    MetricResult all;
    const auto append = [](auto& to, auto&& from) {
      to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    };
    for (const auto& [instance, metric] : handles.metrics) {
      throw_if_stopped();
      report.progress(0, 0, -1, "metric " + instance);
      MetricResult result = metric.evaluate(contents);
      append(all.values, result.values);
      append(all.surfaces, result.surfaces);
      append(all.charts, result.charts);
      append(all.maps, result.maps);
    }
    store::Artifact artifact = to_artifact(all);
    artifact.facts[kMemos] = memos.keys();
    return artifact;
  });
  const store::Artifact artifact = run.store.load(stored.key);
  MetricResult result = metric_result_from(artifact);
  finish(report, records, text(result.values.size(), " figures"));
  // The run's record names what was memoised for its figures, or `osteon gc` would not know whose it is.
  for (const std::string key : artifact.facts.value(kMemos, nlohmann::json::array()))
    if (run.store.use(key)) records.back().artifacts.push_back(key);
  return result;
}

}  // namespace osteon::pipeline
