#include "pipeline/packing.hpp"

#include "pipeline/opened.hpp"
#include "pipeline/pack.hpp"
#include "pipeline/stage_tools.hpp"
#include "pipeline/stored_model.hpp"
#include "training/runtime.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;

/// The sections that say how X-rays become the network's images and fingerprints become answers.
constexpr std::array kSections = {"crop", "views", "film", "xray", "head", "training", "unknown", "split"};

/// All of a run that its model needs.
struct Packed {
  const RunContext& run;
  Cohort cohort;
  ImageTable images;
  at::Tensor fingerprints;  ///< float32 `[N, d]`
};

std::map<std::string, at::Tensor> network_weights(const store::Artifact& model) {
  constexpr std::string_view kNetwork = "network.";
  std::map<std::string, at::Tensor> weights;
  for (const auto& [name, tensor] : model.tensors)
    if (name.starts_with(kNetwork)) weights[name.substr(kNetwork.size())] = tensor;
  return weights;
}

/// With the number format that this machine chose, which another one would perhaps not choose.
Parameters training_settings(const Parameters& training) {
  auto values = training.values();
  values["precision"] = training::resolved_precision(training);
  return {training::training_schema(), values};
}

/// Digest of the weights and of all else that decides what the network makes of an X-ray.
std::string network_digest(const Pack& pack) {
  Digest digest;
  digest.add(text(pack.backbone.plugin, "\n", pack.height, " x ", pack.width, "\n"));
  const auto add = [&](const std::string& owner, const std::map<std::string, std::string>& values) {
    for (const auto& [name, value] : values) digest.add(text(owner, ".", name, " = ", value, "\n"));
  };
  add("backbone", pack.backbone.parameters.canonical());
  for (const char* section : {"head", "views", "film", "xray"}) add(section, pack.section(section).canonical());
  const auto training = pack.section("training").canonical();
  for (const char* name : {"upright", "precision"}) add("training", {{name, training.at(name)}});
  for (const auto& [name, tensor] : pack.weights) {
    const at::Tensor packed = tensor.contiguous();
    digest.add(text(name, " ", packed.sizes(), " ", c10::toString(packed.scalar_type()), "\n"));
    digest.add(std::string_view(static_cast<const char*>(packed.data_ptr()), packed.nbytes()));
  }
  return digest.hex();
}

/// The image of each gallery scan that shows its bone most nearly as the views' names say: the one to keep a picture
/// of.
std::map<std::size_t, std::int64_t> nominal_images(const ImageTable& images, const std::vector<std::int64_t>& rows) {
  const auto deviation = [&](std::int64_t i) {
    const ImageRow& row = images.rows[static_cast<std::size_t>(i)];
    return std::abs(row.axial) + std::abs(row.tilt) + std::abs(row.in_plane);
  };
  std::map<std::size_t, std::int64_t> nominal;
  for (const std::int64_t i : rows) {
    const auto [place, is_new] = nominal.try_emplace(images.scan[static_cast<std::size_t>(i)], i);
    if (!is_new && deviation(i) < deviation(place->second)) place->second = i;
  }
  return nominal;
}

Gallery gallery_of(const Packed& packed, const Pack& pack) {
  const ImageTable& images = packed.images;
  const at::Tensor index =
      images.rows_where([&](std::int64_t i) { return images.role[static_cast<std::size_t>(i)] != Role::query; });
  const std::vector<std::int64_t> rows = as_vector(index);
  const auto nominal = nominal_images(images, rows);
  Gallery gallery{pack.network, {}, packed.fingerprints.index_select(0, index), {}};
  std::vector<at::Tensor> pictures;
  std::map<std::size_t, std::int64_t> number_in_scan;
  for (const std::int64_t row : rows) {
    const auto i = static_cast<std::size_t>(row);
    const Scan& scan = packed.cohort.scans[images.scan[i]];
    const EvidenceBone& bone = images.bones[static_cast<std::size_t>(images.bone.data_ptr<std::int64_t>()[row])];
    const ImageRow& taken = images.rows[i];
    GalleryEntry entry{bone.id, bone.subject, bone.side};
    entry.pose = imaging::Angles{taken.axial, taken.tilt, taken.in_plane};
    entry.energy = taken.energy;
    entry.pixel_spacing = taken.pixel_spacing;
    entry.mesh = scan.surface.digest;
    entry.source = scan.images.digest;
    entry.image = number_in_scan[images.scan[i]]++;
    entry.date = pack.date;
    entry.command = "osteon pack " + pack.run;
    if (nominal.at(images.scan[i]) == row) {
      entry.picture = std::ssize(pictures);
      pictures.push_back(small_picture(images.pixels[row]));
    }
    gallery.entries.push_back(std::move(entry));
  }
  gallery.pictures = at::stack(pictures);
  return gallery;
}

const std::string& person_of(const ImageTable& images, std::int64_t row) {
  return images.bones[static_cast<std::size_t>(images.bone.data_ptr<std::int64_t>()[row])].subject;
}

/// The images of bones for which `wanted` holds of their role and of whether they were held out, with their people.
Labelled some_of(const Packed& packed, const std::function<bool(Role, bool)>& wanted) {
  const ImageTable& images = packed.images;
  const auto* bone = images.bone.data_ptr<std::int64_t>();
  const at::Tensor rows = images.rows_where([&](std::int64_t i) {
    return wanted(images.role[static_cast<std::size_t>(i)], images.bones[static_cast<std::size_t>(bone[i])].held_out);
  });
  Labelled some{packed.fingerprints.index_select(0, rows).contiguous(), images.bone.index_select(0, rows), {}};
  for (const std::int64_t row : as_vector(rows)) some.person.push_back(person_of(images, row));
  return some;
}

/// What strangers and known bones score before the run's own gallery.
PackedClassifier calibrated(const RunContext& run, const config::PluginChoice& choice, const Pack& pack,
                            const Labelled& known, const std::vector<std::string>& ids) {
  const host::ClassifierHandle classifier(run.registry.find("classifier", choice.plugin), choice.parameters);
  PackedClassifier result{
      choice, strangers_of(classifier, pack, pack.gallery), {at::empty({0}, at::kFloat), known.person}};
  if (known.person.empty()) return result;
  classifier.fit(pack.gallery.fingerprints.contiguous(), pack.gallery.labels());
  Prediction answer = classifier.predict(known.vectors);
  const std::vector<std::string> bones = pack.gallery.bones();
  for (std::int64_t i = 0; i < answer.scores.size(0); ++i) {
    const std::int64_t label = answer.labels.data_ptr<std::int64_t>()[i];
    const std::string& truth = ids[static_cast<std::size_t>(known.labels.data_ptr<std::int64_t>()[i])];
    if (label < 0 || bones[static_cast<std::size_t>(label)] != truth)
      answer.scores.data_ptr<float>()[i] = -std::numeric_limits<float>::infinity();
  }
  result.known.scores = answer.scores;
  return result;
}

void note_folds_and_volumes(const Packed& packed, Pack& pack) {
  if (const std::int64_t folds = packed.run.experiment.sections.at("split").integer("folds"); folds > 1)
    pack.notices.push_back(text("the run has ", folds, " folds and as many networks; this is the first one's"));
  if (packed.images.queries_share_volume)
    pack.notices.emplace_back(
        "the run had one acquisition a bone: nothing is known of how its bones score from another one");
}

Pack packed_network(const RunContext& run, const StoredModel& model, const fs::path& folder) {
  Pack pack;
  pack.title = run.experiment.title;
  pack.run = fs::absolute(folder).lexically_normal().filename().string();
  if (pack.run.empty()) pack.run = fs::absolute(folder).lexically_normal().parent_path().filename().string();
  pack.date = utc_now();
  pack.height = model.artifact.facts.at("height");
  pack.width = model.artifact.facts.at("width");
  for (const char* name : kSections) pack.sections[name] = run.experiment.sections.at(name);
  pack.sections["training"] = training_settings(run.experiment.sections.at("training"));
  pack.backbone = run.experiment.only("backbone");
  pack.weights = network_weights(model.artifact);
  pack.network = network_digest(pack);
  return pack;
}

/// The run's images and what its network makes of them, from the store where it has them.
Packed images_of_run(const RunContext& run, const StoredModel& model, const Pack& pack) {
  Records records;
  Packed packed{run, make_volumes(run, records), {}, {}};
  make_surfaces(run, packed.cohort, records);
  make_images(run, packed.cohort, records);
  make_upright(run, packed.cohort, records);
  packed.images = load_images(run, packed.cohort, 0);
  const auto network = training::make_network(make_handle<host::BackboneHandle>(run, "backbone"), pack.section("head"),
                                              pack.section("training"), pack.height, pack.width);
  training::load_network_state(*network, pack.weights);
  packed.fingerprints = trained_fingerprints(run, packed.cohort, packed.images, model.stored, *network, records);
  return packed;
}

std::string percent(double share) { return text(std::round(1000 * share) / 10, " %"); }

std::vector<std::string> told(const PackedClassifier& one, double rate) {
  const std::string name = one.choice.instance;
  const PeopleScores &trained = one.strangers.trained, &unseen = one.strangers.unseen;
  if (trained.person.empty())
    return {text("unknown    ", name, " always answers: ",
                 rate == 0 ? "unknown.false_accept_rate is 0" : "there is nobody to calibrate with")};
  const double accept_from = threshold_for(trained.scores, trained.person, rate);
  std::vector<std::string> lines = {
      text("unknown    ", name, " answers from the score ", accept_from, " on, which is reached by")};
  const auto add = [&](const PeopleScores& people, const std::string& who) {
    if (!people.person.empty())
      lines.push_back(
          text("           ", percent(people.share_reaching(accept_from)), " of the X-rays of ", people.people(), who));
  };
  add(trained, trained.people() == 1 ? " stranger that it was trained on" : " strangers that it was trained on");
  add(unseen, unseen.people() == 1 ? " stranger that it never saw" : " strangers that it never saw");
  add(one.known,
      one.known.people() == 1 ? " known person, from a scan of its own" : " known people, from scans of their own");
  return lines;
}

}  // namespace

std::vector<std::string> pack_run(const fs::path& run, const std::vector<fs::path>& plugin_folders,
                                  const fs::path& file) {
  const StoredModel model = stored_model(run);
  if (!fs::exists(run / "experiment.toml"))
    throw Error(text(run.string(),
                     ": has no experiment.toml; add a reporter to the experiment that keeps it and run it "
                     "again, which costs nothing"));
  const OpenedExperiment opened({{run / "experiment.toml", {}, {}}, plugin_folders, run.parent_path(), ""});
  Pack pack = packed_network(opened.run(), model, run);
  const Packed packed = images_of_run(opened.run(), model, pack);
  pack.gallery = gallery_of(packed, pack);
  note_folds_and_volumes(packed, pack);
  pack.trained = some_of(packed, [](Role role, bool held_out) { return role == Role::validation && !held_out; });
  pack.unseen = some_of(packed, [](Role, bool held_out) { return held_out; });
  const Labelled known = some_of(packed, [](Role role, bool held_out) { return role == Role::query && !held_out; });
  std::vector<std::string> ids;
  for (const EvidenceBone& bone : packed.images.bones) ids.push_back(bone.id);
  for (const config::PluginChoice* choice : opened.run().experiment.all("classifier"))
    pack.classifiers.push_back(calibrated(opened.run(), *choice, pack, known, ids));
  write_pack(file, pack, opened.run().registry);

  std::vector<std::string> lines = {text("network    ", pack.network),
                                    text("images     ", pack.width, " x ", pack.height, " pixels · ",
                                         pack.backbone.plugin, " · ", pack.section("training").text("precision")),
                                    "gallery    " + size_text(pack.gallery)};
  for (const PackedClassifier& one : pack.classifiers)
    for (std::string& line : told(one, pack.section("unknown").real("false_accept_rate")))
      lines.push_back(std::move(line));
  for (const std::string& notice : pack.notices) lines.push_back("note       " + notice);
  lines.push_back(text("wrote      ", file.string(), " · ", fs::file_size(file), " bytes"));
  return lines;
}

}  // namespace osteon::pipeline
