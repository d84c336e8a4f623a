// Each declared parameter changed once: exactly the stages that depend on it run again, and what they make differs.

#include "command.hpp"

#include "host/registry.hpp"
#include "pipeline/runner.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace osteon::test {
namespace {

const std::vector<std::string> kStages = {"source", "surface",  "render",  "train",
                                          "embed",  "grad_cam", "control", "evaluate"};

/// The first stage that a kind's or section's parameters belong to.
const std::map<std::string, std::string> kFirstStage = {{"source", "source"},       {"surface", "surface"},
                                                        {"renderer", "render"},     {"views", "render"},
                                                        {"xray", "render"},         {"perturb", "render"},
                                                        {"crop", "render"},         {"film", "render"},
                                                        {"backbone", "train"},      {"head", "train"},
                                                        {"loss", "train"},          {"training", "train"},
                                                        {"augment", "train"},       {"weights", "train"},
                                                        {"grad_cam", "grad_cam"},   {"split", "train"},
                                                        {"control", "control"},     {"unknown", "evaluate"},
                                                        {"classifier", "evaluate"}, {"shape", "evaluate"},
                                                        {"metric", "evaluate"},     {"reconstruction", "evaluate"}};

/// Another allowed value than the default.
std::string other_value(const Parameter& p) {
  const auto text_of = [&](double value) {
    return p.type == Parameter::Type::integer ? std::to_string(static_cast<std::int64_t>(value))
                                              : to_text(ParameterValue(value));
  };
  if (!p.choices.empty()) {
    const std::string standard = to_text(p.standard);
    for (const std::string& choice : p.choices)
      if (choice != standard && '"' + choice + '"' != standard)
        return p.type == Parameter::Type::text ? '"' + choice + '"' : choice;
  }
  switch (p.type) {
    case Parameter::Type::flag:
      return std::get<bool>(p.standard) ? "false" : "true";
    case Parameter::Type::integer:
    case Parameter::Type::real: {
      const double now = p.type == Parameter::Type::integer ? static_cast<double>(std::get<std::int64_t>(p.standard))
                                                            : std::get<double>(p.standard);
      for (const double candidate : {now + 1, now * 1.5, now / 2, now - 1, now + 0.25}) {
        const double value = p.type == Parameter::Type::integer ? std::round(candidate) : candidate;
        const ParameterValue typed = p.type == Parameter::Type::integer
                                         ? ParameterValue(static_cast<std::int64_t>(value))
                                         : ParameterValue(value);
        if (value != now && !p.refusal(typed)) return text_of(value);
      }
      return "";
    }
    default:
      return "";
  }
}

/// A change that the general rule can't guess, and what must be set beside it so that the parameter matters at all.
struct Special {
  std::string value;   ///< "" keeps the guess
  std::string beside;  ///< settings of both runs
  std::string stage;   ///< the first stage that it touches, where that isn't its section's
};
const std::map<std::string, Special> kSpecial = {
    {"crop.margin", {"10.0", "--set crop.outside='\"air\"'", ""}},
    {"views.tilts", {"[5.0]", "", ""}},
    {"views.height", {"40", "", ""}},
    {"views.field_of_view", {"700.0", "", ""}},
    {"views.axial_range", {"15.0", "", ""}},
    {"views.axial_step", {"10.0", "", ""}},
    {"views.in_plane_range", {"10.0", "", ""}},
    {"views.in_plane_step", {"10.0", "", ""}},
    {"views.source_detector", {"700.0", "", ""}},
    {"views.object_detector", {"250.0", "", ""}},
    {"views.gallery_poses", {"5", "--set views.gallery=random --set views.gallery_poses=4", ""}},
    {"views.drawn_axial", {"10.0", "", ""}},
    {"views.drawn_in_plane", {"10.0", "", ""}},
    {"views.drawn_tilt", {"20.0", "", ""}},
    {"views.gallery_tilt", {"20.0", "--set views.gallery=random --set views.gallery_poses=4", ""}},
    {"views.ap_ml_spread", {"20.0", "", ""}},
    {"views.scale_error", {"10.0", "", ""}},
    {"views.ap_shorter", {"20.0", "", ""}},
    {"views.errors_in", {"\"all\"", "--set views.scale_error=10", ""}},
    {"views.axes", {"\"patient\"", "", ""}},
    {"views.axial_offset", {"30.0", "", ""}},
    {"views.tilt_offset", {"10.0", "", ""}},
    {"views.in_plane_offset", {"10.0", "", ""}},
    {"views.detector_width", {"100.0", "", ""}},
    {"views.detector_height", {"300.0", "", ""}},
    {"views.detector_shift", {"[0.0, 50.0]", "--set views.detector_height=300", ""}},
    {"views.query_poses", {"4", "", ""}},
    {"film.energies", {"[80.0]", "", ""}},
    {"film.materials", {"\"all\"", "", ""}},
    {"film.photons", {"1000.0", "", ""}},
    {"film.kilovolts", {"[80.0]", "--set film.spectrum=tube", ""}},
    {"film.filtration", {"5.0", "--set film.spectrum=tube", ""}},
    {"film.scatter_width", {"15.0", "--set film.scatter=0.1 --set film.minimum=0.0", ""}},
    {"perturb.applies_to", {"", "--set perturb.noise=20", ""}},
    {"perturb.thin_shaft", {"60.0", "", ""}},
    {"perturb.thin_shaft_from", {"20.0", "--set perturb.thin_shaft=60", ""}},
    {"perturb.thin_shaft_to", {"80.0", "--set perturb.thin_shaft=60", ""}},
    {"perturb.thin_shaft_on", {"\"both\"", "--set perturb.thin_shaft=60", ""}},
    {"perturb.broken_end", {"40.0", "", ""}},
    {"perturb.broken_end_height", {"60.0", "--set perturb.broken_end=40", ""}},
    {"perturb.broken_end_towards", {"180.0", "--set perturb.broken_end=40", ""}},
    {"perturb.broken_end_shift", {"20.0", "", ""}},
    {"perturb.broken_end_on", {"\"ap\"", "--set perturb.broken_end=40", ""}},
    {"perturb.implant", {"\"plate\"", "--set perturb.implant_diameter=12", ""}},
    {"perturb.implant_diameter", {"14.0", "", ""}},
    {"perturb.implant_width", {"40.0", "--set perturb.implant=plate --set perturb.implant_diameter=12", ""}},
    {"perturb.implant_length", {"100.0", "--set perturb.implant_diameter=12", ""}},
    {"perturb.implant_height", {"30.0", "--set perturb.implant_diameter=12", ""}},
    {"perturb.implant_hounsfield", {"2000", "--set perturb.implant_diameter=12", ""}},
    {"perturb.noise", {"30.0", "", ""}},
    {"perturb.view_error", {"20.0", "", ""}},
    {"perturb.truncation", {"30.0", "", ""}},
    {"perturb.truncation_end", {"", "--set perturb.truncation=30", ""}},
    {"head.dimensions", {"16", "", ""}},
    {"head.whitening_shrinkage", {"0.5", "--set head.whitening=true", ""}},
    {"head.whitening_copies", {"2", "--set head.whitening=true --set augment.rotation=5", ""}},
    {"training.mining", {"\"batch_hard\"", "", ""}},
    {"training.frozen", {"[\"conv1\"]", "", ""}},
    {"training.epochs", {"1", "", ""}},
    {"training.precision", {"\"bf16\"", "", ""}},
    {"training.momentum", {"0.5", "", ""}},
    {"training.classes_per_batch", {"2", "", ""}},
    {"training.images_per_class", {"2", "", ""}},
    {"training.learning_rate", {"0.01", "", ""}},
    {"training.gradient_norm", {"0.001", "", ""}},
    {"control.poses", {"2", "", ""}},
    {"reconstruction.people", {"2", "", ""}},
    {"reconstruction.seed", {"", "--set reconstruction.people=1", ""}},
    {"split.seed", {"4", "", ""}},
    {"split.folds", {"2", "", ""}},
    {"split.training_scans", {"1", "", "render"}},
    {"split.subjects", {"[\"phantom-002\"]", "", ""}},
    {"split.held_out", {"2", "", ""}},
    {"split.validation", {"0.5", "", ""}},
    {"backbone.width", {"0.25", "", ""}},
    {"classifier.knn.k", {"3", "", ""}},
    {"classifier.knn.reject_above", {"0.05", "", ""}},
    {"source.seed", {"2", "", ""}},
    {"source.spacing", {"4.5", "", ""}},
    {"surface.triangles", {"4000", "", ""}},
    {"surface.tolerance", {"0.05", "--set surface.triangles=500", ""}},
};

/// Parameters whose effect this small run can't show, each with the reason and the place where it is tested.
const std::map<std::string, std::string> kElsewhere = {
    {"source.bones", "says how many bones, not what one is like; adding one is tested below"},
    {"xray.polarity", "acts on real X-rays, which phantoms have none of; tests/radiographs"},
    {"xray.bone_threshold", "acts on real X-rays; tests/radiographs"},
    {"xray.match", "acts on real X-rays; tests/radiographs"},
    {"xray.upright", "acts on real X-rays; tests/radiographs"},
    {"source.size", "a cat's femur is lost in this run's coarse voxels; tests/source_phantom"},
    {"source.acquisitions", "says how many scans, not what one is like"},
    {"surface.closing", "acts on gaps in the cortex, which the phantoms' coarse grid has none of; tests/surface"},
    {"surface.separation", "acts on bones that touch, and the phantoms' coarse ones do not; tests/surface"},
    {"surface.skip_cut", "acts on bones that the volume cuts; tests/surface"},
    {"film.focal_spot", "blurs far less than one of these coarse pixels; tests/imaging"},
    {"weights.key", "names a part of a file; tests/weights"},
    {"unknown.false_accept_rate", "changes the threshold, which no metric of this run tells; tests/evaluate"},
    {"unknown.groups", "as unknown.false_accept_rate; tests/evaluate"},
    {"reconstruction.told", "to methods that fit X-rays; tests/gallery"},
    {"augment.view_scale", "tests/training"},
    {"augment.scale", "as all of [augment], changes the weights: tests/training"},
    {"augment.rotation", "tests/training"},
    {"augment.gain", "tests/training"},
    {"augment.gamma", "tests/training"},
    {"augment.noise", "tests/training"},
    {"augment.occlusion", "tests/training"},
    {"training.batch_size", "for batches of triplets or images; tests/training"},
    {"training.curriculum", "goes with curriculum_epochs; tests/training"},
    {"training.curriculum_epochs", "goes with curriculum; tests/training"},
    {"training.step_epochs", "for a schedule of steps; tests/training"},
    {"training.step_factor", "for a schedule of steps; tests/training"},
    {"training.layer_rates", "one for each layer group; tests/training"},
    {"training.loss_rate", "for losses with weights of their own; tests/training"},
    {"training.patience", "ends longer trainings; tests/training"},
    {"training.keep", "chooses one of the epochs; tests/training"},
    {"training.workers", "changes nothing but the time, which tests/training holds it to"},
    {"training.threads", "may change the last bits only"},
    {"training.device", "the same where there is no GPU"},
    {"classifier.knn.search", "a small gallery is searched alike; tests/classifier"},
    {"classifier.knn.probes", "for search = \"faiss\"; tests/classifier"},
    {"classifier.knn.distance", "ranks unit rows alike; tests/classifier"},
    {"classifier.knn.weighting", "the vote of so few images may pick the same bone; tests/classifier"},
    {"slurm.partition", "all of [slurm] says where a point runs, not what comes out; tests/slurm"},
    {"slurm.account", "as slurm.partition"},
    {"slurm.qos", "as slurm.partition"},
    {"slurm.time", "as slurm.partition"},
    {"slurm.memory", "as slurm.partition"},
    {"slurm.cores", "as slurm.partition"},
    {"slurm.gpus", "as slurm.partition"},
    {"slurm.options", "as slurm.partition"},
    {"shape.nearest.k", "the vote of so few images may pick the same bone; tests/shape"},
    {"shape.nearest.vote", "the vote of so few images may pick the same bone; tests/shape"},
    {"metric.triplet_accuracy.triplets", "more than there are in this run; tests/metric_identity"},
    {"metric.shape_error.pictures", "one held-out bone has one picture"},
};

/// Distinct contents of all artifacts of a stage: a parameter that is read and ignored makes the same content again.
class Contents {
 public:
  explicit Contents(fs::path store) : store_(std::move(store)) {}

  std::size_t of(const std::string& stage) {
    for (const auto& entry : fs::recursive_directory_iterator(store_)) {
      if (entry.path().filename() != "manifest.json" || !read_.insert(entry.path()).second) continue;
      const auto manifest = nlohmann::json::parse(read(entry.path()));
      contents_[manifest.at("stage")].insert(manifest.at("digest").get<std::string>());
    }
    return contents_[stage].size();
  }

 private:
  fs::path store_;
  std::set<fs::path> read_;  ///< an artifact never changes: reading all of them after every run took minutes
  std::map<std::string, std::set<std::string>> contents_;
};

/// Runs of this process instead of a process each, which take a third of the time: the program itself is what the other
/// tests start.
class Runs {
 public:
  Runs() { ::setenv("OSTEON_STORE", store().c_str(), 1); }
  Runs(const Runs&) = delete;
  Runs& operator=(const Runs&) = delete;
  ~Runs() { ::unsetenv("OSTEON_STORE"); }

  [[nodiscard]] fs::path store() const { return place_.folder() / "store"; }

  /// The folder of the run of `words`, an experiment file and settings as for `osteon run`, and of one `setting` more.
  fs::path operator()(const std::string& words, const std::string& setting = "") const {
    pipeline::RunOptions options;
    std::istringstream all(words);
    all >> options.request.file;
    for (std::string word; all >> word;) {
      if (word == "--set") continue;
      std::erase(word, '\'');
      options.request.overrides.push_back(word);
    }
    if (!setting.empty()) options.request.overrides.push_back(setting);
    options.runs = place_.folder() / "runs";
    fs::remove_all(options.runs);
    testing::internal::CaptureStdout();
    std::string thrown;
    int code = 0;
    try {
      code = pipeline::run_experiment(options);
    } catch (const std::exception& e) {
      thrown = e.what();
    }
    const std::string out = testing::internal::GetCapturedStdout();
    EXPECT_EQ(thrown, "");
    EXPECT_EQ(code, 0) << out;
    return only_run(place_);
  }

 private:
  Workplace place_;
};

struct Change {
  std::string path, value, beside, first_stage;
};

std::vector<Change> changes() {
  host::Registry registry({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  std::vector<Change> list;
  const auto add = [&](const std::string& prefix, const std::string& kind, const Schema& schema) {
    for (const Parameter& p : schema.parameters) {
      const std::string path = prefix + "." + p.name;
      if (kElsewhere.contains(path) || p.type == Parameter::Type::path) continue;
      const auto special = kSpecial.find(path);
      std::string value =
          special != kSpecial.end() && !special->second.value.empty() ? special->second.value : other_value(p);
      const Special rule = special != kSpecial.end() ? special->second : Special{};
      list.push_back({path, value, rule.beside, rule.stage.empty() ? kFirstStage.at(kind) : rule.stage});
    }
  };
  for (const auto& [name, schema] : pipeline::sections()) add(name, name, schema);
  for (const auto& [kind, name] : std::vector<std::pair<std::string, std::string>>{{"source", "phantom"},
                                                                                   {"surface", "isosurface"},
                                                                                   {"renderer", "joseph"},
                                                                                   {"backbone", "resnet"},
                                                                                   {"loss", "triplet"}})
    add(kind, kind, registry.find(kind, name).schema);
  for (const auto& [kind, name] : std::vector<std::pair<std::string, std::string>>{{"classifier", "knn"},
                                                                                   {"shape", "nearest"},
                                                                                   {"metric", "triplet_accuracy"},
                                                                                   {"metric", "identification"},
                                                                                   {"metric", "shape_error"}})
    add(kind + "." + name, kind, registry.find(kind, name).schema);
  return list;
}

TEST(Parameters, EachChangesExactlyTheStagesThatDependOnIt) {
  const Runs run;
  Contents contents(run.store());
  const std::string profile = small_profile();
  std::set<std::string> starts;  // settings of the run that a change starts from
  for (const Change& change : changes()) {
    SCOPED_TRACE(change.path + " = " + change.value);
    ASSERT_NE(change.value, "") << "no other value known for " << change.path;
    if (starts.insert(change.beside).second) run(profile + " " + change.beside);
    const std::size_t before = contents.of(change.first_stage);
    const auto counts = stages(run(profile + " " + change.beside, change.path + "=" + change.value));
    bool after_first = false;
    for (const std::string& stage : kStages) {
      const bool first = stage == change.first_stage;
      after_first = after_first || first;
      EXPECT_TRUE(after_first || counts.at(stage).made == 0) << stage << " ran again";
      EXPECT_TRUE(!first || counts.at(stage).made > 0) << stage << " did not run again";
    }
    EXPECT_GT(contents.of(change.first_stage), before) << "the same came out again";
  }
}

TEST(Parameters, AddingABoneMakesOneBone) {
  const Workplace place;
  const std::string profile = small_profile();
  ASSERT_EQ(place.osteon("run " + profile).code, 0);
  std::string more = profile;
  more.replace(more.find("source.bones=4"), 14, "source.bones=5");
  ASSERT_EQ(place.osteon("run " + more + " --runs other").code, 0);
  fs::path run;
  for (const auto& entry : fs::directory_iterator(place.folder() / "other")) run = entry.path();
  for (const char* stage : {"source", "surface", "render"}) {
    EXPECT_EQ(stages(run).at(stage).made, 3) << stage;
    EXPECT_EQ(stages(run).at(stage).reused, 12) << stage;
  }
}

}  // namespace
}  // namespace osteon::test
