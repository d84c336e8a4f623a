// The header and the pixels of one CT slice, through GDCM.

#include "itk/dicom_slice.hpp"

#include <gdcmImageReader.h>
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

/// GDCM prints to the terminal what the caller is told by an `Error` anyway.
const bool quiet = [] {
  gdcm::Trace::DebugOff();
  gdcm::Trace::WarningOff();
  gdcm::Trace::ErrorOff();
  return true;
}();

/// Decimal strings with a backslash between them; nothing unless there are `count` finite numbers.
std::optional<std::vector<double>> decimals(const std::string& words, std::size_t count) {
  std::vector<double> numbers;
  for (std::size_t begin = 0; begin <= words.size();) {
    const std::size_t end = std::min(words.find('\\', begin), words.size());
    std::string word = words.substr(begin, end - begin);
    while (word.ends_with(' ')) word.pop_back();
    word.erase(0, std::min(word.find_first_not_of(" +"), word.size()));
    double number = 0;
    const auto result = std::from_chars(word.data(), word.data() + word.size(), number);
    if (result.ec != std::errc() || result.ptr != word.data() + word.size() || !std::isfinite(number)) return {};
    numbers.push_back(number);
    begin = end + 1;
  }
  if (numbers.size() != count) return {};
  return numbers;
}

void read_identity(const Elements& data, Slice& slice) {
  slice.modality = data.text(0x00080060);
  slice.sop_class = data.text(0x00080016);
  gdcm::UIDs known;
  slice.sop_class_name = known.SetFromUID(slice.sop_class.c_str()) ? known.GetName() : slice.sop_class;
  slice.image_type = data.text(0x00080008);
  slice.patient = data.text(0x00100020);
  slice.study = data.text(0x0020000d);
  slice.series = data.text(0x0020000e);
  slice.description = data.text(0x0008103e);
  if (const auto number = decimals(data.text(0x00200011), 1))
    slice.series_number = static_cast<std::int64_t>(std::clamp((*number)[0], -1e9, 1e9));
  for (const std::uint32_t tag : {0x00200060U, 0x00200062U})  // Laterality of the series, else ImageLaterality
    if (slice.laterality.empty()) slice.laterality = data.text(tag);
  if (slice.laterality != "L" && slice.laterality != "R") slice.laterality.clear();
  slice.pseudonymous = data.text(0x00080070) == kManufacturer && data.text(0x00120062) == "YES" &&
                       data.text(0x00120063) == kDeidentification;
}

/// The image plane. Returns what is wrong with it, or "".
std::string read_plane(const Elements& data, Slice& slice) {
  slice.rows = data.number(0x00280010);
  slice.columns = data.number(0x00280011);
  if (slice.rows == 0 || slice.columns == 0) return "its header gives no number of rows or columns";
  if (data.number(0x00280002) > 1) return "it is a colour image; a CT slice has one sample per pixel";
  const auto frames = decimals(data.text(0x00280008), 1);
  if (frames && (*frames)[0] != 1) return "it holds several frames; only one slice per file is read";

  slice.bits_allocated = data.number(0x00280100);
  slice.bits_stored = data.number(0x00280101);
  slice.is_signed = data.number(0x00280103) == 1;
  if ((slice.bits_allocated != 8 && slice.bits_allocated != 16 && slice.bits_allocated != 32) ||
      slice.bits_stored < 1 || slice.bits_stored > slice.bits_allocated)
    return text("its pixels have ", slice.bits_stored, " of ", slice.bits_allocated, " bits; 8, 16 or 32 are read");
  if (data.pixel_offset == 0) return "it holds no pixels; copy it again from where it came";

  const auto position = decimals(data.text(0x00200032), 3);
  if (!position) return "its header gives no ImagePositionPatient, so its place is unknown";
  const auto cosines = decimals(data.text(0x00200037), 6);
  if (!cosines) return "its header gives no ImageOrientationPatient, so its direction is unknown";
  const auto spacing = decimals(data.text(0x00280030), 2);
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
  if (const auto between = decimals(data.text(0x00180088), 1)) slice.between_slices = (*between)[0];

  const std::string slope = data.text(0x00281053), intercept = data.text(0x00281052);
  const auto a = decimals(slope, 1), b = decimals(intercept, 1);
  if ((!slope.empty() && !a) || (!intercept.empty() && !b)) return "its RescaleSlope or RescaleIntercept is no number";
  if (slope.empty() || intercept.empty())
    return "its header gives no RescaleSlope and RescaleIntercept, so its values are not Hounsfield units";
  slice.slope = (*a)[0];
  slice.intercept = (*b)[0];
  return "";
}

/// Stored values → HU. A stored value may fill only the lower bits of its word; the others are not its own.
template <class Word>
void rescale(const Slice& slice, const std::string& bytes, std::span<std::int16_t> hounsfield) {
  const int unused = static_cast<int>(slice.bits_allocated - slice.bits_stored);
  for (std::size_t i = 0; i < hounsfield.size(); ++i) {
    Word word;
    std::memcpy(&word, bytes.data() + i * sizeof word, sizeof word);
    const auto stored = static_cast<Word>(static_cast<Word>(word << unused) >> unused);
    const double value = std::round(slice.slope * static_cast<double>(stored) + slice.intercept);
    if (!(value >= std::numeric_limits<std::int16_t>::min() && value <= std::numeric_limits<std::int16_t>::max()))
      throw Error(text(slice.file.string(), ": a pixel has ", value,
                       " HU after the rescale, beyond the 16 bits of a CT volume; check RescaleSlope (", slice.slope,
                       ") and RescaleIntercept (", slice.intercept, ")"));
    hounsfield[i] = static_cast<std::int16_t>(value);
  }
}

std::string native_pixels(const Slice& slice, const Elements& elements, std::size_t expected) {
  const std::uintmax_t held = elements.file_size - elements.pixel_offset;
  if (held < expected)
    throw Error(text(slice.file.string(), ": the file is cut off: expected ", expected, " bytes of pixels, found ",
                     held, "; copy it again from where it came"));
  std::string bytes(expected, '\0');
  std::ifstream in(slice.file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(elements.pixel_offset));
  if (!in.read(bytes.data(), static_cast<std::streamsize>(expected)))
    throw failure(text(slice.file.string(), ": reading the pixels failed"));
  return bytes;
}

std::string decoded_pixels(const Slice& slice, const Elements& elements, std::size_t expected) {
  require_fragments(slice.file, elements);
  std::string bytes;
  try {
    gdcm::ImageReader reader;
    reader.SetFileName(slice.file.c_str());
    if (reader.Read()) {
      const gdcm::Image& image = reader.GetImage();
      bytes.resize(image.GetBufferLength());
      if (!image.GetBuffer(bytes.data())) bytes.clear();
    }
  } catch (const std::exception&) {
    bytes.clear();  // GDCM throws some of its errors and returns others
  }
  if (bytes.size() != expected)
    throw Error(text(slice.file.string(), ": its pixels (transfer syntax ", elements.transfer_syntax,
                     ") can't be decoded; convert it with `gdcmconv --raw IN OUT`"));
  return bytes;
}

}  // namespace

bool Slice::is_ct() const { return modality == "CT" && sop_class == kCtImageStorage; }

bool Slice::is_localiser() const { return image_type.find("LOCALIZER") != std::string::npos; }

Slice read_slice(const std::filesystem::path& file) {
  const Elements elements = read_elements(file);
  Slice slice;
  slice.file = file;
  read_identity(elements, slice);
  // A CT slice that ends early must not pass for something else and be left out of its series in silence.
  const std::string declared = elements.text(0x00020002);
  if ((slice.sop_class.empty() || slice.modality.empty()) &&
      (declared == kCtImageStorage || (declared.empty() && slice.sop_class.empty())))
    throw Error(text(file.string(),
                     ": the file is damaged or cut off: its header ends before it says what it is; copy it "
                     "again from where it came, or remove it"));
  if (slice.is_ct() && !slice.is_localiser()) slice.problem = read_plane(elements, slice);
  return slice;
}

void read_hounsfield(const Slice& slice, std::span<std::int16_t> hounsfield) {
  const Elements elements = read_elements(slice.file);
  const std::size_t expected = hounsfield.size() * static_cast<std::size_t>(slice.bits_allocated / 8);
  const std::string bytes =
      elements.encapsulated ? decoded_pixels(slice, elements, expected) : native_pixels(slice, elements, expected);
  if (slice.bits_allocated == 8)
    slice.is_signed ? rescale<std::int8_t>(slice, bytes, hounsfield) : rescale<std::uint8_t>(slice, bytes, hounsfield);
  else if (slice.bits_allocated == 16)
    slice.is_signed ? rescale<std::int16_t>(slice, bytes, hounsfield)
                    : rescale<std::uint16_t>(slice, bytes, hounsfield);
  else
    slice.is_signed ? rescale<std::int32_t>(slice, bytes, hounsfield)
                    : rescale<std::uint32_t>(slice, bytes, hounsfield);
}

}  // namespace osteon::dicom
