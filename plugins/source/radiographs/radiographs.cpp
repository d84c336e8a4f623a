// source/radiographs: real X-ray pairs, without any CT.
//
// A table says what each picture is: columns file, subject, side (left, right or empty), view (ap or ml), spacing (mm
// between pixels at the bone; empty: as the file says), and if wanted acquisition (1, 2, …: which picture of a bone it
// is) in any order. A bone is a subject's side; each of its acquisitions needs one AP and one ML picture. Files are
// DICOM (CR, DX, secondary captures), PNG, JPEG or TIFF, told apart by content, named relative to the folder `path`.
// How they are made like artificial X-rays is said in [radiographs]. Names in the table come into the store and the
// reports: use pseudonyms.
//
//     [source]
//     plugin = "radiographs"
//     path   = "../data/xrays"
//     table  = "../data/xrays/xrays.csv"
//
// With two acquisitions of a bone, taken on different days, the later ones are the queries. With one, gallery and
// queries are the same picture turned in its plane, and identity figures say nothing.

#include "itk/radiograph_file.hpp"
#include "table.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/source.hpp>

#include <map>
#include <mutex>

namespace osteon {

namespace {

namespace fs = std::filesystem;

struct Pair {
  std::optional<radiographs::Row> ap, ml;
};

struct Bone {
  SpecimenInfo info;
  std::map<int, Pair> pairs;  ///< by acquisition's number in the table
};

/// Ids become names of folders and rows of tables: letters, digits, - _ . and nothing else.
std::string plain(std::string word) {
  for (char& c : word)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_' && c != '.') c = '-';
  while (!word.empty() && (word.front() == '.' || word.front() == '-')) word.erase(0, 1);
  return word.substr(0, 64);
}

class RadiographSource : public Source {
 public:
  static Schema schema() {
    return {"Real X-ray pairs (AP and ML): a folder of images and a table of what each is; no CT.",
            {Parameter::path("path", "", "Folder of the images.").required(),
             Parameter::path("table", "", "CSV with the columns file, subject, side, view, spacing (and acquisition).")
                 .required()}};
  }

  explicit RadiographSource(const Parameters& parameters)
      : path_(parameters.path("path")), table_(parameters.path("table")) {}

  std::vector<SpecimenInfo> specimens() const override {
    std::vector<SpecimenInfo> list;
    for (const Bone& bone : bones()) list.push_back(bone.info);
    return list;
  }

  std::string content_digest(const SpecimenInfo& specimen, int acquisition) const override {
    const Pair& found = pair(specimen, acquisition);
    Digest digest;
    for (const radiographs::Row* row : {&*found.ap, &*found.ml})
      digest.add(text(sha256_of_file(path_ / row->file), " ", row->spacing, "\n"));
    return digest.hex();
  }

  Acquisition acquire(const SpecimenInfo& specimen, int acquisition) const override {
    const Pair& found = pair(specimen, acquisition);
    Acquisition result;
    result.radiographs = RadiographPair{read(*found.ap), read(*found.ml)};
    return result;
  }

 private:
  [[nodiscard]] Radiograph read(const radiographs::Row& row) const {
    Radiograph radiograph = read_radiograph_file(path_ / row.file);
    if (row.spacing > 0) {
      radiograph.pixel_spacing = row.spacing;
      radiograph.spacing_source = "the table";
    } else if (radiograph.pixel_spacing <= 0) {
      radiograph.spacing_source = text(row.where, " gives no spacing and ", radiograph.spacing_source);
    }
    return radiograph;
  }

  const std::vector<Bone>& bones() const {
    const std::lock_guard lock(mutex_);
    if (bones_.empty()) bones_ = list_all();
    return bones_;
  }

  const Pair& pair(const SpecimenInfo& specimen, int acquisition) const {
    for (const Bone& bone : bones())
      if (bone.info.id == specimen.id && acquisition >= 0 && acquisition < bone.info.acquisitions)
        return std::next(bone.pairs.begin(), acquisition)->second;
    throw failure(text("there is no acquisition ", acquisition, " of specimen \"", specimen.id, "\""));
  }

  std::vector<Bone> list_all() const {
    std::map<std::string, Bone> bones;
    for (const radiographs::Row& row : radiographs::read_table(table_)) {
      std::error_code problem;
      if (!fs::is_regular_file(path_ / row.file, problem))
        throw Error(text(row.where, ": no file \"", row.file, "\"; file names are relative to the folder source.path"));
      const std::string id = plain(row.subject + (row.side == Side::unknown ? "" : "-" + to_text(row.side)));
      Bone& bone = bones[id];
      if (!bone.pairs.empty() && bone.info.subject != row.subject)
        throw Error(text(row.where, ": the subjects \"", bone.info.subject, "\" and \"", row.subject,
                         "\" give the same id \"", id, "\"; name them apart"));
      bone.info = {id, row.subject, row.side, 1};
      Pair& pair = bone.pairs[row.acquisition];
      std::optional<radiographs::Row>& view = row.is_ap ? pair.ap : pair.ml;
      if (view)
        throw Error(text(row.where, ": a second ", row.is_ap ? "AP" : "ML", " picture of ", id, " beside ", view->where,
                         "; number repeated pictures in a column acquisition"));
      view = row;
    }
    std::vector<Bone> result;
    for (auto& [id, bone] : bones) {
      for (const auto& [number, pair] : bone.pairs)
        if (!pair.ap || !pair.ml)
          throw Error(text((pair.ap ? pair.ap : pair.ml)->where, ": ", id, " has an ", pair.ap ? "AP" : "ML",
                           " picture and no ", pair.ap ? "ML" : "AP", " in acquisition ", number,
                           "; a pair needs both"));
      bone.info.acquisitions = static_cast<int>(bone.pairs.size());
      result.push_back(std::move(bone));
    }
    return result;
  }

  fs::path path_, table_;
  mutable std::mutex mutex_;
  mutable std::vector<Bone> bones_;
};

}  // namespace

OSTEON_PLUGIN(source, radiographs, "0.1.0", RadiographSource)

}  // namespace osteon
