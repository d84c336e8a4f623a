// A gallery's file: a bundle of the kind "gallery", or the part "gallery" of a model.

#include "pipeline/gallery.hpp"
#include "pipeline/pack.hpp"
#include "store/bundle.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <ctime>

namespace osteon::pipeline {

namespace {

using nlohmann::json;
namespace fs = std::filesystem;

json entry_json(const GalleryEntry& entry) {
  json j = {{"id", entry.id},          {"subject", entry.subject},    {"side", to_text(entry.side)},
            {"source", entry.source},  {"image_digest", entry.image}, {"date", entry.date},
            {"command", entry.command}};
  if (entry.pose) j["pose"] = {entry.pose->axial, entry.pose->tilt, entry.pose->in_plane};
  if (entry.energy > 0) j["energy_kev"] = entry.energy;
  if (entry.pixel_spacing > 0) j["pixel_spacing_mm"] = entry.pixel_spacing;
  if (!entry.mesh.empty()) j["mesh_digest"] = entry.mesh;
  if (entry.picture >= 0) j["picture"] = entry.picture;
  return j;
}

GalleryEntry entry_from(const json& j) {
  GalleryEntry entry;
  entry.id = j.at("id");
  entry.subject = j.at("subject");
  for (const Side side : {Side::left, Side::right})
    if (j.at("side") == to_text(side)) entry.side = side;
  if (j.contains("pose")) entry.pose = imaging::Angles{j["pose"].at(0), j["pose"].at(1), j["pose"].at(2)};
  entry.energy = j.value("energy_kev", 0.0);
  entry.pixel_spacing = j.value("pixel_spacing_mm", 0.0);
  entry.mesh = j.value("mesh_digest", "");
  entry.source = j.at("source");
  entry.image = j.at("image_digest");
  entry.date = j.at("date");
  entry.command = j.at("command");
  entry.picture = j.value("picture", std::int64_t{-1});
  for (const std::string& word : {entry.id, entry.subject, entry.mesh, entry.source, entry.date, entry.command})
    require_printable(word);
  if (entry.id.empty() || entry.subject.empty()) throw Error("a bone in its gallery has no id or no subject");
  return entry;
}

/// Whether the tensors are those of the entries.
bool belong_together(const Gallery& gallery) {
  const at::Tensor &rows = gallery.fingerprints, &pictures = gallery.pictures;
  if (rows.dim() != 2 || rows.scalar_type() != at::kFloat || rows.size(0) != std::ssize(gallery.entries)) return false;
  if (pictures.dim() != 3 || pictures.scalar_type() != at::kByte || !at::isfinite(rows).all().item<bool>())
    return false;
  return std::ranges::all_of(gallery.entries,
                             [&](const GalleryEntry& e) { return e.picture >= -1 && e.picture < pictures.size(0); });
}

}  // namespace

void require_printable(const std::string& word) {
  if (std::ranges::any_of(word, [](unsigned char c) { return c < ' ' || c == 0x7F; }))
    throw Error("a word in it holds control characters, which Osteon never writes");
}

store::Artifact to_artifact(const Gallery& gallery) {
  store::Artifact artifact;
  json entries = json::array();
  for (const GalleryEntry& entry : gallery.entries) entries.push_back(entry_json(entry));
  artifact.facts = {{"network", gallery.network}, {"views", kMontageViews}, {"entries", std::move(entries)}};
  artifact.tensors["fingerprints"] =
      gallery.fingerprints.defined() ? gallery.fingerprints : at::empty({0, 0}, at::kFloat);
  artifact.tensors["pictures"] = gallery.pictures.defined() ? gallery.pictures : at::empty({0, 0, 0}, at::kByte);
  return artifact;
}

Gallery gallery_from(const store::Artifact& artifact, const std::string& name) {
  Gallery gallery;
  try {
    gallery.network = artifact.facts.at("network");
    for (const json& entry : artifact.facts.at("entries")) gallery.entries.push_back(entry_from(entry));
    gallery.fingerprints = artifact.tensors.at("fingerprints");
    gallery.pictures = artifact.tensors.at("pictures");
  } catch (const Error& e) {
    throw e.within(name);
  } catch (const std::exception&) {
    throw Error(text(name, ": its gallery cannot be read: an entry is missing or of another type"));
  }
  if (!belong_together(gallery))
    throw Error(text(name, ": its gallery cannot be read: its fingerprints or pictures are not those of its ",
                     gallery.entries.size(), " entries"));
  return gallery;
}

Gallery read_gallery(const fs::path& file) {
  const store::Bundle bundle = store::read_bundle(file);
  const bool is_model = bundle.kind == kModelKind;
  return gallery_from(is_model ? part_of(bundle.artifact, kGalleryKind, file.string()) : bundle.artifact,
                      file.string());
}

void change_gallery(const fs::path& file, const std::optional<Gallery>& otherwise,
                    const std::function<bool(Gallery&)>& change) {
  const fs::path folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  if (!fs::is_directory(folder)) throw Error(text(folder.string(), ": no such folder"));
  if (!otherwise && !fs::exists(file)) throw Error(text(file.string(), ": no such gallery"));
  const store::Lock lock(file.string() + ".lock");
  Gallery gallery =
      !fs::exists(file) && otherwise ? *otherwise : gallery_from(store::read_bundle(file, kGalleryKind), file.string());
  if (change(gallery)) store::write_bundle(file, kGalleryKind, to_artifact(gallery));
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char words[32];
  const std::size_t length = std::strftime(words, sizeof words, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {words, length};
}

}  // namespace osteon::pipeline
