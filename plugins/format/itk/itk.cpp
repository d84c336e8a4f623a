// format/itk: a CT volume as one NIfTI, NRRD or MetaImage file, written through ITK.
//
// Reads .nii, .nii.gz, .nrrd, .nhdr, .mha and .mhd: values are Hounsfield units, axes and origin are the file's own.
// Writes .nrrd, .mha, .nii and .nii.gz, 16 bits signed, compressed; a name without one of these endings gets `ending`.
// .nrrd and .mha keep the grid to the last bit and carry the pseudonyms of the specimen (osteon_id, osteon_subject,
// osteon_side, osteon_acquisition), which source/image takes over; NIfTI keeps the grid in single precision and
// neither.
//
//     osteon export itk experiments/quickstart.toml --out DIR

#include "itk/image_file.hpp"
#include "itk/radiograph_file.hpp"

#include <osteon/error.hpp>
#include <osteon/format.hpp>

namespace osteon {

namespace {

class ItkFormat : public Format {
 public:
  static Schema schema() {
    return {"CT volumes in NIfTI, NRRD and MetaImage files, written through ITK.",
            {Parameter::text("ending", ".nrrd", "Ending of a file that is written under a name without one.")
                 .one_of(std::vector<std::string>{".nrrd", ".mha", ".nii", ".nii.gz"})}};
  }
  explicit ItkFormat(const Parameters& parameters) : ending_(parameters.text("ending")) {}

  std::vector<std::string> endings() const override {
    std::vector<std::string> all = image::endings();
    all.insert(all.end(), picture::endings().begin(), picture::endings().end());
    return all;
  }

  Radiograph read_radiograph(const std::filesystem::path& path) const override {
    return picture::read_radiograph(path);
  }

  Volume read_volume(const std::filesystem::path& path) const override { return image::ImageFile(path).hounsfield(0); }

  void write_volume(const Volume& volume, const VolumeLabel& label, const std::filesystem::path& path) const override {
    const bool named = !image::ending_of(path).empty();
    image::write(volume,
                 {{"osteon_id", label.specimen.id},
                  {"osteon_subject", label.specimen.subject},
                  {"osteon_side", to_text(label.specimen.side)},
                  {"osteon_acquisition", std::to_string(label.acquisition + 1)}},
                 named ? path : std::filesystem::path(path.string() + ending_));
  }

 private:
  std::string ending_;
};

}  // namespace

OSTEON_PLUGIN(format, itk, "0.1.0", ItkFormat)

}  // namespace osteon
