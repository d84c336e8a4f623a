#include "pipeline/runner.hpp"

#include "imaging/radiograph.hpp"
#include "pipeline/control.hpp"
#include "pipeline/environment.hpp"
#include "pipeline/grad_cam.hpp"
#include "pipeline/kept_plan.hpp"
#include "pipeline/look_ahead.hpp"
#include "pipeline/opened.hpp"
#include "pipeline/point_record.hpp"
#include "pipeline/ranks.hpp"
#include "pipeline/samples.hpp"
#include "pipeline/shape_gallery.hpp"
#include "pipeline/slurm.hpp"
#include "pipeline/slurm_submit.hpp"
#include "pipeline/split.hpp"
#include "pipeline/stages.hpp"
#include "pipeline/sweep_run.hpp"
#include "pipeline/typed_command.hpp"
#include "pipeline/unknown.hpp"
#include "training/weights_fit.hpp"

#include <osteon/digest.hpp>
#include <osteon/files.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace osteon::pipeline {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

std::string slug(const std::string& title) {
  std::string result;
  for (const char c : title) {
    if (std::isalnum(static_cast<unsigned char>(c))) {
      result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!result.empty() && result.back() != '-') {
      result += '-';
    }
  }
  while (!result.empty() && result.back() == '-') result.pop_back();
  return result.empty() ? "run" : result.substr(0, 48);
}

std::string thousands(std::int64_t n) {
  const std::string digits = std::to_string(n);
  std::string result;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) result += ',';
    result += digits[i];
  }
  return result;
}

/// What the plan line says before anything is made.
std::string plan_line(const config::Experiment& e) {
  const Parameters& views = e.sections.at("views");
  const auto poses = static_cast<std::int64_t>(imaging::gallery_poses(views).size());
  const auto energies = static_cast<std::int64_t>(imaging::Film(e.sections.at("film")).energies().size());
  return text(e.only("source").plugin, " bones · ", thousands(poses * energies), " X-rays a gallery volume · ",
              e.only("backbone").plugin, " · ", e.only("loss").plugin, " · ",
              e.sections.at("training").integer("epochs"), " epochs");
}

void save_records(const fs::path& folder, const Records& records) {
  json list = json::array();
  for (const StageRecord& r : records)
    list.push_back({{"stage", r.stage},
                    {"made", r.made},
                    {"reused", r.reused},
                    {"reason", r.reason},
                    {"seconds", r.seconds},
                    {"artifacts", r.artifacts}});
  write_file(folder / "stages.json", list.dump(1));
}

/// Refuses a split that the source's people do not allow, before anything is made of them.
void require_possible_split(const RunContext& run, const Cohort& listed) {
  const Parameters& split = run.experiment.sections.at("split");
  for (std::int64_t fold = 0; fold < split.integer("folds"); ++fold)
    (void)held_out_subjects(split, listed.specimens, fold);
}

/// One point, all stages. Returns its figures, and who was listed in `cohort`.
MetricResult run_point(const RunContext& run, const fs::path& folder, Cohort& cohort, Records& records) {
  cohort = list_scans(run);
  require_possible_split(run, cohort);
  make_volumes(run, cohort, records);
  make_surfaces(run, cohort, records);
  make_images(run, cohort, records);
  make_network_input(run, cohort, records);
  std::vector<Fold> folds(static_cast<std::size_t>(run.experiment.sections.at("split").integer("folds")));
  for (std::size_t fold = 0; fold < folds.size(); ++fold)
    folds[fold].images = load_images(run, cohort, static_cast<std::int64_t>(fold));
  const ImageTable& images = folds.front().images;
  const auto held_out = std::ranges::count_if(images.bones, [](const EvidenceBone& b) { return b.held_out; });
  run.reporters(Notice{text(images.bones.size(), " bones: ", static_cast<std::int64_t>(images.bones.size()) - held_out,
                            " train, ", held_out, " held out", folds.size() > 1 ? " in the first of " : "",
                            folds.size() > 1 ? text(folds.size(), " folds") : "", " · ",
                            thousands(static_cast<std::int64_t>(images.role.size())), " X-rays of ",
                            images.pixels.height(), " × ", images.pixels.width(), " pixels")});
  if (images.queries_share_volume)
    run.reporters(Notice{text("the source has one acquisition a bone: gallery and queries share a ",
                              cohort.has_volumes() ? "CT volume" : "pair of radiographs",
                              ", so identity figures say nothing about identity")});
  show_samples(run, cohort, images);
  tell_images_made(run);
  for (std::size_t fold = 0; fold < folds.size(); ++fold)
    folds[fold].model = train_model(run, cohort, folds[fold].images, records,
                                    folds.size() > 1 ? text("fold ", fold + 1, " of ", folds.size()) : "");
  const TrainedModel& model = folds.front().model;
  for (const std::string& notice : model.notices) run.reporters(Notice{notice});
  // Where the trained network lies in the store, for `osteon weights export`.
  write_file(folder / "model.json", json({{"key", model.stored.key}, {"digest", model.stored.digest}}).dump(1));
  for (const training::CurvePoint& point : model.curves) run.reporters(Scalar{point.curve, point.step, point.value});
  embed_images(run, cohort, folds, records);
  show_heat_maps(run, images, model, folds.front().embeddings.front(), records);
  const std::vector<ControlFigure> control = run_control(run, cohort, images, model, records);
  MetricResult result = evaluate(run, cohort, folds, records);
  for (MetricValue& value : control_table(control)) result.values.push_back(std::move(value));
  for (const SurfacePair& pair : result.surfaces) run.reporters(pair);
  for (const Chart& chart : result.charts) run.reporters(chart);
  for (const EmbeddingMap& map : result.maps) run.reporters(pictured(map, images));
  run.reporters(Results{result.values});
  save_records(folder, records);
  require_no_leak(control);
  return result;
}

}  // namespace

config::Sections sections() {
  return {{"crop", imaging::crop_schema()},
          {"views", imaging::views_schema()},
          {"film", imaging::film_schema()},
          {"perturb", imaging::perturb_schema()},
          {"xray", imaging::radiographs_schema()},
          {"split", split_schema()},
          {"unknown", unknown_schema()},
          {"control", control_schema()},
          {"reconstruction", reconstruction_schema()},
          {"weights", training::weights_schema()},
          {"head", training::head_schema()},
          {"augment", training::augment_schema()},
          {"training", training::training_schema()},
          {"grad_cam", grad_cam_schema()},
          {"slurm", slurm_schema()}};
}

fs::path run_folder(const fs::path& runs, const config::Plan& plan) {
  std::string all = plan.base.digest();
  if (plan.points.size() > 1)
    for (const config::Point& point : plan.points) all += point.experiment.digest();
  return runs / (slug(plan.title) + "-" + sha256(all).substr(0, 6));
}

namespace {

/// A run that is gone on with must come out in the folder that it began in.
void require_same_folder(const RunOptions& options, const fs::path& folder) {
  if (options.into.empty() || fs::absolute(folder).lexically_normal() == options.into) return;
  throw Error(text(options.into.string(), ": ", options.request.file.string(), " has changed since; it now makes ",
                   folder.string(), ". To begin that run: ", options.command));
}

/// One point, in its folder, with its figures beside it for whoever collects them.
int run_one(const RunOptions& options, const config::Plan& plan, std::size_t index, const fs::path& folder,
            host::Registry& registry, training::Group& group) {
  const config::Experiment& experiment = plan.points[index].experiment;
  store::Store store(store::Store::standard_root());
  make_folder(folder);
  const store::Lock turn = take_turn(folder);
  forget_point(folder);
  fs::remove(folder / kValuesFile);
  if (options.into.empty()) keep_command(folder, options.words, options.command);
  limit_threads(experiment);
  PointInputs inputs;
  Cohort cohort;
  int code = 0;
  {  // reporters finish their files with their end
    const Reporters reporters(experiment, registry);
    const RunContext run{experiment, registry, store, reporters, group};
    auto facts = environment(experiment, registry);
    if (group.size() > 1) facts["processes of the training"] = std::to_string(group.size());
    const RunStarted start{experiment.title,
                           folder,
                           plan_line(experiment),
                           options.command,
                           plan.points.size() > 1 ? point_text(plan, index) : "",
                           std::move(facts),
                           experiment.to_toml()};
    code = reported(reporters, start, options.command, [&] {
      if (plan.points.size() == 1) require_disk(look_ahead(plan, folder, registry, store, 1).disk, store.root());
      inputs = InputReader(registry).read(experiment);
      store.serve(folder);
      Records records;
      json values = json::array();
      for (const MetricValue& value : run_point(run, folder, cohort, records).values) values.push_back(to_json(value));
      write_file(folder / kValuesFile, values.dump());
    });
  }
  // Whom the run has left out it tries again the next time.
  if (code == 0 && cohort.left_out.empty())
    remember_point(folder, InputReader::with_source(inputs, listing_digest(cohort)));
  return code;
}

/// One point, by this process alone or by all that were started for it.
int run_by_ranks(const RunOptions& options, const config::Plan& plan, std::size_t index, const fs::path& folder,
                 host::Registry& registry, const training::Launch& launch) {
  const config::Experiment& experiment = plan.points[index].experiment;
  const auto group = join(launch, experiment);
  return as_rank(*group, [&] {
    return group->is_first() ? run_one(options, plan, index, folder, registry, *group)
                             : follow_run(experiment, registry, *group);
  });
}

std::size_t point_index(const RunOptions& options, const config::Plan& plan) {
  const auto points = std::ssize(plan.points);
  if (options.point > points)
    throw Error(text("--point ", options.point, ": the sweep has ", points, points == 1 ? " point" : " points"));
  return static_cast<std::size_t>(std::max<std::int64_t>(options.point, 1) - 1);
}

/// A point of a sweep, or a run that is no sweep, as it was when it was submitted.
int run_kept(RunOptions options, host::Registry& registry) {
  const fs::path& folder = options.request.file;
  KeptPlan kept = kept_plan(folder, registry);
  const std::size_t index = point_index(options, kept.plan);
  if (options.point == 0 && kept.plan.points.size() > 1)
    throw Error(text(folder.string(), ": is the folder of a sweep; say which of its ", kept.plan.points.size(),
                     " points to run with --point, or name the experiment's file: ", kept.command));
  load_point(kept, index, folder, registry);
  options.command = kept.command;
  return run_by_ranks(options, kept.plan, index, folder_of(kept.plan, folder, index), registry,
                      launch_of(kept.plan, options.point));
}

}  // namespace

int run_experiment(const RunOptions& options) {
  host::Registry registry(host::Registry::search_path(options.plugin_folders));
  if (fs::is_directory(options.request.file)) return run_kept(options, registry);
  const config::Plan plan = config::load(options.request, sections(), registry);
  const fs::path folder = run_folder(options.runs, plan);
  const std::size_t index = point_index(options, plan);
  if (options.on_slurm) return submit_to_slurm(options, plan, folder, registry);
  const training::Launch launch = launch_of(plan, options.point);
  const bool is_whole_sweep = plan.points.size() > 1 && options.point == 0;
  const fs::path own = is_whole_sweep ? folder : folder_of(plan, folder, index);
  require_same_folder(options, own);
  if (is_whole_sweep) return run_sweep(options, plan, own, registry);
  return run_by_ranks(options, plan, index, own, registry, launch);
}

namespace {

/// The volumes of an experiment's source, of which there must be one a scan.
Cohort volumes_to_export(const RunContext& run, Records& records) {
  Cohort cohort = make_volumes(run, records);
  for (const Scan& scan : cohort.scans)
    if (!scan.has_volume)
      throw Error(text("specimen ", cohort.specimens[scan.specimen].id,
                       " is a pair of radiographs: there is no CT volume to export"));
  return cohort;
}

/// Where a scan's file goes; makes the specimen's folder.
fs::path export_path(const fs::path& folder, const Cohort& cohort, const Scan& scan) {
  throw_if_stopped();
  const fs::path own = folder / cohort.specimens[scan.specimen].id;
  make_folder(own);
  return own / text("acquisition-", scan.acquisition + 1);
}

/// With its dot. Throws `Error` when the format does not know it.
std::string known_ending(const host::FormatHandle& writer, const std::string& given) {
  const std::string ending = given.starts_with('.') ? given : "." + given;
  const std::vector<std::string> known = writer.endings();
  if (std::ranges::find(known, ending) != known.end()) return ending;
  std::string all;
  for (const std::string& each : known) all += (all.empty() ? "" : ", ") + each;
  throw Error(text(writer.id(), ": knows no files that end with ", ending,
                   all.empty() ? "; it writes folders" : "; it knows " + all));
}

}  // namespace

std::int64_t export_volumes(const RunOptions& options, const std::string& format, const fs::path& folder) {
  const OpenedExperiment opened(options);
  const RunContext& run = opened.run();
  const host::LoadedPlugin& plugin = run.registry.find("format", format);
  const host::FormatHandle writer(plugin, Parameters(plugin.schema, {}));
  make_folder(folder);
  Records records;
  const Cohort cohort = volumes_to_export(run, records);
  for (const Scan& scan : cohort.scans)
    writer.write_volume(acquisition_from(run.store.load(scan.volume.key)).volume,
                        {cohort.specimens[scan.specimen], scan.acquisition}, export_path(folder, cohort, scan));
  return std::ssize(cohort.scans);
}

std::int64_t export_surfaces(const RunOptions& options, const std::string& format, const std::string& ending,
                             const fs::path& folder) {
  const OpenedExperiment opened(options);
  const RunContext& run = opened.run();
  const host::LoadedPlugin& plugin = run.registry.find("format", format);
  const host::FormatHandle writer(plugin, Parameters(plugin.schema, {}));
  const std::string known = known_ending(writer, ending);
  make_folder(folder);
  Records records;
  Cohort cohort = volumes_to_export(run, records);
  make_surfaces(run, cohort, records);
  for (const Scan& scan : cohort.scans)
    writer.write_mesh(bone_surface_from(run.store.load(scan.surface.key)).mesh,
                      export_path(folder, cohort, scan).string() + known);
  return std::ssize(cohort.scans);
}

std::string why(const fs::path& run, const std::string& stage) {
  const fs::path file = run / "stages.json";
  if (!fs::exists(file))
    throw Error(
        text(run.string(), ": not the folder of a finished run (it has no stages.json); runs stand under runs/"));
  std::string answer;
  std::vector<std::string> names;
  for (const json& record : json::parse(read_file(file))) {
    const std::string name = record.at("stage");
    names.push_back(name);
    if (!stage.empty() && name != stage) continue;
    const std::int64_t made = record.at("made"), reused = record.at("reused");
    if (made > 0) {
      answer += text(name, " ran because: ", record.at("reason").get<std::string>());
      if (reused > 0) answer += text(" (", reused, " of ", made + reused, " artifacts were reused)");
    } else {
      answer += text(name, " did not run: all ", reused, " artifacts were reused");
    }
    answer += "\n";
  }
  if (answer.empty()) {
    const std::string near = host::nearest_word(stage, names);
    throw Error(text("no stage \"", stage, "\"", near.empty() ? "" : "; did you mean \"" + near + "\"?"));
  }
  return answer;
}

}  // namespace osteon::pipeline
