// Everything that a header of an exported CT slice says. The same volume and label give the same bytes: there is no
// date in it, and the identifiers are digests (DICOM PS3.5, B.2: 2.25 followed by a UUID as a decimal number).

#include "series_writer.hpp"

#include "itk/dicom_slice.hpp"

#include <gdcmDataElement.h>
#include <gdcmTag.h>
#include <gdcmWriter.h>

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/files.hpp>
#include <osteon/parallel.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <iomanip>
#include <sstream>
#include <vector>

namespace osteon::dicom {

namespace fs = std::filesystem;

namespace {

constexpr const char* kCtImageStorage = "1.2.840.10008.5.1.4.1.1.2";

/// A decimal string (VR DS): at most 16 characters, the shortest that reads back to `value`, else the nearest that
/// fits.
std::string decimal(double value) {
  std::array<char, 64> buffer{};
  auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value).ptr;
  for (int digits = 16; end - buffer.data() > 16; --digits)
    end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::general, digits).ptr;
  return {buffer.data(), end};
}

std::string decimals(std::initializer_list<double> values) {
  std::string words;
  for (const double value : values) {
    if (!words.empty()) words += '\\';
    words += decimal(value);
  }
  return words;
}

/// The first 128 bits of the SHA-256, marked as a UUID of version 8 (RFC 9562), in decimal.
std::string identifier(const std::string& what) {
  const std::string hex = sha256(what);
  std::array<unsigned, 16> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) std::from_chars(&hex[2 * i], &hex[2 * i] + 2, bytes[i], 16);
  bytes[6] = (bytes[6] & 0x0f) | 0x80;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  std::string digits;
  while (std::any_of(bytes.begin(), bytes.end(), [](unsigned byte) { return byte != 0; })) {
    unsigned rest = 0;  // long division by ten
    for (unsigned& byte : bytes) {
      const unsigned value = rest * 256 + byte;
      byte = value / 10;
      rest = value % 10;
    }
    digits.insert(digits.begin(), static_cast<char>('0' + rest));
  }
  return "2.25." + digits;
}

/// A data set that is filled element by element.
class Header {
 public:
  explicit Header(gdcm::DataSet& data) : data_(&data) {}

  void put(std::uint16_t group, std::uint16_t element, const gdcm::VR& vr, std::string words) {
    if (words.size() % 2 == 1) words += vr == gdcm::VR::UI ? '\0' : ' ';
    put_bytes(group, element, vr, words.data(), words.size());
  }
  void put(std::uint16_t group, std::uint16_t element, std::int64_t number) {
    const auto value = static_cast<std::uint16_t>(number);
    put_bytes(group, element, gdcm::VR::US, &value, sizeof value);
  }
  void put_bytes(std::uint16_t group, std::uint16_t element, const gdcm::VR& vr, const void* bytes, std::size_t size) {
    gdcm::DataElement entry(gdcm::Tag(group, element));
    entry.SetVR(vr);
    entry.SetByteValue(static_cast<const char*>(bytes), gdcm::VL(static_cast<std::uint32_t>(size)));
    data_->Replace(entry);
  }

 private:
  gdcm::DataSet* data_;
};

/// What all slices of the series have in common.
struct Series {
  Grid grid;
  VolumeLabel label;
  std::string study, series, frame;
};

void put_patient_and_study(const Series& series, Header& header) {
  using gdcm::VR;
  header.put(0x0008, 0x0020, VR::DA,
             "");  // StudyDate, StudyTime, AccessionNumber, ReferringPhysicianName: required, empty
  header.put(0x0008, 0x0030, VR::TM, "");
  header.put(0x0008, 0x0050, VR::SH, "");
  header.put(0x0008, 0x0090, VR::PN, "");
  header.put(0x0010, 0x0010, VR::PN, series.label.specimen.subject);
  header.put(0x0010, 0x0020, VR::LO, series.label.specimen.subject);
  header.put(0x0010, 0x0030, VR::DA, "");  // PatientBirthDate, PatientSex: required, empty
  header.put(0x0010, 0x0040, VR::CS, "");
  header.put(0x0012, 0x0062, VR::CS, "YES");  // PatientIdentityRemoved
  header.put(0x0012, 0x0063, VR::LO, kDeidentification);
  header.put(0x0020, 0x000d, VR::UI, series.study);
  header.put(0x0020, 0x0010, VR::SH, "");  // StudyID
}

void put_series(const Series& series, Header& header) {
  using gdcm::VR;
  header.put(0x0008, 0x0060, VR::CS, "CT");
  header.put(0x0008, 0x0070, VR::LO, kManufacturer);
  header.put(0x0008, 0x103e, VR::LO, series.label.specimen.id);
  header.put(0x0018, 0x5100, VR::CS, "HFS");  // PatientPosition: on the back, head first
  header.put(0x0020, 0x000e, VR::UI, series.series);
  header.put(0x0020, 0x0011, VR::IS, std::to_string(series.label.acquisition + 1));
  header.put(0x0020, 0x0052, VR::UI, series.frame);
  header.put(0x0020, 0x1040, VR::LO, "");  // PositionReferenceIndicator
  const Side side = series.label.specimen.side;
  if (side != Side::unknown) header.put(0x0020, 0x0060, VR::CS, side == Side::left ? "L" : "R");
}

void put_plane(const Series& series, std::int64_t k, Header& header) {
  using gdcm::VR;
  const Grid& grid = series.grid;
  const Vec3 corner = grid.to_patient({0, 0, static_cast<double>(k)});
  const Vec3 &row = grid.direction.column[0], &column = grid.direction.column[1];
  header.put(0x0018, 0x0050, VR::DS, decimal(grid.spacing.z));  // SliceThickness
  header.put(0x0018, 0x0088, VR::DS, decimal(grid.spacing.z));  // SpacingBetweenSlices
  header.put(0x0020, 0x0032, VR::DS, decimals({corner.x, corner.y, corner.z}));
  header.put(0x0020, 0x0037, VR::DS, decimals({row.x, row.y, row.z, column.x, column.y, column.z}));
  header.put(0x0028, 0x0030, VR::DS, decimals({grid.spacing.y, grid.spacing.x}));  // between rows, between columns
}

void put_pixels(const Series& series, std::span<const std::int16_t> hounsfield, Header& header) {
  using gdcm::VR;
  header.put(0x0028, 0x0002, 1);  // SamplesPerPixel
  header.put(0x0028, 0x0004, VR::CS, "MONOCHROME2");
  header.put(0x0028, 0x0010, series.grid.size[1]);
  header.put(0x0028, 0x0011, series.grid.size[0]);
  header.put(0x0028, 0x0100, 16);  // BitsAllocated, BitsStored, HighBit, PixelRepresentation
  header.put(0x0028, 0x0101, 16);
  header.put(0x0028, 0x0102, 15);
  header.put(0x0028, 0x0103, 1);
  header.put(0x0028, 0x1052, VR::DS, std::to_string(kIntercept));
  header.put(0x0028, 0x1053, VR::DS, "1");
  header.put(0x0028, 0x1054, VR::LO, "HU");
  std::vector<std::int16_t> stored(hounsfield.size());
  std::transform(hounsfield.begin(), hounsfield.end(), stored.begin(),
                 [](std::int16_t value) { return static_cast<std::int16_t>(value - kIntercept); });
  header.put_bytes(0x7fe0, 0x0010, VR::OW, stored.data(), stored.size() * sizeof stored[0]);
}

/// One slice as the bytes of a file.
std::string slice_bytes(const Series& series, std::int64_t k, std::span<const std::int16_t> hounsfield) {
  using gdcm::VR;
  gdcm::Writer writer;
  gdcm::File& file = writer.GetFile();
  file.GetHeader().SetDataSetTransferSyntax(gdcm::TransferSyntax::ExplicitVRLittleEndian);
  Header header(file.GetDataSet());
  header.put(0x0008, 0x0008, VR::CS, "DERIVED\\SECONDARY\\AXIAL");
  header.put(0x0008, 0x0016, VR::UI, kCtImageStorage);
  header.put(0x0008, 0x0018, VR::UI, identifier(text(series.series, " slice ", k)));
  header.put(0x0018, 0x0060, VR::DS, "");  // KVP
  header.put(0x0020, 0x0012, VR::IS, std::to_string(series.label.acquisition + 1));
  header.put(0x0020, 0x0013, VR::IS, std::to_string(k + 1));
  put_patient_and_study(series, header);
  put_series(series, header);
  put_plane(series, k, header);
  put_pixels(series, hounsfield, header);
  std::ostringstream bytes;
  writer.SetStream(bytes);
  if (!writer.Write()) throw failure(text("GDCM can't write slice ", k + 1));
  return bytes.str();
}

/// Words that go into a header must be short and without characters that DICOM reads as separators.
void require_plain(const std::string& what, const std::string& word) {
  const bool plain = !word.empty() && word.size() <= 64 && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return c >= 32 && c < 127 && c != '\\' && c != '^' && c != '=';
  });
  if (!plain)
    throw Error(text("DICOM holds a ", what, " of 1 to 64 plain characters without \\, ^ and =; it is \"", word, "\""));
}

Series series_of(const Volume& volume, const VolumeLabel& label) {
  Series series{volume.grid.canonical(), label, "", "", ""};
  require_plain("specimen id", label.specimen.id);
  require_plain("subject", label.specimen.subject);
  if (volume.grid.size[0] > 65535 || volume.grid.size[1] > 65535)
    throw Error(text("DICOM holds slices of at most 65535 x 65535 pixels; this volume's have ", volume.grid.size[0],
                     " x ", volume.grid.size[1]));
  // The content too: another volume under the same label is another series.
  Digest content;
  const Grid& grid = series.grid;
  for (int axis = 0; axis < 3; ++axis)
    content.add(text(std::setprecision(17), grid.spacing[axis], " ", grid.origin[axis], " ",
                     grid.direction.column[0][axis], " ", grid.direction.column[1][axis], "\n"));
  content.add(std::as_bytes(
      std::span(volume.hounsfield.data_ptr<std::int16_t>(), static_cast<std::size_t>(volume.hounsfield.numel()))));
  const std::string name =
      text(label.specimen.subject, "\n", label.specimen.id, "\n", label.acquisition, "\n", content.hex());
  series.study = identifier("osteon study\n" + label.specimen.subject);
  series.series = identifier("osteon series\n" + name);
  series.frame = identifier("osteon frame of reference\n" + name);
  return series;
}

void require_range(const Volume& volume) {
  constexpr int kLargest = 32767 + kIntercept;
  const auto* voxels = volume.hounsfield.data_ptr<std::int16_t>();
  const std::int16_t largest = *std::max_element(voxels, voxels + volume.hounsfield.numel());
  if (largest > kLargest)
    throw Error(text("the volume's largest value is ", largest, " HU; 16-bit DICOM with the intercept ", kIntercept,
                     " holds at most ", kLargest, " HU"));
}

}  // namespace

void write_series(const Volume& volume, const VolumeLabel& label, const fs::path& folder) {
  require_range(volume);
  const Series series = series_of(volume, label);
  std::error_code problem;
  if (fs::exists(folder) && !fs::is_empty(folder, problem))
    throw Error(text(folder.string(), ": is there already and not empty; remove it, or choose another folder"));
  const fs::path partial = folder.string() + ".partial";
  fs::remove_all(partial, problem);
  fs::create_directories(partial, problem);
  if (problem) throw failure(text(partial.string(), ": cannot make the folder: ", problem.message()));
  const auto plane = static_cast<std::size_t>(series.grid.size[0] * series.grid.size[1]);
  const auto* voxels = volume.hounsfield.data_ptr<std::int16_t>();
  try {
    for (std::int64_t k = 0; k < series.grid.size[2]; ++k) {
      throw_if_stopped();
      std::ostringstream name;
      name << "slice_" << std::setw(4) << std::setfill('0') << k + 1 << ".dcm";
      write_file(partial / name.str(), slice_bytes(series, k, {voxels + static_cast<std::size_t>(k) * plane, plane}));
    }
    fs::rename(partial, folder);
  } catch (const fs::filesystem_error& e) {
    fs::remove_all(partial, problem);
    throw failure(text(folder.string(), ": cannot rename the complete series: ", e.code().message()));
  } catch (...) {
    fs::remove_all(partial, problem);
    throw;
  }
}

}  // namespace osteon::dicom
