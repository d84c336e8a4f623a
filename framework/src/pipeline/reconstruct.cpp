#include "pipeline/reconstruct.hpp"

#include "config/document.hpp"
#include "pipeline/words.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <ATen/Functions.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;

/// A figure of a run's metrics.json.
struct Measured {
  double rms = std::numeric_limits<double>::infinity();  ///< mm
  std::string words;
};

/// What the run measured of a method on bones that it held out; from one pair of X-rays where it says that.
Measured measured_of(const fs::path& run, const std::string& method) {
  if (!fs::exists(run / "metrics.json")) return {};
  const auto all = nlohmann::json::parse(read_file(run / "metrics.json"), nullptr, false);
  if (!all.is_object() || !all.contains("values")) return {};
  Measured result;
  for (const std::string& row : {method + ", one pair", method})
    for (const auto& value : all.at("values")) {
      const auto word = [&](const char* name) { return value.value(name, std::string()); };
      if (word("row") != row || word("column") != "RMS" || word("unit") != "mm" ||
          !word("table").starts_with("shape") || !value.contains("value") || !value.at("value").is_number())
        continue;
      result.rms = value.at("value");
      result.words = text(fixed(result.rms, 2), " mm RMS over ", value.value("count", 0), " ", word("counted"),
                          " that the run held out", row == method ? "" : ", each from one pair");
      if (const auto between = value.find("interval"); between != value.end() && between->is_array())
        result.words += text(" (95 %: ", fixed(between->at(0), 2), " to ", fixed(between->at(1), 2), ")");
      return result;
    }
  return result;
}

/// The run's shape methods, or the one that is named.
std::vector<const config::PluginChoice*> methods_of(const RunContext& run, const ReconstructionOptions& options) {
  std::vector<const config::PluginChoice*> methods = run.experiment.all("shape");
  if (methods.empty())
    throw Error(
        text(options.run.string(),
             ": its experiment has no shape method; add one that fits X-rays, as [shape.NAME], and run it again"));
  if (options.shape.empty()) {
    std::ranges::stable_sort(methods, {}, [&](const auto* one) { return measured_of(options.run, one->instance).rms; });
    return methods;
  }
  std::vector<std::string> names;
  for (const auto* one : methods) {
    if (one->instance == options.shape) return {one};
    names.push_back(one->instance);
  }
  throw Error(text("--shape ", options.shape, ": the run has ", config::join(names, ", ")));
}

void require_scale(const Query& query) {
  if (query.pixel_spacing > 0 && query.ml_pixel_spacing > 0) return;
  throw Error(
      "the X-rays have no scale, and a surface is in millimetres: give both radiographs with --spacing, mm between "
      "pixels at the bone, or with --marker, the ends and the length of a marker");
}

void require_writable(host::Registry& registry, const fs::path& mesh) {
  if (!format_of(registry, mesh))
    throw Error(text("--mesh ", mesh.string(), ": no format is known by this ending; .stl is one"));
}

/// All that a pair is asked with.
struct Asked {
  const Model& model;
  const Parameters& views;
  at::Tensor line_integrals;
  double scale_error;  ///< relative

  [[nodiscard]] ShapeQuery operator()(const at::Tensor& montage, double ap_spacing, double ml_spacing) const {
    const PairExposures told{told_pair(ap_spacing, views).ap, told_pair(ml_spacing, views).ml};
    return {model.fingerprint(montage).unsqueeze(0).contiguous(),
            montage.unsqueeze(0).contiguous(),
            {told},
            line_integrals,
            scale_error};
  }
};

at::Tensor halves(const at::Tensor& montage, bool swap, std::vector<std::int64_t> flipped) {
  const std::int64_t half = montage.size(1) / 2;
  at::Tensor left = montage.slice(1, 0, half), right = montage.slice(1, half, 2 * half);
  if (swap) std::swap(left, right);
  return at::cat({left.flip(flipped), right.flip(flipped)}, 1).contiguous();
}

/// Whether the method agrees better with the X-rays when they are taken for something else than what was said.
void add_mistakes(const Asked& asked, const NamedShape& named, Reconstruction& result) {
  constexpr double kMuchBetter = 0.75;
  const Query& query = result.query;
  const struct {
    const char* words;
    bool swap;
    std::vector<std::int64_t> flipped;
  } mistakes[] = {
      {"the X-rays fit better with AP and ML swapped", true, {}},
      {"the X-rays fit better mirrored, as pictures of a bone of the other side do: is --side right?", false, {1}},
      {"the X-rays fit better upside down", false, {0, 1}}};
  for (const auto& [words, swap, flipped] : mistakes) try {
      const ShapeQuery other =
          asked(halves(query.montage, swap, flipped), swap ? query.ml_pixel_spacing : query.pixel_spacing,
                swap ? query.pixel_spacing : query.ml_pixel_spacing);
      const Misfit misfit = misfit_of(other, named.second.predict(other), asked.views);
      const double now = result.misfit.ap + result.misfit.ml, then = misfit.ap + misfit.ml;
      if (then < kMuchBetter * now)
        result.doubts.push_back(
            text(words, " (outlines ", fixed(then / 2, 2), " mm apart instead of ", fixed(now / 2, 2), ")"));
    } catch (const Error& e) {
      if (e.cause() == Error::Cause::failure) throw;  // else the outlines have nothing in common with a bone's
    }
}

/// Lets one method learn from all bones of the run and predicts; nothing when it fits no X-rays.
bool tried(const RunImages& run, const KnownShapes& known, const NamedShape& named, const Asked& asked,
           Reconstruction& result) {
  const ShapeQuery query = asked(result.query.montage, result.query.pixel_spacing, result.query.ml_pixel_spacing);
  StageReport report(run.run.reporters, "reconstruct", named.first, 0, "");
  const ShapeGallery gallery = known.gallery(run.images, run.fingerprints, [](std::size_t) { return true; });
  report.progress(0, 0, -1, text("learns from ", gallery.meshes.size(), " bones"));
  named.second.fit(gallery);
  result.method = named.first;
  result.prediction = named.second.predict(query);
  if (result.prediction.exposures.empty()) {
    report.finish("fits no X-rays");
    return false;
  }
  result.misfit = misfit_of(query, result.prediction, asked.views);
  add_mistakes(asked, named, result);
  report.finish(text("learnt from ", gallery.meshes.size(), " bones, ", gallery.exposures.size(), " X-ray pairs"));
  result.lines.push_back(text("method     ", named.first, " · learnt from ", gallery.meshes.size(), " bones and ",
                              gallery.exposures.size(), " X-ray pairs"));
  result.usual = held_out_misfits(run, known, named);
  for (std::string& doubt : doubts_about(result.misfit, result.usual)) result.doubts.push_back(std::move(doubt));
  return true;
}

Mesh on_its_side(const Mesh& mesh, Side side) {
  // In the bone's own frame x is medial, which a right bone's patient has to the left.
  const double left = side == Side::left ? -1 : 1;
  const Mat3 axes{{{left, 0, 0}, {0, -1, 0}, {0, 0, 1}}};
  const Vec3 centre = open_edges(mesh) == 0 ? solid_centroid(mesh) : Vec3{};
  return transformed(mesh, {axes, -(axes * centre)});
}

}  // namespace

Reconstruction reconstruct(const ReconstructionOptions& options) {
  const FinishedRun finished(options.run, options.plugin_folders);
  const RunContext& run = finished.run();
  const auto methods = methods_of(run, options);
  require_writable(run.registry, options.mesh);
  const Model model(options.run, finished.network(), run.registry);
  Reconstruction result;
  result.query = model.read(options.files);
  require_scale(result.query);
  result.side = options.files.pair.side;
  result.notices = result.query.notices;
  result.lines = result.query.lines;
  result.lines.push_back(text("run        ", options.run.string(), " · network ", model.pack().network.substr(0, 12)));

  const RunImages images = finished.load();
  if (!images.cohort.has_volumes())
    throw Error(
        text(options.run.string(), ": its bones are pairs of radiographs, without surfaces to learn shapes from"));
  const KnownShapes known(run, images.cohort, images.images);
  const Parameters& views = run.experiment.sections.at("views");
  const Asked asked{model, views, grey_values(run.experiment.sections.at("film")), options.scale_error / 100};
  result.slot_scan = imaging::is_slot_scan(views);
  for (const config::PluginChoice* choice : methods) {
    const NamedShape named(choice->instance,
                           host::ShapeHandle(run.registry.find("shape", choice->plugin), choice->parameters));
    if (!tried(images, known, named, asked, result)) continue;
    if (std::string words = measured_of(options.run, choice->instance).words; !words.empty())
      result.measured.push_back(std::move(words));
    return result;
  }
  throw Error(text(options.shape.empty() ? options.run.string() + ": its shape methods pick"
                                         : "--shape " + options.shape + ": this method picks",
                   " a known bone and fit", options.shape.empty() ? "" : "s",
                   " none to the X-rays, so there is neither an error to tell nor an outline to show; name a method "
                   "that fits a shape, or add one to the experiment and run it again"));
}

std::int64_t write_bone(const Reconstruction& reconstruction, const ReconstructionOptions& options) {
  host::Registry registry(host::Registry::search_path(options.plugin_folders));
  const Mesh bone = on_its_side(reconstruction.prediction.mesh, reconstruction.side);
  format_of(registry, options.mesh)->write_mesh(bone, options.mesh);
  return bone.triangles.size(0);
}

std::vector<std::string> told(const Reconstruction& reconstruction) {
  std::vector<std::string> lines = reconstruction.lines;
  const Misfit& misfit = reconstruction.misfit;
  const auto range = [&](const auto& value_of) {
    if (reconstruction.usual.empty()) return std::string(" · the run held nobody out to compare it with");
    const auto [least, largest] =
        std::minmax_element(reconstruction.usual.begin(), reconstruction.usual.end(),
                            [&](const Misfit& a, const Misfit& b) { return value_of(a) < value_of(b); });
    return text(" · held-out bones ", fixed(value_of(*least), 2), " to ", fixed(value_of(*largest), 2), " (",
                reconstruction.usual.size(), reconstruction.usual.size() == 1 ? " pair)" : " pairs)");
  };
  if (std::isfinite(misfit.residual))
    lines.push_back(text("residual   ", fixed(misfit.residual, 2), " mm RMS, as the method fits the outlines",
                         range([](const Misfit& m) { return m.residual; })));
  lines.push_back(text("outlines   AP ", fixed(misfit.ap, 2), ", ML ", fixed(misfit.ml, 2),
                       " mm apart, the bone's from the X-ray's", range([](const Misfit& m) { return m.outlines(); })));
  const double expected = reconstruction.prediction.expected_error;
  lines.push_back(std::isfinite(expected)
                      ? text("expected   ", fixed(expected, 2), " mm RMS of the surface, says the method")
                      : std::string("expected   the method does not say how far the surface may be off"));
  for (const std::string& words : reconstruction.measured) lines.push_back("measured   " + words);
  if (reconstruction.measured.empty())
    lines.emplace_back("measured   nothing: the run kept no error of this method on held-out bones");
  lines.push_back(text("side       ", reconstruction.side == Side::left ? "left" : "right",
                       reconstruction.side == Side::unknown ? ", because no --side was given" : ""));
  lines.emplace_back(
      "frame      x to the patient's left, y to the back, z along the bone to its proximal end, from its centroid; mm");
  for (const std::string& doubt : reconstruction.doubts) lines.push_back("WARNING    " + doubt);
  if (!reconstruction.doubts.empty())
    lines.emplace_back("WARNING    do not trust this surface before the picture has been looked at");
  for (const std::string& notice : reconstruction.notices) lines.push_back("note       " + notice);
  return lines;
}

}  // namespace osteon::pipeline
