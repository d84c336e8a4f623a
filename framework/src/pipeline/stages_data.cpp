// source → surface → render: one artifact per scan and stage, so that adding a bone makes one bone.

#include "imaging/radiograph.hpp"
#include "pipeline/split.hpp"
#include "pipeline/stage_tools.hpp"

#include "host/stop.hpp"

#include <osteon/digest.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <map>
#include <set>

namespace osteon::pipeline {

namespace {

std::string label(const SpecimenInfo& specimen, int acquisition) {
  return text(specimen.id, ", acquisition ", acquisition + 1);
}

/// A reason without the folders of the files that it names: theirs may be the names of patients.
std::string without_folders(const std::string& reason) {
  std::string result;
  for (std::size_t i = 0; i < reason.size();) {
    const std::size_t end = std::min(reason.find_first_of(" \n\"", i), reason.size());
    const std::string word = reason.substr(i, end - i);
    const auto slash = word.find_last_of('/', word.size() > 1 ? word.size() - 2 : 0);
    const bool is_path = word.starts_with('/') || word.starts_with("./") || word.starts_with("../");
    result += is_path && slash != std::string::npos ? word.substr(slash + 1) : word;
    if (end < reason.size()) result += reason[end];
    i = end + 1;
  }
  return result;
}

/// Runs `body` for each scan. A specimen whose plugin call fails is reported, left out with all its scans, and the run
/// goes on; what concerns the machine (a full disk) ends the run.
void for_each_scan(const RunContext& run, Cohort& cohort, StageReport& report, const std::function<void(Scan&)>& body) {
  std::set<std::size_t> failed;
  std::string first_reason;
  std::int64_t done = 0;
  for (Scan& scan : cohort.scans) {
    throw_if_stopped();
    if (!failed.contains(scan.specimen)) try {
        body(scan);
      } catch (const Error& e) {
        if (e.cause() == Error::Cause::failure) throw;
        failed.insert(scan.specimen);
        const std::string reason = without_folders(e.what());
        if (first_reason.empty()) first_reason = reason;
        cohort.left_out.push_back({cohort.specimens[scan.specimen].id, report.stage(), reason});
        run.reporters(cohort.left_out.back());
      }
    report.progress(++done);
  }
  std::erase_if(cohort.scans, [&](const Scan& scan) { return failed.contains(scan.specimen); });
  if (cohort.scans.empty())
    throw Error(
        text("no specimen is left after stage ", report.stage(), "; the first one failed because: ", first_reason));
}

std::uint64_t stream_of(const std::string& digest) { return std::stoull(digest.substr(0, 15), nullptr, 16); }

/// Names the random poses and splits of a scan by its voxels or pixels: the same CT gives the same images, whichever
/// source it came from and whatever its specimen is called.
std::string voxel_digest(const Acquisition& acquisition) {
  Digest digest;
  const auto add = [&](const at::Tensor& values) {
    const auto* bytes = static_cast<const std::byte*>(values.data_ptr());
    digest.add(std::span(bytes, static_cast<std::size_t>(values.numel()) * values.element_size()));
  };
  if (acquisition.radiographs) {
    add(acquisition.radiographs->ap.intensity);
    add(acquisition.radiographs->ml.intensity);
  } else {
    add(acquisition.volume.hounsfield);
  }
  return digest.hex();
}

/// The images of a pair of radiographs: its montage at the in-plane angles of the experiment's poses.
ImageSet images_of_radiographs(const RunContext& run, const RadiographPair& pair, const SpecimenInfo& specimen,
                               std::span<const imaging::Pose> poses) {
  const auto& sections = run.experiment.sections;
  const auto prepared = [&](const Radiograph& radiograph, const char* name) {
    return imaging::PreparedRadiograph(radiograph, {}, specimen.side, name, sections.at("views"), sections.at("film"),
                                       sections.at("xray"));
  };
  return imaging::expose_pair(prepared(pair.ap, "the AP radiograph"), prepared(pair.ml, "the ML radiograph"), poses,
                              sections.at("views"));
}

std::size_t bones_of(const Cohort& cohort) {
  std::set<std::size_t> bones;
  for (const Scan& scan : cohort.scans) bones.insert(scan.specimen);
  return bones.size();
}

/// What the source wants a person to know: of the whole, then of its volumes, the same words once with all they
/// concern.
void tell_notices(const RunContext& run, const Cohort& cohort) {
  for (const std::string& notice : cohort.notices) run.reporters(Notice{"source: " + notice});
  std::vector<std::pair<std::string, std::vector<std::string>>> told;  // words → scans, in order of appearance
  for (const Scan& scan : cohort.scans) {
    const nlohmann::json facts = run.store.facts(scan.volume.key);
    if (!facts.contains("notices")) continue;
    for (const std::string words : facts.at("notices")) {
      auto same = std::ranges::find(told, words, &std::pair<std::string, std::vector<std::string>>::first);
      if (same == told.end()) same = told.insert(told.end(), {words, {}});
      same->second.push_back(label(cohort.specimens[scan.specimen], scan.acquisition));
    }
  }
  for (const auto& [words, scans] : told)
    run.reporters(
        Notice{text(scans.front(), scans.size() > 1 ? text(" and ", scans.size() - 1, " more") : "", ": ", words)});
}

bool is_perturbed_scan(const Parameters& perturb, bool gallery) {
  return imaging::is_perturbed(perturb) && (!gallery || perturb.text("applies_to") == "all");
}

void require_perturbed_scan(const Cohort& cohort, const Parameters& split, const Parameters& perturb) {
  const auto is_changed = [&](const Scan& scan) {
    return is_perturbed_scan(perturb, is_gallery_scan(split, cohort.specimens[scan.specimen], scan.acquisition));
  };
  if (imaging::is_perturbed(perturb) && std::ranges::none_of(cohort.scans, is_changed))
    throw Error(
        "[perturb] is to change the scans that are asked about, and there are none: each bone has one acquisition, "
        "which is the gallery's. Use source.acquisitions = 2 or more, or perturb.applies_to = \"all\"");
}

/// Which scans are perturbed shows in which keys hold these parts; a scan's images don't depend on the others'.
std::map<std::string, std::string> perturb_parts(const config::Experiment& experiment) {
  auto parts = section_parts(experiment, "perturb");
  parts.erase("perturb.applies_to");
  parts["perturb revision"] = "1";
  return parts;
}

}  // namespace

bool Cohort::has_volumes() const { return std::ranges::all_of(scans, &Scan::has_volume); }

std::vector<const Scan*> Cohort::of_acquisition(int acquisition) const {
  std::vector<const Scan*> result;
  for (const Scan& scan : scans)
    if (scan.acquisition == acquisition) result.push_back(&scan);
  return result;
}

void require_distinct_people(std::span<const SpecimenInfo> specimens, std::span<const Scan> scans) {
  std::map<std::string, const SpecimenInfo*> first;
  for (const Scan& scan : scans) {
    const SpecimenInfo& one = specimens[scan.specimen];
    if (scan.files.empty()) continue;
    const SpecimenInfo& other = *first.try_emplace(scan.files, &one).first->second;
    if (other.subject != one.subject)
      throw Error(text("source: ", other.id, " and ", one.id,
                       " are made of the same files, but are called two people (", other.subject, ", ", one.subject,
                       "): what is held out of the training would be trained on. Leave one of them out, or call both "
                       "the same person"));
  }
}

Cohort list_scans(const RunContext& run) {
  auto source = make_handle<host::SourceHandle>(run, "source");
  source.keep_secret(run.store.salt());
  Cohort cohort;
  cohort.specimens = source.specimens();
  cohort.notices = source.notices();
  for (std::size_t s = 0; s < cohort.specimens.size(); ++s)
    for (int a = 0; a < cohort.specimens[s].acquisitions; ++a) cohort.scans.push_back({s, a, {}, {}, {}, {}, {}});
  return cohort;
}

std::string listing_digest(const Cohort& cohort) {
  Digest digest;
  for (const Scan& scan : cohort.scans) {
    const SpecimenInfo& specimen = cohort.specimens[scan.specimen];
    digest.add(text(specimen.id, "\n", specimen.subject, "\n", to_text(specimen.side), "\n", specimen.acquisitions,
                    "\n", scan.acquisition, "\n", scan.files, "\n"));
  }
  return digest.hex();
}

Cohort make_volumes(const RunContext& run, Records& records) {
  Cohort cohort = list_scans(run);
  make_volumes(run, cohort, records);
  return cohort;
}

void make_volumes(const RunContext& run, Cohort& cohort, Records& records) {
  const auto source = make_handle<host::SourceHandle>(run, "source");
  source.keep_secret(run.store.salt());
  StageReport report(run.reporters, "source", source.name(), static_cast<std::int64_t>(cohort.scans.size()), "volumes");
  for_each_scan(run, cohort, report, [&](Scan& scan) {
    const SpecimenInfo& specimen = cohort.specimens[scan.specimen];
    store::Ingredients ingredients{"source", label(specimen, scan.acquisition), source.ingredients()};
    ingredients.parts["revision"] = "1";
    ingredients.parts["specimen"] = specimen.id;
    ingredients.parts["acquisition"] = std::to_string(scan.acquisition);
    scan.files = source.content_digest(specimen, scan.acquisition);
    ingredients.parts["input.files"] = scan.files;
    scan.volume = find_or_make(run, ingredients, report, [&] {
      const Acquisition acquisition = source.acquire(specimen, scan.acquisition);
      store::Artifact artifact = to_artifact(acquisition);
      artifact.facts["voxels"] = voxel_digest(acquisition);
      return artifact;
    });
    // What is not made yet is taken for a volume, as nearly all are.
    if (!run.looks_only || run.store.contains(scan.volume.key))
      scan.has_volume = !run.store.facts(scan.volume.key).contains("pair");
  });
  require_distinct_people(cohort.specimens, cohort.scans);
  finish(report, records,
         text(cohort.scans.size(), cohort.has_volumes() ? " volumes of " : " scans of ", bones_of(cohort), " bones"));
  if (!run.looks_only) tell_notices(run, cohort);
}

void make_surfaces(const RunContext& run, Cohort& cohort, Records& records) {
  const auto without = std::ranges::count_if(cohort.scans, [](const Scan& scan) { return !scan.has_volume; });
  if (without > 0)
    run.reporters(Notice{text(without,
                              " pairs of radiographs have no volume: no surfaces, so no row by bone length, no "
                              "shapes, and no control with the bone taken out")});
  if (without == std::ssize(cohort.scans)) return;
  const auto surface = make_handle<host::SurfaceHandle>(run, "surface");
  StageReport report(run.reporters, "surface", surface.name(), static_cast<std::int64_t>(cohort.scans.size()),
                     "meshes");
  for_each_scan(run, cohort, report, [&](Scan& scan) {
    if (!scan.has_volume) return;
    const SpecimenInfo& specimen = cohort.specimens[scan.specimen];
    store::Ingredients ingredients{"surface", label(specimen, scan.acquisition), surface.ingredients()};
    ingredients.parts["revision"] = "2";
    ingredients.parts["side"] = to_text(specimen.side);
    ingredients.parts["input.volume"] = scan.volume.digest;
    scan.surface = find_or_make(run, ingredients, report, [&] {
      const Acquisition acquisition = acquisition_from(run.store.load(scan.volume.key));
      const Mesh mesh = surface.extract(acquisition.volume, acquisition.bone_mask);
      const imaging::BoneFrame frame = imaging::find_bone_frame(mesh, specimen.side);
      if (frame.side_by_shape != Side::unknown && frame.side != frame.side_by_shape)
        run.reporters(Notice{text(label(specimen, scan.acquisition), ": the bone is called a ", to_text(frame.side),
                                  " one, but its head and condyles are a ", to_text(frame.side_by_shape),
                                  " femur's; is the volume mirrored or the name wrong?")});
      return to_artifact(BoneSurface{mesh, frame});
    });
  });
  finish(report, records, text(cohort.scans.size(), " meshes"));
}

RenderTime make_images(const RunContext& run, Cohort& cohort, Records& records) {
  const Renderers renderers(run);
  const Parameters& views = run.experiment.sections.at("views");
  const Parameters& film = run.experiment.sections.at("film");
  const Parameters& split = run.experiment.sections.at("split");
  const Parameters& perturb = run.experiment.sections.at("perturb");
  require_perturbed_scan(cohort, split, perturb);
  StageReport report(run.reporters, "render", renderers.names(), static_cast<std::int64_t>(cohort.scans.size()),
                     "bones");
  std::int64_t images = 0, scans_done = 0;
  double render_seconds = 0;
  std::set<std::size_t> with_metal;  // specimens
  for_each_scan(run, cohort, report, [&](Scan& scan) {
    const SpecimenInfo& specimen = cohort.specimens[scan.specimen];
    store::Ingredients ingredients{"render", label(specimen, scan.acquisition), {}};
    const bool gallery = is_gallery_scan(split, specimen, scan.acquisition);
    const host::RendererHandle& renderer = renderers.of(gallery);
    if (scan.has_volume) merge(ingredients.parts, renderer.ingredients());
    for (const char* section : {scan.has_volume ? "crop" : "xray", "views", "film"})
      merge(ingredients.parts, section_parts(run.experiment, section));
    ingredients.parts["revision"] = "2";
    ingredients.parts["poses"] = gallery ? "gallery" : "query";
    const bool perturbs = is_perturbed_scan(perturb, gallery);
    if (perturbs) merge(ingredients.parts, perturb_parts(run.experiment));
    ingredients.parts["input.volume"] = scan.volume.digest;
    if (scan.has_volume) ingredients.parts["input.surface"] = scan.surface.digest;
    scan.images = find_or_make(run, ingredients, report, [&] {
      const store::Artifact stored = run.store.load(scan.volume.key);
      const Acquisition acquisition = acquisition_from(stored);
      const std::string stream = stored.facts.at("voxels");
      const auto told = gallery ? imaging::gallery_poses(views, 0, stream) : imaging::query_poses(views, 0, stream);
      if (acquisition.radiographs)
        return to_artifact(images_of_radiographs(run, *acquisition.radiographs, specimen, told));
      const auto poses = perturbs ? imaging::with_view_error(told, perturb, stream_of(stream)) : told;
      const BoneSurface surface = bone_surface_from(run.store.load(scan.surface.key));
      Volume volume = imaging::cropped(acquisition.volume, surface.mesh, run.experiment.sections.at("crop"));
      // After the crop, which knows the healthy surface alone and would take a displaced end away.
      if (perturbs) volume = imaging::perturbed(volume, surface.mesh, surface.frame, perturb);
      if (imaging::metal_voxels(volume) > 0) with_metal.insert(scan.specimen);
      const auto start = std::chrono::steady_clock::now();
      ImageSet set = imaging::render(renderer, volume, surface.frame, poses, views, film,
                                     [&](std::int64_t, std::int64_t) { report.progress(scans_done); });
      render_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      images += static_cast<std::int64_t>(set.rows.size());
      const std::string warning = imaging::note_truncation(set.rows, poses, surface.mesh, surface.frame, views);
      if (!warning.empty()) run.reporters(Notice{label(specimen, scan.acquisition) + ": " + warning});
      if (perturbs)
        imaging::perturb_images(set, told, poses, surface.mesh, surface.frame, views, perturb, stream_of(stream));
      return to_artifact(set);
    });
    ++scans_done;
  });
  if (!with_metal.empty())
    run.reporters(Notice{text(with_metal.size(), " specimen(s) hold voxels above ", imaging::kMetalHounsfield,
                              " HU, as metal does: they are X-rayed as if they were very dense bone")});
  finish(report, records,
         images > 0
             ? text(images, " X-rays, ", static_cast<std::int64_t>(static_cast<double>(images) / render_seconds), "/s")
             : text("X-rays of ", cohort.scans.size(), cohort.has_volumes() ? " volumes" : " scans"));
  return {images, render_seconds};
}

void make_network_input(const RunContext& run, Cohort& cohort, Records& records) {
  const Parameters& training = run.experiment.sections.at("training");
  const NetworkInput input = network_input_of(training);
  if (is_as_rendered(input)) return;
  StageReport report(run.reporters, "network_input", "", std::ssize(cohort.scans), "bones");
  std::int64_t done = 0;
  for (Scan& scan : cohort.scans) {
    throw_if_stopped();
    store::Ingredients ingredients{"network_input", label(cohort.specimens[scan.specimen], scan.acquisition),
                                   network_input_parts(training)};
    ingredients.parts["revision"] = "1";
    ingredients.parts["input.images"] = scan.images.digest;
    scan.network_input = find_or_make(run, ingredients, report, [&] {
      store::Artifact artifact;
      artifact.tensors["pixels"] = as_seen(image_set_from(run.store.load(scan.images.key)).pixels, input);
      return artifact;
    });
    report.progress(++done);
  }
  finish(report, records, text("X-rays of ", cohort.scans.size(), " scans"));
}

ImageTable load_images(const RunContext& run, const Cohort& cohort, std::int64_t fold) {
  const Parameters& split = run.experiment.sections.at("split");
  std::vector<SpecimenInfo> present;
  for (const Scan* scan : cohort.of_acquisition(0)) present.push_back(cohort.specimens[scan->specimen]);
  const std::set<std::string> held_out = held_out_subjects(split, present, fold);

  ImageTable table;
  std::map<std::size_t, std::int64_t> bone_of_specimen;
  for (const Scan* scan : cohort.of_acquisition(0)) {
    const SpecimenInfo& specimen = cohort.specimens[scan->specimen];
    bone_of_specimen[scan->specimen] = static_cast<std::int64_t>(table.bones.size());
    table.bones.push_back({specimen.id, specimen.subject, specimen.side, held_out.contains(specimen.subject)});
    table.specimen.push_back(scan->specimen);
  }
  const auto in_gallery = [&](const Scan& scan) {
    return is_gallery_scan(split, cohort.specimens[scan.specimen], scan.acquisition);
  };
  table.queries_share_volume = std::ranges::all_of(cohort.scans, in_gallery);

  std::vector<at::Tensor> pixels, network_input;
  std::vector<std::int64_t> bones;
  for (std::size_t s = 0; s < cohort.scans.size(); ++s) {
    const Scan& scan = cohort.scans[s];
    const ImageSet set = image_set_from(run.store.load(scan.images.key));
    const std::int64_t bone = bone_of_specimen.at(scan.specimen);
    const auto roles = in_gallery(scan) ? gallery_roles(split, set.rows, stream_of(scan.images.digest),
                                                        table.bones[static_cast<std::size_t>(bone)].held_out,
                                                        table.queries_share_volume)
                                        : std::vector<Role>(set.rows.size(), Role::query);
    table.role.insert(table.role.end(), roles.begin(), roles.end());
    table.rows.insert(table.rows.end(), set.rows.begin(), set.rows.end());
    table.scan.insert(table.scan.end(), set.rows.size(), s);
    bones.insert(bones.end(), set.rows.size(), bone);
    pixels.push_back(set.pixels);
    network_input.push_back(
        scan.network_input.key.empty() ? set.pixels : run.store.load(scan.network_input.key).tensors.at("pixels"));
  }
  table.pixels = training::Pixels(std::move(pixels));
  table.network_input = training::Pixels(std::move(network_input));
  table.bone = at::tensor(bones, at::kLong);
  return table;
}

at::Tensor ImageTable::rows_where(const std::function<bool(std::int64_t)>& keep) const {
  std::vector<std::int64_t> found;
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(role.size()); ++i)
    if (keep(i)) found.push_back(i);
  return at::tensor(found, at::kLong);
}

}  // namespace osteon::pipeline
