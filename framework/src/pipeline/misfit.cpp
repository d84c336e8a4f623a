#include "pipeline/misfit.hpp"

#include "imaging/silhouette.hpp"
#include "pipeline/stage_tools.hpp"
#include "pipeline/words.hpp"

#include <osteon/digest.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace osteon::pipeline {

namespace {

constexpr std::size_t kEnough = 12;   // pairs
constexpr double kFarOutside = 1.25;  // times the largest of the usual ones
constexpr double kSurelyAlike = 2;    // per cent of scale, which no two exposures of a patient agree in

/// What is brighter than an eighth of the bone's brightest parts: uint8 of the picture's size.
at::Tensor bright_part(const at::Tensor& picture, const at::Tensor& line_integrals) {
  constexpr double kSeen = 0.02, kPercentile = 0.95, kLevel = 0.12;
  const at::Tensor values =
      line_integrals.index_select(0, picture.reshape({-1}).to(at::kLong)).reshape(picture.sizes());
  const double black = values.min().item<double>(), range = values.max().item<double>() - black;
  const at::Tensor seen = std::get<0>(values.masked_select(values > black + kSeen * range).sort());
  if (seen.numel() == 0) return at::zeros(picture.sizes(), at::kByte);
  const double bone =
      seen[static_cast<std::int64_t>(kPercentile * static_cast<double>(seen.numel() - 1))].item<double>();
  return (values > black + kLevel * (bone - black)).to(at::kByte);
}

/// Between a picture's outline and that of the re-rendered bone.
double distance(const at::Tensor& picture, const at::Tensor& line_integrals, const Mesh& mesh,
                const Projection& exposure, const Parameters& views) {
  const at::Tensor bright = bright_part(picture, line_integrals);
  const at::Tensor shadow = imaging::silhouette(mesh, exposure, imaging::is_slot_scan(views));
  const double between = bright.ne(shadow).sum().item<double>();
  const double length = std::max(1.0, imaging::outline_of(bright).sum().item<double>());
  // At the detector, behind the bone, pixels are as many times larger as the source is farther.
  return between / length * norm(exposure.column_step) / (exposure.parallel ? 1 : 2);
}

/// How many times as large as told the exposure takes the bone.
double scale_of(const Projection& fitted, const Projection& told) {
  return norm(told.column_step) / norm(fitted.column_step);
}

at::Tensor as_tensor(const std::vector<Misfit>& misfits) {
  at::Tensor table = at::empty({std::ssize(misfits), 4}, at::kDouble);
  auto* value = table.data_ptr<double>();
  for (const Misfit& one : misfits)
    for (const double number : {one.residual, one.ap, one.ml, one.scale}) *value++ = number;
  return table;
}

std::vector<Misfit> from_tensor(const at::Tensor& table) {
  std::vector<Misfit> misfits;
  const auto* value = table.data_ptr<double>();
  for (std::int64_t i = 0; i < table.size(0); ++i, value += 4)
    misfits.push_back({value[0], value[1], value[2], value[3]});
  return misfits;
}

/// The held-out bones of one fold, after learning from the others. Fingerprints are the first fold's, whose network may
/// have trained on these bones: what fits a shape to X-rays makes nothing of them.
void add_fold(const RunImages& run, const ImageTable& images, const KnownShapes& known, const NamedShape& named,
              StageReport& report, std::vector<Misfit>& misfits) {
  const auto& [instance, shape] = named;
  const Parameters& views = run.run.experiment.sections.at("views");
  report.progress(0, 0, -1, instance + " learns, without the bones that it is tried on");
  shape.fit(known.gallery(images, run.fingerprints, [&](std::size_t b) { return !images.bones[b].held_out; }));
  for (std::size_t b = 0; b < images.bones.size(); ++b) {
    if (!images.bones[b].held_out) continue;
    const ShapeQuery all = known.query(images, run.fingerprints, b);
    for (std::int64_t q = 0; q < std::ssize(all.exposures); ++q) {
      throw_if_stopped();
      const ShapeQuery one = one_of(all, q);
      const ShapePrediction prediction = shape.predict(one);
      if (!prediction.exposures.empty()) misfits.push_back(misfit_of(one, prediction, views));
    }
  }
}

store::Ingredients ingredients_of(const RunImages& run, const NamedShape& named) {
  store::Ingredients ingredients{"misfit", run.run.experiment.title + ", " + named.first, named.second.ingredients()};
  for (const char* section : {"split", "views", "film"})
    merge(ingredients.parts, section_parts(run.run.experiment, section));
  ingredients.parts["revision"] = "1";
  Digest scans;
  for (const Scan& scan : run.cohort.scans) scans.add(scan.images.digest).add(scan.surface.digest);
  ingredients.parts["input.scans"] = scans.hex();
  return ingredients;
}

/// "1.37"
}  // namespace

Misfit misfit_of(const ShapeQuery& query, const ShapePrediction& prediction, const Parameters& views) {
  const PairExposures &told = query.exposures.front(), &fitted = prediction.exposures.front();
  const std::int64_t half = query.images.size(2) / 2;
  const auto of = [&](std::int64_t from, const Projection& exposure) {
    return distance(query.images[0].slice(1, from, from + half), query.line_integrals, prediction.mesh, exposure,
                    views);
  };
  const double ratio = scale_of(fitted.ap, told.ap) / scale_of(fitted.ml, told.ml);
  return {prediction.residual, of(0, fitted.ap), of(half, fitted.ml), 100 * std::abs(std::log(ratio))};
}

std::vector<Misfit> held_out_misfits(const RunImages& run, const KnownShapes& known, const NamedShape& shape) {
  StageReport report(run.run.reporters, "misfit", shape.first, 0, "X-ray pairs");
  const Stored stored = find_or_make(run.run, ingredients_of(run, shape), report, [&] {
    std::vector<Misfit> misfits;
    const std::int64_t folds = run.run.experiment.sections.at("split").integer("folds");
    for (std::int64_t fold = 0; fold < folds && misfits.size() < kEnough; ++fold) {
      const ImageTable images = fold == 0 ? run.images : load_images(run.run, run.cohort, fold);
      if (std::ranges::any_of(images.bones, &EvidenceBone::held_out))
        add_fold(run, images, known, shape, report, misfits);
    }
    store::Artifact artifact;
    artifact.tensors["misfits"] = as_tensor(misfits);
    return artifact;
  });
  const std::vector<Misfit> misfits = from_tensor(run.run.store.load(stored.key).tensors.at("misfits").contiguous());
  report.finish(text(misfits.size(), " X-ray pairs of bones that the method did not know"));
  return misfits;
}

std::vector<std::string> doubts_about(const Misfit& misfit, std::span<const Misfit> usual) {
  std::vector<std::string> doubts;
  const auto compare = [&](const std::string& what, const std::string& unit, double least, const auto& value_of) {
    double largest = 0;
    for (const Misfit& one : usual)
      if (const double value = value_of(one); value > largest) largest = value;
    const double value = value_of(misfit);
    if (usual.empty() || !(value > std::max(least, kFarOutside * largest))) return;
    doubts.push_back(text(what, fixed(value, 2), unit, ", and ", usual.size(), usual.size() == 1 ? " pair" : " pairs",
                          " of held-out bones had at most ", fixed(largest, 2), unit));
  };
  compare("the outlines lie too far apart: ", " mm", 0, [](const Misfit& m) { return m.outlines(); });
  compare("the residual is too large: ", " mm", 0, [](const Misfit& m) { return m.residual; });
  compare("AP and ML show bones of different size: ", " %", kSurelyAlike, [](const Misfit& m) { return m.scale; });
  return doubts;
}

}  // namespace osteon::pipeline
