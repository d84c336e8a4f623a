// DICOM: files of one folder, each from the word DICM on (the 128 bytes in front of it say nothing), taken for CT
// series as format/dicom and source/dicom take them, and each for a radiograph.

#include "harness.hpp"

#include "itk/dicom_series.hpp"
#include "itk/radiograph_file.hpp"

namespace osteon::fuzz {
namespace {

constexpr std::size_t kMostFiles = 8;

std::string read_dicom(std::string_view bytes) {
  std::vector<std::filesystem::path> files;
  for (const std::string_view part : cut_before(bytes, "DICM")) {
    if (files.size() == kMostFiles) break;
    files.push_back(put(text(files.size(), ".dcm"), std::string(128, '\0') + std::string(part)));
  }
  std::string radiograph;
  for (const auto& file : files) radiograph = message_of([&] { (void)read_radiograph_file(file); });
  const std::string series = message_of([&] {
    const dicom::Findings found = dicom::find_slices(files);
    const auto all = dicom::by_series(found.slices);
    if (all.empty()) throw Error("no CT image found");
    (void)dicom::enumeration(all);
    for (const auto& slices : all) {
      (void)dicom::digest_of(slices);
      (void)dicom::read_series(slices);
    }
  });
  return radiograph.empty() ? "" : series;
}

const Registered kDicom("dicom", read_dicom);

}  // namespace
}  // namespace osteon::fuzz
