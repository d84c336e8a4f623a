#include "pipeline/packing.hpp"

#include "pipeline/finished_run.hpp"
#include "pipeline/stage_tools.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;

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

Gallery gallery_of(const RunImages& packed, const Pack& pack) {
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
    const EvidenceBone& bone = images.bone_of(row);
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

/// The images of bones for which `wanted` holds of their role and of whether they were held out, with their people.
Labelled some_of(const RunImages& packed, const std::function<bool(Role, bool)>& wanted) {
  const ImageTable& images = packed.images;
  const auto* bone = images.bone.data_ptr<std::int64_t>();
  const at::Tensor rows = images.rows_where([&](std::int64_t i) {
    return wanted(images.role[static_cast<std::size_t>(i)], images.bones[static_cast<std::size_t>(bone[i])].held_out);
  });
  Labelled some{packed.fingerprints.index_select(0, rows).contiguous(), images.bone.index_select(0, rows), {}};
  for (const std::int64_t row : as_vector(rows)) some.person.push_back(images.bone_of(row).subject);
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

void note_folds_and_volumes(const RunImages& packed, Pack& pack) {
  if (const std::int64_t folds = packed.run.experiment.sections.at("split").integer("folds"); folds > 1)
    pack.notices.push_back(text("the run has ", folds, " folds and as many networks; this is the first one's"));
  if (packed.images.queries_share_volume)
    pack.notices.emplace_back(
        "the run had one acquisition a bone: nothing is known of how its bones score from another one");
}

std::string short_percent(double share) { return text(std::round(1000 * share) / 10, " %"); }

std::vector<std::string> told_about(const PackedClassifier& one, double rate) {
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
      lines.push_back(text("           ", short_percent(people.share_reaching(accept_from)), " of the X-rays of ",
                           people.people(), who));
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
  const FinishedRun finished(run, plugin_folders);
  Pack pack = finished.network();
  const RunImages packed = finished.load();
  pack.gallery = gallery_of(packed, pack);
  note_folds_and_volumes(packed, pack);
  pack.trained = some_of(packed, [](Role role, bool held_out) { return role == Role::validation && !held_out; });
  pack.unseen = some_of(packed, [](Role, bool held_out) { return held_out; });
  const Labelled known = some_of(packed, [](Role role, bool held_out) { return role == Role::query && !held_out; });
  std::vector<std::string> ids;
  for (const EvidenceBone& bone : packed.images.bones) ids.push_back(bone.id);
  for (const config::PluginChoice* choice : finished.run().experiment.all("classifier"))
    pack.classifiers.push_back(calibrated(finished.run(), *choice, pack, known, ids));
  const store::Lock lock(file.string() + ".lock");  // two packs into one file come one after the other
  write_pack(file, pack, finished.run().registry);

  std::vector<std::string> lines = {text("network    ", pack.network),
                                    text("images     ", pack.width, " x ", pack.height, " pixels · ",
                                         pack.backbone.plugin, " · ", pack.section("training").text("precision")),
                                    "gallery    " + size_text(pack.gallery)};
  for (const PackedClassifier& one : pack.classifiers)
    for (std::string& line : told_about(one, pack.section("unknown").real("false_accept_rate")))
      lines.push_back(std::move(line));
  for (const std::string& notice : pack.notices) lines.push_back("note       " + notice);
  lines.push_back(text("wrote      ", file.string(), " · ", fs::file_size(file), " bytes"));
  return lines;
}

}  // namespace osteon::pipeline
