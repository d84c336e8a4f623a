// What galleries do in memory; their files are in gallery_file.cpp.

#include "pipeline/gallery.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <map>
#include <set>

namespace osteon::pipeline {

namespace {

constexpr std::int64_t kPictureRows = 128;

at::Tensor with_row(const at::Tensor& rows, const at::Tensor& row) {
  if (!rows.defined() || rows.size(0) == 0) return row.unsqueeze(0).clone();
  return at::cat({rows, row.unsqueeze(0)});
}

/// Throws when both can't be of one bone.
void require_same_bone(const GalleryEntry& there, const GalleryEntry& entry) {
  if (there.subject != entry.subject)
    throw Error(text("bone \"", entry.id, "\" is of subject \"", there.subject, "\" in the gallery, not of \"",
                     entry.subject, "\"; give it another --id, or the right --subject"));
  if (there.side != entry.side && there.side != Side::unknown && entry.side != Side::unknown)
    throw Error(text("bone \"", entry.id, "\" is a ", to_text(there.side), " one in the gallery, not a ",
                     to_text(entry.side), " one; give it another --id, or the right --side"));
}

/// Which rows of an index tensor `keep`.
at::Tensor index_of(const std::vector<std::int64_t>& rows) { return at::tensor(rows, at::kLong); }

}  // namespace

std::vector<std::string> Gallery::bones() const {
  std::vector<std::string> ids;
  std::set<std::string> seen;
  for (const GalleryEntry& entry : entries)
    if (seen.insert(entry.id).second) ids.push_back(entry.id);
  return ids;
}

at::Tensor Gallery::labels() const {
  std::map<std::string, std::int64_t> number;
  std::vector<std::int64_t> labels;
  for (const GalleryEntry& entry : entries)
    labels.push_back(number.try_emplace(entry.id, std::ssize(number)).first->second);
  return at::tensor(labels, at::kLong);
}

std::string size_text(const Gallery& gallery) {
  const std::size_t bones = gallery.bones().size(), fingerprints = gallery.entries.size();
  return text(bones, bones == 1 ? " bone · " : " bones · ", fingerprints,
              fingerprints == 1 ? " fingerprint" : " fingerprints");
}

void require_pseudonym(const std::string& what, const std::string& word) {
  constexpr std::size_t kLongest = 64;
  const auto is_plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  const auto is_allowed = [&](char c) { return is_plain(c) || c == '-' || c == '_' || c == '.'; };
  if (word.empty() || word.size() > kLongest || !is_plain(word.front()) || !std::ranges::all_of(word, is_allowed))
    throw Error(text(what, " \"", word, "\": expected 1 to ", kLongest,
                     " letters, digits, '-', '_' and '.', beginning with a letter or digit; it is kept and shown, so "
                     "use a pseudonym, never a patient's name"));
}

at::Tensor small_picture(const at::Tensor& montage) {
  const std::int64_t factor = (montage.size(0) + kPictureRows - 1) / kPictureRows;
  if (factor <= 1) return montage.contiguous();
  return at::avg_pool2d(montage.to(at::kFloat).unsqueeze(0), factor).squeeze(0).round().to(at::kByte).contiguous();
}

bool add_entry(Gallery& gallery, GalleryEntry entry, const at::Tensor& fingerprint, const at::Tensor& picture) {
  for (const GalleryEntry& there : gallery.entries) {
    if (there.id == entry.id) require_same_bone(there, entry);
    if (there.source != entry.source || there.image != entry.image) continue;
    if (there.id == entry.id) return false;
    throw Error(text("the same X-rays are in the gallery already, as bone \"", there.id, "\" and not \"", entry.id,
                     "\"; remove that one first if it is wrong"));
  }
  if (!gallery.entries.empty() && gallery.fingerprints.size(1) != fingerprint.size(0))
    throw failure(
        text("a fingerprint of ", fingerprint.size(0), " numbers beside such of ", gallery.fingerprints.size(1)));
  gallery.fingerprints = with_row(gallery.fingerprints, fingerprint);
  entry.picture = -1;
  if (picture.defined()) {
    entry.picture = gallery.pictures.defined() ? gallery.pictures.size(0) : 0;
    gallery.pictures = with_row(gallery.pictures, picture);
  }
  gallery.entries.push_back(std::move(entry));
  return true;
}

std::int64_t merge_gallery(Gallery& gallery, const Gallery& other) {
  std::map<std::pair<std::string, std::int64_t>, std::string> known;  // source and image → bone
  std::map<std::string, const GalleryEntry*> bones;
  for (const GalleryEntry& entry : gallery.entries) {
    known[{entry.source, entry.image}] = entry.id;
    bones.try_emplace(entry.id, &entry);
  }
  Gallery added{gallery.network, {}, {}, {}};
  std::vector<std::int64_t> rows, pictures;
  const std::int64_t pictures_before = gallery.pictures.defined() ? gallery.pictures.size(0) : 0;
  for (std::size_t i = 0; i < other.entries.size(); ++i) {
    GalleryEntry entry = other.entries[i];
    if (const auto same = bones.find(entry.id); same != bones.end()) require_same_bone(*same->second, entry);
    const auto [place, is_new] = known.try_emplace({entry.source, entry.image}, entry.id);
    if (!is_new && place->second != entry.id)
      throw Error(text("the same X-rays are bone \"", place->second, "\" in one gallery and \"", entry.id,
                       "\" in another; remove the wrong one first"));
    if (!is_new) continue;
    rows.push_back(static_cast<std::int64_t>(i));
    if (entry.picture >= 0) {
      pictures.push_back(entry.picture);
      entry.picture = pictures_before + std::ssize(pictures) - 1;
    }
    added.entries.push_back(std::move(entry));
  }
  const auto joined = [](const at::Tensor& before, const at::Tensor& all, const std::vector<std::int64_t>& chosen) {
    if (chosen.empty()) return before;
    const at::Tensor more = all.index_select(0, index_of(chosen));
    return before.defined() && before.size(0) > 0 ? at::cat({before, more}) : more;
  };
  gallery.fingerprints = joined(gallery.fingerprints, other.fingerprints, rows);
  gallery.pictures = joined(gallery.pictures, other.pictures, pictures);
  gallery.entries.insert(gallery.entries.end(), added.entries.begin(), added.entries.end());
  return std::ssize(rows);
}

std::int64_t remove_entries(Gallery& gallery, const std::function<bool(const GalleryEntry&)>& drop) {
  std::vector<GalleryEntry> kept;
  std::vector<std::int64_t> rows, pictures;
  for (std::size_t i = 0; i < gallery.entries.size(); ++i) {
    if (drop(gallery.entries[i])) continue;
    rows.push_back(static_cast<std::int64_t>(i));
    kept.push_back(gallery.entries[i]);
    if (kept.back().picture < 0) continue;
    pictures.push_back(kept.back().picture);
    kept.back().picture = std::ssize(pictures) - 1;
  }
  const std::int64_t removed = std::ssize(gallery.entries) - std::ssize(kept);
  if (removed == 0) return 0;
  gallery.fingerprints = gallery.fingerprints.index_select(0, index_of(rows));
  if (gallery.pictures.defined()) gallery.pictures = gallery.pictures.index_select(0, index_of(pictures));
  gallery.entries = std::move(kept);
  return removed;
}

void require_network(const std::string& name, const Gallery& gallery, const std::string& network) {
  if (gallery.network == network) return;
  throw Error(text(name, ": its fingerprints were made by the network ", gallery.network, ", not by ", network,
                   ": the two cannot be compared; enroll the X-rays again with the other model"));
}

std::vector<std::string> doubts(const Gallery& gallery) {
  std::vector<std::string> told;
  std::map<std::string, const GalleryEntry*> seen;
  for (std::size_t i = 0; i < gallery.entries.size(); ++i) {
    const GalleryEntry& entry = gallery.entries[i];
    const at::Tensor row = gallery.fingerprints[static_cast<std::int64_t>(i)].contiguous();
    if (!(row.norm().item<float>() > 0)) told.push_back(text("fingerprint ", i + 1, " of bone ", entry.id, " is zero"));
    const std::string_view bytes(static_cast<const char*>(row.data_ptr()), row.nbytes());
    const auto [place, is_new] = seen.try_emplace(sha256(bytes), &entry);
    if (!is_new && place->second->id != entry.id)
      told.push_back(
          text("bones ", place->second->id, " and ", entry.id, " have the same fingerprint: is it one bone?"));
  }
  return told;
}

}  // namespace osteon::pipeline
