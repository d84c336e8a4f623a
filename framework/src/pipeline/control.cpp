#include "pipeline/control.hpp"

#include "imaging/without_bone.hpp"
#include "pipeline/network_input.hpp"
#include "pipeline/split.hpp"
#include "pipeline/stage_tools.hpp"

#include "host/stop.hpp"
#include "training/runtime.hpp"

#include <osteon/digest.hpp>
#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <cstdio>

namespace osteon::pipeline {

namespace {

using nlohmann::json;

/// Evenly spaced poses of the gallery's grid, the same for every scan: where nothing but the bone differs, like is
/// compared with like.
std::vector<imaging::Pose> control_poses(const Parameters& views, std::int64_t count) {
  const auto all = imaging::gallery_poses(views);
  const auto total = static_cast<std::int64_t>(all.size());
  std::vector<imaging::Pose> poses;
  for (std::int64_t i = 0; i < std::min(count, total); ++i)
    poses.push_back(all[static_cast<std::size_t>((2 * i + 1) * total / (2 * std::min(count, total)))]);
  return poses;
}

bool is_air(const Volume& volume) { return volume.hounsfield.max().item<std::int16_t>() <= -1000; }

/// One scan without its bone. Where the bone was all that there was, the X-rays are black.
ImageSet render_without_bone(const RunContext& run, const host::RendererHandle& renderer, const Scan& scan,
                             std::span<const imaging::Pose> poses, const Parameters& film) {
  const Parameters& views = run.experiment.sections.at("views");
  const BoneSurface surface = bone_surface_from(run.store.load(scan.surface.key));
  const Volume volume = imaging::without_bone(acquisition_from(run.store.load(scan.volume.key)).volume, surface.mesh);
  if (!is_air(volume)) return imaging::render(renderer, volume, surface.frame, poses, views, film, {});
  const std::int64_t height = views.integer("height");
  return {at::zeros({std::ssize(poses), height, height / 2 * 2}, at::kByte),
          std::vector<ImageRow>(poses.size(), ImageRow{})};
}

/// The X-rays without bones of all scans, `poses` each, in the order of the scans.
training::Pixels images_without_bones(const RunContext& run, const Cohort& cohort, std::int64_t count, Digest& digest,
                                      StageReport& report) {
  const Renderers renderers(run);
  const Parameters film = imaging::first_energy(run.experiment.sections.at("film"));
  const auto poses = control_poses(run.experiment.sections.at("views"), count);
  std::vector<at::Tensor> pixels;
  for (const Scan& scan : cohort.scans) {
    throw_if_stopped();
    const SpecimenInfo& specimen = cohort.specimens[scan.specimen];
    const host::RendererHandle& renderer =
        renderers.of(is_gallery_scan(run.experiment.sections.at("split"), specimen, scan.acquisition));
    store::Ingredients ingredients{"control", text(specimen.id, ", acquisition ", scan.acquisition + 1),
                                   renderer.ingredients()};
    for (const char* section : {"crop", "views", "film", "control"})
      merge(ingredients.parts, section_parts(run.experiment, section));
    ingredients.parts["revision"] = "1";
    ingredients.parts["input.volume"] = scan.volume.digest;
    ingredients.parts["input.surface"] = scan.surface.digest;
    const Stored stored = find_or_make(
        run, ingredients, report, [&] { return to_artifact(render_without_bone(run, renderer, scan, poses, film)); });
    digest.add(stored.digest);
    pixels.push_back(image_set_from(run.store.load(stored.key)).pixels);
    report.progress(std::ssize(pixels));
  }
  return training::Pixels(std::move(pixels));
}

/// By nearest neighbour: which bone's gallery scans the vectors of each query scan are closest to.
std::vector<std::vector<double>> nearest_answers(const RunContext& run, const Cohort& cohort, const ImageTable& images,
                                                 const at::Tensor& vectors) {
  const Parameters& split = run.experiment.sections.at("split");
  std::map<std::size_t, std::int64_t> bone_of_specimen;
  for (std::size_t b = 0; b < images.specimen.size(); ++b)
    bone_of_specimen[images.specimen[b]] = static_cast<std::int64_t>(b);
  const std::int64_t per_scan = vectors.size(0) / std::ssize(cohort.scans);
  std::vector<std::int64_t> gallery, queries, bone;
  for (const Scan& scan : cohort.scans) {
    const bool in_gallery = is_gallery_scan(split, cohort.specimens[scan.specimen], scan.acquisition);
    for (std::int64_t n = 0; n < per_scan; ++n) {
      (in_gallery ? gallery : queries).push_back(std::ssize(bone));
      bone.push_back(bone_of_specimen.at(scan.specimen));
    }
  }
  std::vector<std::vector<double>> answers(images.bones.size(), std::vector<double>(images.bones.size(), 0));
  const at::Tensor known = vectors.index_select(0, at::tensor(gallery, at::kLong));
  std::vector<double> total(images.bones.size(), 0);
  for (const std::int64_t query : queries) ++total[static_cast<std::size_t>(bone[static_cast<std::size_t>(query)])];
  for (const std::int64_t query : queries) {
    const auto nearest = (known - vectors[query]).square().sum(1).argmin().item<std::int64_t>();
    const auto truth = static_cast<std::size_t>(bone[static_cast<std::size_t>(query)]);
    const std::int64_t answer = bone[static_cast<std::size_t>(gallery[static_cast<std::size_t>(nearest)])];
    answers[truth][static_cast<std::size_t>(answer)] += 1 / total[truth];
  }
  return answers;
}

ControlFigure figure(const std::string& method, const std::vector<std::vector<double>>& answers, std::uint64_t seed) {
  ControlFigure result{method, 0, 0, permutation_probability(answers, seed)};
  for (std::size_t b = 0; b < answers.size(); ++b) {
    result.recognised += answers[b][b];
    for (const double share : answers[b]) {
      if (share == 0) continue;
      ++result.bones;
      break;
    }
  }
  return result;
}

json figures_json(const std::vector<ControlFigure>& figures) {
  json list = json::array();
  for (const ControlFigure& f : figures) list.push_back({f.method, f.recognised, f.bones, f.probability});
  return list;
}

std::string described(const ControlFigure& f) {
  char probability[32];
  std::snprintf(probability, sizeof probability, "%.4f", f.probability);
  char recognised[32];
  std::snprintf(recognised, sizeof recognised, "%.2f", f.recognised);
  return text(recognised, " of ", f.bones, " (p = ", probability, ")");
}

}  // namespace

Schema control_schema() {
  return {"A control: each scan X-rayed with its bone taken out. Identification beyond chance there fails the run.",
          {Parameter::integer("poses", 4, "Poses of each scan without its bone; 0 turns the control off.")
               .at_least(0)
               .at_most(1000)}};
}

double permutation_probability(const std::vector<std::vector<double>>& answers, std::uint64_t seed) {
  constexpr int kPermutations = 9999;
  const auto score = [&](const std::vector<std::int64_t>& order) {
    double sum = 0;
    for (std::size_t b = 0; b < order.size(); ++b) sum += answers[b][static_cast<std::size_t>(order[b])];
    return sum;
  };
  double right = 0;
  for (std::size_t b = 0; b < answers.size(); ++b) right += answers[b][b];
  Random random(seed, "control permutations");
  int as_high = 1;
  for (int i = 0; i < kPermutations; ++i)
    as_high += score(random.permutation(std::ssize(answers))) >= right - 1e-9 ? 1 : 0;
  return static_cast<double>(as_high) / (kPermutations + 1);
}

std::vector<ControlFigure> run_control(const RunContext& run, const Cohort& cohort, const ImageTable& images,
                                       const TrainedModel& model, Records& records) {
  const std::int64_t poses = run.experiment.sections.at("control").integer("poses");
  // A bone can't be taken out of a picture.
  if (poses == 0 || images.queries_share_volume || !cohort.has_volumes()) return {};
  const Parameters& training = run.experiment.sections.at("training");
  const auto seed = static_cast<std::uint64_t>(run.experiment.sections.at("split").integer("seed"));

  StageReport report(run.reporters, "control", "", std::ssize(cohort.scans), "volumes without their bone");
  Digest digest;
  const training::Pixels pixels = images_without_bones(run, cohort, poses, digest, report);
  store::Ingredients ingredients{"control", run.experiment.title, section_parts(run.experiment, "split")};
  ingredients.parts["revision"] = "1";
  ingredients.parts["input.images"] = digest.hex();
  ingredients.parts["input.network"] = model.stored.digest;
  merge(ingredients.parts, network_input_parts(training));
  ingredients.parts["training.precision"] = training::resolved_precision(training);
  const Stored stored = find_or_make(run, ingredients, report, [&] {
    const NetworkInput seen = network_input_of(training);
    const training::Pixels input =
        is_as_rendered(seen) ? pixels : training::Pixels(as_seen(pixels.gather(training::every_row(pixels)), seen));
    const at::Tensor fingerprints = training::embed(*model.network, input, training::every_row(input), training, {});
    store::Artifact artifact;
    artifact.facts["figures"] = figures_json(
        {figure("fingerprint", nearest_answers(run, cohort, images, fingerprints), seed),
         figure("raw pixels", nearest_answers(run, cohort, images, raw_pixels(pixels, {false, seen.planes})), seed)});
    return artifact;
  });
  std::vector<ControlFigure> figures;
  const store::Artifact artifact = run.store.load(stored.key);
  for (const json& f : artifact.facts.at("figures")) figures.push_back({f[0], f[1], f[2], f[3]});
  std::string detail = "recognised without bones:";
  for (const ControlFigure& f : figures) detail += text(" ", f.method, " ", described(f));
  finish(report, records, detail);
  return figures;
}

std::vector<MetricValue> control_table(std::span<const ControlFigure> figures) {
  std::vector<MetricValue> rows;
  for (const ControlFigure& f : figures) {
    MetricValue value;
    value.table = "control: the bone taken out of the X-rays, rank-1";
    value.row = f.method;
    value.column = "all bones";
    value.value = f.recognised;
    value.unit = text("of ", f.bones);
    value.is_baseline = true;
    value.count = f.bones;
    value.counted = "bones";
    char note[96];
    std::snprintf(note, sizeof note, "p = %.4f by chance; a leak below %.3f", f.probability, kLeakProbability);
    value.note = note;
    rows.push_back(value);
  }
  return rows;
}

void require_no_leak(std::span<const ControlFigure> figures) {
  for (const ControlFigure& f : figures)
    if (f.probability < kLeakProbability)
      throw failure(
          text("the control found a leak: with every bone taken out of its X-rays, ", f.method, " still recognised ",
               described(f),
               ", beyond chance. Something that is no bone gives the bones away (soft tissue, neighbours, "
               "the edge of the scan), so the identity figures above are no evidence. Give each acquisition its own "
               "surroundings, narrow film.minimum … film.maximum to bone, or mask the surroundings."));
}

}  // namespace osteon::pipeline
