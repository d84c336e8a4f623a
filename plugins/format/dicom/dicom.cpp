// format/dicom: a CT volume as a folder of DICOM files, one per slice; a radiograph as one DICOM file.
//
// Writes CT Image Storage, MONOCHROME2, 16 bits signed, explicit little endian. Stored values are HU + 1024 with
// rescale slope 1 and intercept -1024, so HU from -32768 to 31743 fit; more is an error. Numbers of the grid are
// decimal strings that read back to the same bits as `Grid::canonical`. The header carries pseudonyms only: PatientID
// and PatientName are the specimen's subject, SeriesDescription its id, Laterality its side, SeriesNumber its
// acquisition + 1; there is no date. The same volume and label give the same bytes.
//
// Reads one series: a folder with the slices of one CT series, or one file of such a folder, as source/dicom reads it:
// sheared or unevenly spaced slices are resampled. No parameters.
//
// Reads a radiograph: CR, DX, or a secondary capture (with a notice), MONOCHROME1 or 2. Its scale is PixelSpacing where
// it is calibrated, else ImagerPixelSpacing over the magnification that the header estimates or its distances give.
//
//     osteon export dicom experiments/quickstart.toml --out DIR

#include "itk/dicom_series.hpp"
#include "itk/radiograph_file.hpp"
#include "series_writer.hpp"

#include <osteon/error.hpp>
#include <osteon/format.hpp>

#include <algorithm>

namespace osteon {

namespace {

class DicomFormat : public Format {
 public:
  static Schema schema() {
    return {"CT volumes as folders of DICOM slices, and radiographs (DICOM PS3.3, CT, CR and DX Image IOD).", {}};
  }
  explicit DicomFormat(const Parameters& /*parameters*/) {}

  std::vector<std::string> endings() const override { return {".dcm", ".dicom"}; }

  Volume read_volume(const std::filesystem::path& path) const override {
    const bool single = std::filesystem::is_regular_file(path);
    if (!single && !std::filesystem::is_directory(path))
      throw Error(text(path.string(), ": no such file or folder; give a folder of the slices of one CT series"));
    const std::filesystem::path folder = single ? path.parent_path() : path;
    const auto files = dicom::files_of(folder.empty() ? "." : folder, false);
    const dicom::Findings found = dicom::find_slices(files);
    auto series = dicom::by_series(found.slices);
    if (single) keep_series_of(path, series);
    if (series.empty()) throw Error(text(path.string(), ": ", nothing_found(found)));
    if (series.size() > 1)
      throw Error(text(path.string(), ": the folder holds ", dicom::enumeration(series),
                       "; name one file of the series that is meant, or put each series in a folder of its own"));
    return dicom::read_series(series.front()).volume;
  }

  Radiograph read_radiograph(const std::filesystem::path& path) const override { return dicom::read_radiograph(path); }

  void write_volume(const Volume& volume, const VolumeLabel& label, const std::filesystem::path& path) const override {
    dicom::write_series(volume, label, path);
  }

 private:
  static std::string nothing_found(const dicom::Findings& found) {
    if (!found.stranger.empty()) return "no CT image found: " + found.stranger + ", not a CT image";
    return text("no CT image found among ", found.files, " files (DICOM is recognised by content, not by name)");
  }

  static void keep_series_of(const std::filesystem::path& file, std::vector<std::vector<dicom::Slice>>& series) {
    if (!dicom::is_dicom(file)) throw Error(text(file.string(), ": not a DICOM file"));
    const std::string uid = dicom::read_slices(file).front().series;
    std::erase_if(series, [&](const auto& slices) { return slices.front().series != uid; });
  }
};

}  // namespace

OSTEON_PLUGIN(format, dicom, "0.1.0", DicomFormat)

}  // namespace osteon
