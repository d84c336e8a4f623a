// source/dicom: CT series of bones from a folder tree.
//
// Walks `path` and the folders below it, takes every DICOM file by its content (names and endings don't matter), groups
// by SeriesInstanceUID and sorts each series by position along the slice normal. A file is a slice, or an enhanced
// image whose frames are slices; pixels may be uncompressed or in JPEG, JPEG-LS, JPEG 2000 or RLE. Localisers and
// objects that are no CT images are left out, and a notice says how many. One person and Laterality are one specimen;
// its series, each in a folder of its own, are its separate acquisitions, in order of SeriesNumber. Where the side is
// not in the header, give it with `side`.
//
// A person is a PatientID. A PatientID that de-identification left for everybody ("ANON", zeros, …) says nothing, so
// there a person is a StudyInstanceUID; `person = "study"` makes it so everywhere.
//
// Slices of a tilted gantry and slices that are unevenly spaced are resampled, linearly, with a notice; how far is in
// plugins/support/itk/dicom_grid.hpp. A header without RescaleSlope and RescaleIntercept is believed, with a notice, if
// the stored values are signed and reach down to air; else the series is refused.
//
// Patients' identifiers stay out: ids and subjects are keyed hashes of PatientID under a secret that stays in the
// store, or, where there is none, plain numbers (which change when people are added). Series that format/dicom wrote
// carry pseudonyms already; these are kept.
//
//     [source]
//     plugin = "dicom"
//     path   = "../data/ct"
//     series = "one_per_folder"   # or "largest": of each folder's series the one with most slices
//     side   = "auto"             # or "left", "right"
//     person = "patient"          # or "study": what tells people apart

#include "itk/dicom_series.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/source.hpp>

#include <algorithm>
#include <iomanip>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

namespace osteon {

namespace {

namespace fs = std::filesystem;
using dicom::Slice;
using SeriesList = std::vector<std::vector<Slice>>;

/// A specimen and the series of its acquisitions.
struct Bone {
  SpecimenInfo info;
  SeriesList series;
};

/// A PatientID that de-identification leaves for everybody.
bool is_nobody(const std::string& patient) {
  static const std::set<std::string> kNobody = {"ANON",    "ANONYM",        "ANONYMIZED",  "ANONYMISED", "ANONYMOUS",
                                                "UNKNOWN", "DEIDENTIFIED",  "REMOVED",     "NONE",       "NULL",
                                                "NA",      "NOID",          "PATIENT",     "X",          "XX",
                                                "XXX",     "ANONYMPATIENT", "NOTAVAILABLE"};
  std::string letters;
  bool number = false;
  for (const unsigned char c : patient) {
    if (std::isalpha(c) != 0) letters += static_cast<char>(std::toupper(c));
    number = number || (c >= '1' && c <= '9');
  }
  return !number && (letters.empty() || kNobody.contains(letters));
}

std::string plural(std::size_t count, const std::string& one, const std::string& several) {
  return text(count, " ", count == 1 ? one : several);
}

/// Ids that format/dicom wrote are taken over if they look like ids.
bool has_plain_id(const Slice& slice) {
  const auto plain = [](const std::string& word) {
    return !word.empty() && word.size() <= 64 && std::all_of(word.begin(), word.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
    });
  };
  return slice.pseudonymous && plain(slice.description) && plain(slice.patient);
}

std::string numbered(const std::string& word, std::size_t number, std::size_t count) {
  std::ostringstream out;
  out << word << '-' << std::setw(std::max<int>(2, static_cast<int>(std::to_string(count).size()))) << std::setfill('0')
      << number;
  return out.str();
}

class DicomSource : public Source {
 public:
  static Schema schema() {
    return {"CT series from a folder tree (DICOM PS3.3, CT Image IOD), read through GDCM.",
            {Parameter::path("path", "", "Folder of CT series; it and all folders below it are searched.").required(),
             Parameter::text("series", "one_per_folder",
                             "What a folder may hold: one series, or several of which the largest is taken.")
                 .one_of(std::vector<std::string>{"one_per_folder", "largest"})
                 .not_in_key(),  // which files are read is in the content digest
             Parameter::text("person", "patient",
                             "What tells people apart: the PatientID, or the StudyInstanceUID where one PatientID "
                             "stands for many people.")
                 .one_of(std::vector<std::string>{"patient", "study"})
                 .not_in_key(),  // the specimen's id is in the key
             Parameter::text("side", "auto", "Side of the bones: as the header's Laterality says, or given.")
                 .one_of(std::vector<std::string>{"auto", "left", "right"})}};
  }

  explicit DicomSource(const Parameters& parameters)
      : path_(parameters.path("path")),
        largest_(parameters.text("series") == "largest"),
        by_study_(parameters.text("person") == "study"),
        side_(parameters.text("side")) {}

  void keep_secret(const std::string& salt) override {
    const std::lock_guard lock(mutex_);
    salt_ = salt;
    bones_.clear();
    notices_.clear();
  }

  std::vector<SpecimenInfo> specimens() const override {
    std::vector<SpecimenInfo> list;
    for (const Bone& bone : bones()) list.push_back(bone.info);
    return list;
  }

  std::vector<std::string> notices() const override {
    (void)bones();
    return notices_;
  }

  std::string content_digest(const SpecimenInfo& specimen, int acquisition) const override {
    return dicom::digest_of(series(specimen, acquisition));
  }

  Acquisition acquire(const SpecimenInfo& specimen, int acquisition) const override {
    dicom::Reading reading = dicom::read_series(series(specimen, acquisition));
    return {std::move(reading.volume), {}, {}, std::move(reading.notices)};
  }

 private:
  /// The tree is looked through once, by whoever asks first.
  const std::vector<Bone>& bones() const {
    const std::lock_guard lock(mutex_);
    if (bones_.empty()) bones_ = scan();
    return bones_;
  }

  const std::vector<Slice>& series(const SpecimenInfo& specimen, int acquisition) const {
    for (const Bone& bone : bones())
      if (bone.info.id == specimen.id && acquisition >= 0 && acquisition < bone.info.acquisitions)
        return bone.series[static_cast<std::size_t>(acquisition)];
    throw failure(text("there is no acquisition ", acquisition, " of specimen \"", specimen.id, "\""));
  }

  std::vector<Bone> scan() const {
    std::error_code problem;
    if (!fs::is_directory(path_, problem))
      throw Error(text(path_.string(), ": no such folder; source.path must name a folder of CT series in DICOM"));
    dicom::Findings found = dicom::find_slices(dicom::files_of(path_, true));
    if (found.slices.empty() && !found.stranger.empty())
      throw Error(text(path_.string(), ": no CT image found: ", found.stranger,
                       ", not a CT image; source.path must name a folder of CT series"));
    if (found.slices.empty())
      throw Error(text(path_.string(),
                       ": no CT image found: looked for DICOM files (by content, whatever their names) "
                       "in this folder and all below it, among ",
                       found.files, " files; source.path must name a folder of CT series"));
    notices_.clear();
    if (found.localisers > 0) notices_.push_back(plural(found.localisers, "localiser", "localisers") + " left out");
    if (found.strangers > 0)
      notices_.push_back(text(plural(found.strangers, "DICOM object that is no CT image",
                                     "DICOM objects that are no CT "
                                     "images"),
                              " left out; ", found.stranger));
    SeriesList series = one_series_per_folder(std::move(found.slices));
    tell_people_apart(series);
    std::vector<Bone> result = grouped(std::move(series));
    name(result);
    return result;
  }

  /// Chooses within each folder; a series that is spread over several folders is put together again.
  SeriesList one_series_per_folder(std::vector<Slice> slices) const {
    std::map<fs::path, std::vector<Slice>> folders;
    for (Slice& slice : slices) folders[slice.file.parent_path()].push_back(std::move(slice));
    std::vector<Slice> kept;
    for (auto& [folder, members] : folders) {
      SeriesList series = dicom::by_series(std::move(members));
      if (series.size() > 1 && !largest_)
        throw Error(text(path_.string(), ": one folder holds ", dicom::enumeration(series),
                         "; put each series in a folder of its own, or set source.series = \"largest\" to take the "
                         "largest of each folder"));
      std::move(series.front().begin(), series.front().end(), std::back_inserter(kept));
    }
    return dicom::by_series(std::move(kept));
  }

  /// The person behind a series. Never leaves this class unhashed.
  std::string person_of(const Slice& slice) const {
    if (slice.pseudonymous) return "patient " + slice.patient;
    if (!by_study_ && !is_nobody(slice.patient)) return "patient " + slice.patient;
    return slice.study.empty() ? "series " + slice.series : "study " + slice.study;
  }

  /// Says where the headers leave it open who is who.
  void tell_people_apart(const SeriesList& all) const {
    std::map<std::string, std::set<std::string>> studies;  // of each PatientID
    std::set<std::string> nobodies;
    for (const auto& series : all) {
      const Slice& slice = series.front();
      if (slice.pseudonymous || by_study_) continue;
      if (is_nobody(slice.patient))
        nobodies.insert(slice.study);
      else
        studies[slice.patient].insert(slice.study);
    }
    if (nobodies.size() > 1)
      notices_.push_back(text("the PatientID of ", nobodies.size(),
                              " studies names nobody; each study was taken for a person of its own"));
    std::size_t people = 0, several = 0;
    for (const auto& [patient, uids] : studies)
      if (uids.size() > 1) ++people, several += uids.size();
    if (people > 0)
      notices_.push_back(text(several, " studies share ", plural(people, "PatientID", "PatientIDs"),
                              "; the series of a PatientID were taken for the same person's. If one PatientID stands "
                              "for several people, set source.person = \"study\""));
  }

  /// Person and side → specimen; its series in order of SeriesNumber, then UID.
  std::vector<Bone> grouped(SeriesList all) const {
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
      return std::tie(a.front().series_number, a.front().series) < std::tie(b.front().series_number, b.front().series);
    });
    // Known ids first, by id; the others in the order of a hash, which says nothing of the person.
    std::map<std::tuple<bool, std::string, std::string, std::string>, Bone> bones;
    for (auto& series : all) {
      const Slice& slice = series.front();
      const bool foreign = !has_plain_id(slice);
      const auto key =
          std::tuple(foreign, foreign ? "" : slice.description, sha256(person_of(slice)), slice.laterality);
      bones[key].series.push_back(std::move(series));
    }
    std::vector<Bone> result;
    for (auto& [key, bone] : bones) result.push_back(std::move(bone));
    return result;
  }

  void name(std::vector<Bone>& bones) const {
    std::map<std::string, std::string> people;  // person → subject
    std::map<std::string, std::size_t> ids;
    std::size_t number = 0;
    for (Bone& bone : bones) {
      const Slice& slice = bone.series.front().front();
      const std::string person = person_of(slice);
      ++number;
      if (has_plain_id(slice)) {
        bone.info.id = slice.description;
        bone.info.subject = slice.patient;
      } else if (!salt_.empty()) {
        bone.info.id = "bone-" + hmac_sha256(salt_, person + "\n" + slice.laterality).substr(0, 8);
        bone.info.subject = "person-" + hmac_sha256(salt_, person).substr(0, 8);
      } else {
        bone.info.id = numbered("bone", number, bones.size());
        bone.info.subject =
            people.try_emplace(person, numbered("person", people.size() + 1, bones.size())).first->second;
      }
      const std::string side = side_ != "auto"           ? side_
                               : slice.laterality == "L" ? "left"
                               : slice.laterality == "R" ? "right"
                                                         : "";
      bone.info.side = side == "left" ? Side::left : side == "right" ? Side::right : Side::unknown;
      bone.info.acquisitions = static_cast<int>(bone.series.size());
      if (++ids[bone.info.id] == 2)
        throw Error(text(path_.string(), ": two different bones are called \"", bone.info.id,
                         "\": the exports of two experiments lie below this folder; set source.path to one of them"));
    }
  }

  fs::path path_;
  bool largest_, by_study_;
  std::string side_, salt_;
  mutable std::mutex mutex_;
  mutable std::vector<Bone> bones_;
  mutable std::vector<std::string> notices_;
};

}  // namespace

OSTEON_PLUGIN(source, dicom, "0.1.0", DicomSource)

}  // namespace osteon
