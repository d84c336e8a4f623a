// source/image: CT volumes from NIfTI, NRRD and MetaImage files.
//
// `path` is one file, or a folder that is searched with all folders below it for .nii, .nii.gz, .nrrd, .nhdr, .mha and
// .mhd. Values are Hounsfield units after `intercept` is added; integer and float voxels are read, floats rounded.
// Refused, with the numbers: values beyond 16 bits, below -10000 HU, or none below 0 HU (no air, no fat: not a CT in
// HU), a file that does not say where it lies, axes that are not perpendicular.
//
// What each volume is comes from a table (columns file, subject, side; if wanted id, and acquisition where one bone was
// scanned more than once), else from what format/itk wrote into the file, else from its name: the id is the name
// without its ending, the side a word "left", "right", "l" or "r" in it (parted by - _ . or space), the subject the
// rest. Names and tables come into the store and the reports: use pseudonyms.
//
// A label map says which voxels are the bone: a file of the same name (and `label_suffix`) in the folder `labels`, or
// beside the volume with `label_suffix`. It must lie on the volume's grid.
//
//     [source]
//     plugin = "image"
//     path   = "../data/nifti"
//     table  = "../data/nifti/subjects.csv"  # optional
//     label_suffix = "_seg"       # femur-01.nii.gz is labelled by femur-01_seg.nii.gz; "" with no `labels`: no label
//     maps label  = 1                  # the value that marks the bone; 0: any but 0

#include "itk/image_file.hpp"
#include "table.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/files.hpp>
#include <osteon/source.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <mutex>

namespace osteon {

namespace {

namespace fs = std::filesystem;

constexpr int kLowest = -10000;  // HU; below any padding that scanners use

struct Scan {
  fs::path file, labels;
  int acquisition = 0;
};

struct Bone {
  SpecimenInfo info;
  std::vector<Scan> scans;
};

std::string stem_of(const fs::path& file) {
  const std::string name = file.filename().string();
  return name.substr(0, name.size() - image::ending_of(file).size());
}

/// Ids become names of folders and rows of tables: letters, digits, - _ . and nothing else.
std::string plain(std::string word) {
  for (char& c : word)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_' && c != '.') c = '-';
  while (!word.empty() && (word.front() == '.' || word.front() == '-')) word.erase(0, 1);
  return word.substr(0, 64);
}

/// Id, subject and side from a name: "p012_left" → "p012_left", "p012", left.
SpecimenInfo from_name(const std::string& stem) {
  SpecimenInfo info;
  info.id = plain(stem);
  std::vector<std::string> words(1);
  for (const char c : stem) {
    if (c == '-' || c == '_' || c == '.' || c == ' ')
      words.emplace_back();
    else
      words.back() += c;
  }
  std::string rest;
  int sides = 0;
  for (const std::string& word : words) {
    std::string key = word;
    std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) { return std::tolower(c); });
    const bool left = key == "left" || key == "l", right = key == "right" || key == "r";
    if (left || right) {
      ++sides;
      info.side = left ? Side::left : Side::right;
    } else if (!word.empty()) {
      rest += (rest.empty() ? "" : "-") + word;
    }
  }
  if (sides != 1) info.side = Side::unknown;
  info.subject = sides == 1 && !rest.empty() ? plain(rest) : info.id;
  return info;
}

class ImageSource : public Source {
 public:
  static Schema schema() {
    return {
        "CT volumes in NIfTI, NRRD and MetaImage files, with or without label maps.",
        {Parameter::path("path", "", "One file, or a folder; it and all folders below it are searched.").required(),
         Parameter::path("table", "", "CSV with the columns file, subject, side (and id, acquisition)."),
         Parameter::path("labels", "", "Folder of label maps with the names of their volumes."),
         Parameter::text("label_suffix", "",
                         "What the name of a label map has behind its volume's; without `labels` it lies beside it.")
             .not_in_key(),  // which files are read is in the content digest
         Parameter::integer("label", 1, "Value of the label map that marks the bone; 0 for any but 0.").at_least(0),
         Parameter::real("intercept", 0, "Added to every value; -1024 for files that hold stored values of a CT.")
             .unit("HU"),
         Parameter::text("side", "auto", "Side of the bones: as the table or the name says, or given.")
             .one_of(std::vector<std::string>{"auto", "left", "right"})
             .not_in_key()}};  // the volume is the same; the surface's key has the side
  }

  explicit ImageSource(const Parameters& parameters)
      : path_(parameters.path("path")),
        table_(parameters.path("table")),
        labels_(parameters.path("labels")),
        suffix_(parameters.text("label_suffix")),
        label_(static_cast<double>(parameters.integer("label"))),
        intercept_(parameters.real("intercept")),
        side_(parameters.text("side")) {}

  std::vector<SpecimenInfo> specimens() const override {
    std::vector<SpecimenInfo> list;
    for (const Bone& bone : bones()) list.push_back(bone.info);
    return list;
  }

  std::string content_digest(const SpecimenInfo& specimen, int acquisition) const override {
    const Scan& found = scan(specimen, acquisition);
    Digest digest;
    for (const fs::path& file : {found.file, found.labels})
      if (!file.empty())
        for (const fs::path& part : image::parts_of(file)) digest.add(sha256_of_file(part) + "\n");
    return digest.hex();
  }

  Acquisition acquire(const SpecimenInfo& specimen, int acquisition) const override {
    const Scan& found = scan(specimen, acquisition);
    const image::ImageFile file(found.file);
    Acquisition result{file.hounsfield(intercept_)};
    require_plausible(found.file, result.volume);
    if (found.labels.empty()) return result;
    const image::ImageFile labels(found.labels);
    require_same_grid(found, file.grid(), labels.grid());
    result.bone_mask = labels.labelled(label_);
    return result;
  }

 private:
  const std::vector<Bone>& bones() const {
    const std::lock_guard lock(mutex_);
    if (bones_.empty()) bones_ = scan_all();
    return bones_;
  }

  const Scan& scan(const SpecimenInfo& specimen, int acquisition) const {
    for (const Bone& bone : bones())
      if (bone.info.id == specimen.id && acquisition >= 0 && acquisition < bone.info.acquisitions)
        return bone.scans[static_cast<std::size_t>(acquisition)];
    throw failure(text("there is no acquisition ", acquisition, " of specimen \"", specimen.id, "\""));
  }

  bool is_label_map(const fs::path& file) const {
    return !suffix_.empty() && stem_of(file).size() > suffix_.size() && stem_of(file).ends_with(suffix_);
  }

  /// The folder of the volumes.
  fs::path folder() const {
    std::error_code problem;
    return fs::is_directory(path_, problem) ? path_ : path_.parent_path();
  }

  std::vector<fs::path> files() const {
    std::error_code problem;
    if (fs::is_regular_file(path_, problem)) {
      if (image::ending_of(path_).empty())
        throw Error(text(path_.string(), ": not a NIfTI, NRRD or MetaImage file by its ending"));
      return {path_};
    }
    if (!fs::is_directory(path_, problem))
      throw Error(text(path_.string(),
                       ": no such file or folder; source.path must name CT volumes in NIfTI, NRRD or "
                       "MetaImage"));
    std::vector<fs::path> found;
    const fs::path labels = labels_.empty() ? fs::path() : fs::weakly_canonical(labels_, problem);
    try {
      for (auto entry = fs::recursive_directory_iterator(path_); entry != fs::recursive_directory_iterator(); ++entry) {
        if (entry->is_directory() && !labels.empty() && fs::weakly_canonical(entry->path(), problem) == labels)
          entry.disable_recursion_pending();
        else if (entry->is_regular_file() && !image::ending_of(entry->path()).empty() && !is_label_map(entry->path()))
          found.push_back(entry->path());
      }
    } catch (const fs::filesystem_error& e) {
      throw Error(text(path_.string(), ": cannot list it and the folders below it: ", e.code().message()));
    }
    std::sort(found.begin(), found.end());
    if (found.empty())
      throw Error(text(path_.string(),
                       ": no CT volume found: looked for .nii, .nii.gz, .nrrd, .nhdr, .mha and .mhd in "
                       "this folder and all below it; source.path must name CT volumes"));
    return found;
  }

  /// The label map of a volume, or an empty path when none are asked for.
  fs::path labels_of(const fs::path& file) const {
    if (labels_.empty() && suffix_.empty()) return {};
    const fs::path where = labels_.empty() ? file.parent_path() : labels_;
    std::error_code problem;
    std::vector<std::string> endings = image::endings();
    std::stable_partition(endings.begin(), endings.end(),
                          [&](const std::string& ending) { return ending == image::ending_of(file); });
    for (const std::string& ending : endings)
      if (const fs::path candidate = where / (stem_of(file) + suffix_ + ending);
          fs::is_regular_file(candidate, problem))
        return candidate;
    throw Error(text(file.filename().string(), ": its label map is missing: expected ", stem_of(file), suffix_,
                     image::ending_of(file), labels_.empty() ? " beside it" : " in the folder source.labels",
                     ", or with another of the endings that are read"));
  }

  void add(std::map<std::string, Bone>& bones, SpecimenInfo info, const fs::path& file, int acquisition) const {
    if (side_ != "auto") info.side = side_ == "left" ? Side::left : Side::right;
    if (info.id.empty()) throw Error(text(file.filename().string(), ": its name gives no id; name it in source.table"));
    Bone& bone = bones[info.id];
    for (const Scan& other : bone.scans)
      if (other.acquisition == acquisition)
        throw Error(text(other.file.filename().string(), " and ", file.filename().string(),
                         ": two files for specimen \"", info.id,
                         "\"; name them apart, or give source.table with the column acquisition"));
    if (!bone.scans.empty() && (bone.info.subject != info.subject || bone.info.side != info.side))
      throw Error(text(file.filename().string(), ": specimen \"", info.id, "\" has two subjects or sides"));
    info.acquisitions = bone.info.acquisitions;
    bone.info = info;
    bone.scans.push_back({file, labels_of(file), acquisition});
  }

  std::vector<Bone> scan_all() const {
    std::map<std::string, Bone> bones;
    if (table_.empty())
      for (const fs::path& file : files()) add_by_itself(bones, file);
    else
      add_by_table(bones);
    std::vector<Bone> result;
    for (auto& [id, bone] : bones) {
      std::sort(bone.scans.begin(), bone.scans.end(),
                [](const Scan& a, const Scan& b) { return a.acquisition < b.acquisition; });
      bone.info.acquisitions = static_cast<int>(bone.scans.size());
      result.push_back(std::move(bone));
    }
    return result;
  }

  /// By what format/itk wrote into the file, or by its name.
  void add_by_itself(std::map<std::string, Bone>& bones, const fs::path& file) const {
    SpecimenInfo info = from_name(stem_of(file));
    int acquisition = 1;
    const image::ImageFile header(file);
    if (const std::string id = header.remark("osteon_id"); !id.empty()) {
      info.id = plain(id);
      info.subject = plain(header.remark("osteon_subject"));
      const std::string side = header.remark("osteon_side"), number = header.remark("osteon_acquisition");
      info.side = side == "left" ? Side::left : side == "right" ? Side::right : Side::unknown;
      std::from_chars(number.data(), number.data() + number.size(), acquisition);
    }
    add(bones, info, file, acquisition);
  }

  void add_by_table(std::map<std::string, Bone>& bones) const {
    for (const image::TableRow& row : image::read_table(table_)) {
      const fs::path file = folder() / row.file;
      std::error_code problem;
      if (image::ending_of(file).empty() || !fs::is_regular_file(file, problem))
        throw Error(text(row.where, ": no NIfTI, NRRD or MetaImage file \"", row.file,
                         "\"; file names are relative to the folder source.path"));
      SpecimenInfo info{row.id.empty() ? plain(stem_of(file)) : plain(row.id), row.subject, row.side, 1};
      add(bones, info, file, row.acquisition);
    }
  }

  static void require_plausible(const fs::path& file, const Volume& volume) {
    const auto* voxels = volume.hounsfield.data_ptr<std::int16_t>();
    const auto [low, high] = std::minmax_element(voxels, voxels + volume.hounsfield.numel());
    if (*low >= 0)
      throw Error(text(file.filename().string(), ": its values run from ", *low, " to ", *high,
                       " HU, so it holds neither air nor fat; is this a CT in Hounsfield units? If it holds the stored "
                       "values of one, set source.intercept (mostly -1024)"));
    if (*low < kLowest)
      throw Error(text(file.filename().string(), ": its values run from ", *low, " to ", *high,
                       " HU, and nothing in a CT lies below ", kLowest, " HU; is this a CT in Hounsfield units?"));
  }

  /// Corner by corner, to a tenth of a voxel.
  static void require_same_grid(const Scan& scan, const Grid& volume, const Grid& labels) {
    const std::string who = text(scan.labels.filename().string(), " and ", scan.file.filename().string());
    if (labels.size != volume.size)
      throw Error(text(who, ": the label map has ", labels.size[0], "x", labels.size[1], "x", labels.size[2],
                       " voxels, its volume ", volume.size[0], "x", volume.size[1], "x", volume.size[2],
                       "; resample it to the volume's grid"));
    const double voxel = std::min({volume.spacing.x, volume.spacing.y, volume.spacing.z});
    for (int corner = 0; corner < 8; ++corner) {
      Vec3 index;
      for (int axis = 0; axis < 3; ++axis)
        index[axis] =
            (corner >> axis & 1) != 0 ? static_cast<double>(volume.size[static_cast<std::size_t>(axis)] - 1) : 0;
      const double apart = norm(labels.to_patient(index) - volume.to_patient(index));
      if (apart > 0.1 * voxel)
        throw Error(
            text(who, ": the label map lies up to ", std::round(apart * 1000) / 1000,
                 " mm off its volume (another origin, spacing or direction); resample it to the volume's grid"));
    }
  }

  fs::path path_, table_, labels_;
  std::string suffix_;
  double label_, intercept_;
  std::string side_;
  mutable std::mutex mutex_;
  mutable std::vector<Bone> bones_;
};

}  // namespace

OSTEON_PLUGIN(source, image, "0.1.0", ImageSource)

}  // namespace osteon
