// The header and the pixels of one CT slice, through GDCM.

#include "itk/dicom_slice.hpp"

#include <gdcmImageReader.h>
#include <gdcmReader.h>
#include <gdcmTag.h>
#include <gdcmTrace.h>
#include <gdcmUIDs.h>

#include <osteon/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <vector>

namespace osteon::dicom {

namespace {

constexpr const char* kCtImageStorage = "1.2.840.10008.5.1.4.1.1.2";
const gdcm::Tag kPixelData(0x7fe0, 0x0010);

/// GDCM prints to the terminal what the caller is told by an `Error` anyway.
const bool quiet = [] {
  gdcm::Trace::DebugOff();
  gdcm::Trace::WarningOff();
  gdcm::Trace::ErrorOff();
  return true;
}();

std::string trimmed(std::string_view word) {
  constexpr std::string_view kPadding(" \0\t\r\n", 5);
  const std::size_t first = word.find_first_not_of(kPadding);
  if (first == std::string_view::npos) return "";
  return std::string(word.substr(first, word.find_last_not_of(kPadding) - first + 1));
}

/// The text of an element, without padding; "" when it is absent or empty.
std::string text_of(const gdcm::DataSet& data, std::uint16_t group, std::uint16_t element) {
  const gdcm::Tag tag(group, element);
  if (!data.FindDataElement(tag)) return "";
  const gdcm::ByteValue* bytes = data.GetDataElement(tag).GetByteValue();
  if (bytes == nullptr || bytes->GetPointer() == nullptr) return "";
  return trimmed({bytes->GetPointer(), static_cast<std::size_t>(bytes->GetLength())});
}

/// Decimal strings with a backslash between them; nothing unless there are `count` finite numbers.
std::optional<std::vector<double>> decimals(const std::string& words, std::size_t count) {
  std::vector<double> numbers;
  for (std::size_t begin = 0; begin <= words.size();) {
    const std::size_t end = std::min(words.find('\\', begin), words.size());
    std::string word = trimmed(std::string_view(words).substr(begin, end - begin));
    if (word.starts_with('+')) word.erase(0, 1);
    double number = 0;
    const auto result = std::from_chars(word.data(), word.data() + word.size(), number);
    if (result.ec != std::errc() || result.ptr != word.data() + word.size() || !std::isfinite(number)) return {};
    numbers.push_back(number);
    begin = end + 1;
  }
  if (numbers.size() != count) return {};
  return numbers;
}

/// An unsigned 16-bit element (VR US); GDCM has brought it into the machine's byte order.
std::int64_t number_of(const gdcm::DataSet& data, std::uint16_t group, std::uint16_t element) {
  const gdcm::Tag tag(group, element);
  if (!data.FindDataElement(tag)) return 0;
  const gdcm::ByteValue* bytes = data.GetDataElement(tag).GetByteValue();
  std::uint16_t number = 0;
  if (bytes == nullptr || bytes->GetPointer() == nullptr || bytes->GetLength() < sizeof number) return 0;
  std::memcpy(&number, bytes->GetPointer(), sizeof number);
  return number;
}

void read_identity(const gdcm::DataSet& data, Slice& slice) {
  slice.modality = text_of(data, 0x0008, 0x0060);
  slice.sop_class = text_of(data, 0x0008, 0x0016);
  gdcm::UIDs known;
  slice.sop_class_name = known.SetFromUID(slice.sop_class.c_str()) ? known.GetName() : slice.sop_class;
  slice.image_type = text_of(data, 0x0008, 0x0008);
  slice.patient = text_of(data, 0x0010, 0x0020);
  slice.study = text_of(data, 0x0020, 0x000d);
  slice.series = text_of(data, 0x0020, 0x000e);
  slice.description = text_of(data, 0x0008, 0x103e);
  if (const auto number = decimals(text_of(data, 0x0020, 0x0011), 1))
    slice.series_number = static_cast<std::int64_t>(std::clamp((*number)[0], -1e9, 1e9));
  for (const std::uint16_t element : {0x0060, 0x0062})  // Laterality of the series, else ImageLaterality
    if (slice.laterality.empty()) slice.laterality = text_of(data, 0x0020, element);
  if (slice.laterality != "L" && slice.laterality != "R") slice.laterality.clear();
  slice.pseudonymous = text_of(data, 0x0008, 0x0070) == kManufacturer && text_of(data, 0x0012, 0x0062) == "YES" &&
                       text_of(data, 0x0012, 0x0063) == kDeidentification;
}

/// The image plane. Returns what is wrong with it, or "".
std::string read_plane(const gdcm::DataSet& data, Slice& slice) {
  slice.rows = number_of(data, 0x0028, 0x0010);
  slice.columns = number_of(data, 0x0028, 0x0011);
  if (slice.rows == 0 || slice.columns == 0) return "its header gives no number of rows or columns";
  if (number_of(data, 0x0028, 0x0002) > 1) return "it is a colour image; a CT slice has one sample per pixel";
  const auto frames = decimals(text_of(data, 0x0028, 0x0008), 1);
  if (frames && (*frames)[0] != 1) return "it holds several frames; only one slice per file is read";

  const auto position = decimals(text_of(data, 0x0020, 0x0032), 3);
  if (!position) return "its header gives no ImagePositionPatient, so its place is unknown";
  const auto cosines = decimals(text_of(data, 0x0020, 0x0037), 6);
  if (!cosines) return "its header gives no ImageOrientationPatient, so its direction is unknown";
  const auto spacing = decimals(text_of(data, 0x0028, 0x0030), 2);
  if (!spacing || !((*spacing)[0] > 0) || !((*spacing)[1] > 0))
    return "its header gives no PixelSpacing, so its size in mm is unknown";
  slice.position = {(*position)[0], (*position)[1], (*position)[2]};
  slice.along_row = {(*cosines)[0], (*cosines)[1], (*cosines)[2]};
  slice.along_column = {(*cosines)[3], (*cosines)[4], (*cosines)[5]};
  if (std::abs(norm(slice.along_row) - 1) > 1e-3 || std::abs(norm(slice.along_column) - 1) > 1e-3 ||
      std::abs(dot(slice.along_row, slice.along_column)) > 1e-3)
    return "its ImageOrientationPatient is not two perpendicular unit vectors";
  // PS3.3, 10.7.1.3: the first value is the distance between rows, that is along a column.
  slice.row_spacing = (*spacing)[0];
  slice.column_spacing = (*spacing)[1];
  if (const auto between = decimals(text_of(data, 0x0018, 0x0088), 1)) slice.between_slices = (*between)[0];

  const std::string slope = text_of(data, 0x0028, 0x1053), intercept = text_of(data, 0x0028, 0x1052);
  const auto a = decimals(slope, 1), b = decimals(intercept, 1);
  if ((!slope.empty() && !a) || (!intercept.empty() && !b)) return "its RescaleSlope or RescaleIntercept is no number";
  if (slope.empty() || intercept.empty())
    return "its header gives no RescaleSlope and RescaleIntercept, so its values are not Hounsfield units";
  slice.slope = (*a)[0];
  slice.intercept = (*b)[0];
  return "";
}

/// What of the uncompressed pixels the file holds. GDCM fills what is missing or fails without saying which.
void require_pixels(const Slice& slice, std::uintmax_t bytes_per_pixel) {
  std::ifstream in(slice.file, std::ios::binary);
  gdcm::Reader reader;
  reader.SetStream(in);
  if (!reader.ReadUpToTag(kPixelData) || reader.GetFile().GetHeader().GetDataSetTransferSyntax().IsEncapsulated())
    return;
  in.clear();
  const auto offset = static_cast<std::uintmax_t>(in.tellg());
  const std::uintmax_t held = std::filesystem::file_size(slice.file) - offset;
  const std::uintmax_t expected =
      bytes_per_pixel * static_cast<std::uintmax_t>(slice.rows) * static_cast<std::uintmax_t>(slice.columns);
  if (held < expected)
    throw Error(text(slice.file.string(), ": the file is cut off: expected ", expected, " bytes of pixels, found ",
                     held, "; copy it again from where it came"));
}

template <class Stored>
void rescale(const Slice& slice, const std::vector<char>& bytes, std::span<std::int16_t> hounsfield) {
  const auto* stored = reinterpret_cast<const Stored*>(bytes.data());
  for (std::size_t i = 0; i < hounsfield.size(); ++i) {
    const double value = std::round(slice.slope * static_cast<double>(stored[i]) + slice.intercept);
    if (!(value >= std::numeric_limits<std::int16_t>::min() && value <= std::numeric_limits<std::int16_t>::max()))
      throw Error(text(slice.file.string(), ": a pixel has ", value,
                       " HU after the rescale, beyond the 16 bits of a CT volume; check RescaleSlope (", slice.slope,
                       ") and RescaleIntercept (", slice.intercept, ")"));
    hounsfield[i] = static_cast<std::int16_t>(value);
  }
}

}  // namespace

bool Slice::is_ct() const { return modality == "CT" && sop_class == kCtImageStorage; }

bool Slice::is_localiser() const { return image_type.find("LOCALIZER") != std::string::npos; }

bool is_dicom(const std::filesystem::path& file) {
  std::array<char, 132> head{};
  std::ifstream in(file, std::ios::binary);
  return in.read(head.data(), head.size()) && std::memcmp(head.data() + 128, "DICM", 4) == 0;
}

Slice read_slice(const std::filesystem::path& file) {
  gdcm::Reader reader;
  reader.SetFileName(file.c_str());
  bool complete = false;
  try {
    complete = reader.ReadUpToTag(kPixelData);
  } catch (const std::exception&) {
    // GDCM throws some of its parse errors and swallows others.
  }
  if (!complete)
    throw Error(text(file.string(),
                     ": the file is damaged or cut off within its DICOM header; copy it again from where "
                     "it came, or remove it"));
  const gdcm::DataSet& data = reader.GetFile().GetDataSet();
  Slice slice;
  slice.file = file;
  read_identity(data, slice);
  if (slice.is_ct() && !slice.is_localiser()) slice.problem = read_plane(data, slice);
  return slice;
}

void read_hounsfield(const Slice& slice, std::span<std::int16_t> hounsfield) {
  gdcm::ImageReader reader;
  reader.SetFileName(slice.file.c_str());
  std::vector<char> bytes;
  bool complete = false;
  gdcm::PixelFormat format;
  try {
    complete = reader.Read();
    const gdcm::Image& image = reader.GetImage();
    format = image.GetPixelFormat();
    bytes.resize(complete ? image.GetBufferLength() : 0);
    complete = complete && image.GetDimension(0) == slice.columns && image.GetDimension(1) == slice.rows &&
               image.GetBuffer(bytes.data());
  } catch (const std::exception&) {
    complete = false;
  }
  const std::size_t size = format.GetPixelSize();
  if (!complete || bytes.size() != hounsfield.size() * size) {
    require_pixels(slice, complete && size > 0 ? size : 2);
    throw Error(text(slice.file.string(), ": its pixels can't be decoded; convert it with `gdcmconv --raw`"));
  }
  const bool is_signed = format.GetPixelRepresentation() == 1;
  if (size == 1)
    is_signed ? rescale<std::int8_t>(slice, bytes, hounsfield) : rescale<std::uint8_t>(slice, bytes, hounsfield);
  else if (size == 2)
    is_signed ? rescale<std::int16_t>(slice, bytes, hounsfield) : rescale<std::uint16_t>(slice, bytes, hounsfield);
  else if (size == 4)
    is_signed ? rescale<std::int32_t>(slice, bytes, hounsfield) : rescale<std::uint32_t>(slice, bytes, hounsfield);
  else
    throw Error(text(slice.file.string(), ": ", size, " bytes a pixel; 1, 2 or 4 are read"));
}

}  // namespace osteon::dicom
