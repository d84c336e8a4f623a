#pragma once

// A gallery: fingerprints of bones that are known, made by one network, with what is known of each. It lies in a file
// of its own that grows by enrolment, and inside a model (see pack.hpp) as what the model's run knew.
//
// Names of patients, of files and of folders never come into it: ids and subjects are the user's pseudonyms, files are
// told by their SHA-256.

#include "imaging/views.hpp"
#include "store/store.hpp"

#include <osteon/specimen.hpp>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace osteon::pipeline {

/// One fingerprint: of one X-ray pair of one bone.
struct GalleryEntry {
  std::string id;       ///< of the bone
  std::string subject;  ///< the person
  Side side = Side::unknown;
  std::optional<imaging::Angles> pose = {};  ///< of the AP half; nothing where nobody knows it
  double energy = 0;                         ///< keV; 0: unknown
  double pixel_spacing = 0;                  ///< mm at the isocentre of the network's image; 0: unknown
  std::string mesh = {};                     ///< SHA-256 of the bone's surface; "" where there is none
  std::string source = {};                   ///< SHA-256 of the files, or of the image set, that it was made from
  std::int64_t image = 0;                    ///< which image of these
  std::string date = {};                     ///< of enrolment, UTC, ISO 8601
  std::string command = {};                  ///< how it came in, without files and folders
  std::int64_t picture = -1;                 ///< row of `Gallery::pictures`; -1: none was kept
};

struct Gallery {
  std::string network;  ///< SHA-256 of the network and of all that decides what it makes of an X-ray
  std::vector<GalleryEntry> entries;
  at::Tensor fingerprints;  ///< float32 `[N, d]`
  at::Tensor pictures;      ///< uint8 `[P, h, w]`, as the network sees them, made small

  /// Ids of its bones, in order of their first entry, and for each entry which of these it is: int64 `[N]`.
  [[nodiscard]] std::vector<std::string> bones() const;
  [[nodiscard]] at::Tensor labels() const;
};

/// "12 bones · 2016 fingerprints"
[[nodiscard]] std::string size_text(const Gallery& gallery);

/// Throws `Error` unless `word` can be an id or a subject: 1 to 64 letters, digits, '-', '_' and '.', a letter or digit
/// first. `what` is for the message: "--id".
void require_pseudonym(const std::string& what, const std::string& word);

/// Throws `Error` when a word from a file has signs that would steer a terminal.
void require_printable(const std::string& word);

/// A network's image as a gallery keeps it for people to look at: at most 128 rows. uint8 `[H, W]` → `[h, w]`.
[[nodiscard]] at::Tensor small_picture(const at::Tensor& montage);

/// Adds a fingerprint float32 `[d]` and its picture uint8 `[h, w]`. Returns false when the same image of the same
/// source is there already. Throws `Error` when it is there as another bone, or when the bone is there with another
/// subject or side.
bool add_entry(Gallery& gallery, GalleryEntry entry, const at::Tensor& fingerprint, const at::Tensor& picture);

/// Adds what `other` has and `gallery` has not; returns how many entries that were. Throws `Error` as `add_entry` does,
/// and when they are of two networks.
std::int64_t merge_gallery(Gallery& gallery, const Gallery& other);

/// Takes out the entries for which `drop` holds; returns how many.
std::int64_t remove_entries(Gallery& gallery, const std::function<bool(const GalleryEntry&)>& drop);

/// Throws `Error` with both hashes when the fingerprints were made by another network than `network`. `name` is the
/// gallery's, for the message.
void require_network(const std::string& name, const Gallery& gallery, const std::string& network);

/// What a person should look at: fingerprints without length, one fingerprint under two ids.
[[nodiscard]] std::vector<std::string> doubts(const Gallery& gallery);

[[nodiscard]] store::Artifact to_artifact(const Gallery& gallery);
/// `name` is for messages. Throws `Error` when its parts don't belong together.
[[nodiscard]] Gallery gallery_from(const store::Artifact& artifact, const std::string& name);

/// The gallery of a gallery's file or of a model's.
[[nodiscard]] Gallery read_gallery(const std::filesystem::path& file);

/// Reads, changes and writes a gallery's file while FILE.lock is held, so that two processes change it one after the
/// other; nothing is written when `change` returns false. A file that isn't there begins as `otherwise`; without that
/// it is an `Error`.
void change_gallery(const std::filesystem::path& file, const std::optional<Gallery>& otherwise,
                    const std::function<bool(Gallery&)>& change);

/// Now, as entries have it.
[[nodiscard]] std::string utc_now();

}  // namespace osteon::pipeline
