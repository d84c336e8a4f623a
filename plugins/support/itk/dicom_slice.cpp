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
constexpr const char* kEnhancedCtImageStorage = "1.2.840.10008.5.1.4.1.1.2.1";
constexpr const char* kConvertedCtImageStorage = "1.2.840.10008.5.1.4.1.1.2.2";

constexpr double kFarthest = 1e6;  // mm; beyond it numbers are damage, and sums of them leave what a grid can count

bool is_enhanced(const std::string& sop_class) {
  return sop_class == kEnhancedCtImageStorage || sop_class == kConvertedCtImageStorage;
}

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

void read_identity(const Group& data, Slice& slice) {
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

/// Why the plane can't be placed, or "".
std::string read_place(const Group& data, Slice& slice) {
  const auto position = decimals(data.text(0x00200032), 3);
  if (!position) return "its header gives no ImagePositionPatient, so its place is unknown";
  const auto cosines = decimals(data.text(0x00200037), 6);
  if (!cosines) return "its header gives no ImageOrientationPatient, so its direction is unknown";
  const auto spacing = decimals(data.text(0x00280030), 2);
  if (!spacing) return "its header gives no PixelSpacing, so its size in mm is unknown";
  if (!((*spacing)[0] > 0) || !((*spacing)[1] > 0))
    return osteon::text("its PixelSpacing is ", (*spacing)[0], " x ", (*spacing)[1], " mm; both must be above 0");
  if (std::ranges::any_of(*position, [](double mm) { return std::abs(mm) > kFarthest; }))
    return "its ImagePositionPatient, " + data.text(0x00200032) + " mm, lies outside every scanner";
  if (std::ranges::any_of(*spacing, [](double mm) { return mm < 1 / kFarthest || mm > kFarthest; }))
    return "its PixelSpacing, " + data.text(0x00280030) + " mm, is that of no scanner";
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
  return "";
}

/// How stored values become HU. Why they don't, or "".
std::string read_rescale(const Group& data, Slice& slice) {
  const std::string slope = data.text(0x00281053), intercept = data.text(0x00281052), kind = data.text(0x00281054);
  const auto a = decimals(slope, 1), b = decimals(intercept, 1);
  if ((!slope.empty() && !a) || (!intercept.empty() && !b)) return "its RescaleSlope or RescaleIntercept is no number";
  if (!kind.empty() && kind != "HU" && kind != "US" && kind != "HU_MOD")
    return "its RescaleType is \"" + kind + "\", so its values are not Hounsfield units";
  slice.rescale_assumed = slope.empty() && intercept.empty();
  if (slice.rescale_assumed) return "";  // the voxels decide
  if (slope.empty() || intercept.empty())
    return osteon::text("its header gives no ", slope.empty() ? "RescaleSlope" : "RescaleIntercept",
                        ", so its values are not Hounsfield units");
  slice.slope = (*a)[0];
  slice.intercept = (*b)[0];
  return "";
}

/// Pixels, place and rescale. Returns what is wrong with them, or "".
std::string read_plane(const Group& data, Slice& slice) {
  slice.rows = data.number(0x00280010);
  slice.columns = data.number(0x00280011);
  if (slice.rows == 0 || slice.columns == 0) return "its header gives no number of rows or columns";
  if (data.number(0x00280002) > 1) return "it is a colour image; a CT slice has one sample per pixel";
  slice.bits_allocated = data.number(0x00280100);
  slice.bits_stored = data.number(0x00280101);
  slice.is_signed = data.number(0x00280103) == 1;
  slice.lossy = data.text(0x00282110) == "01" || slice.transfer_syntax == "1.2.840.10008.1.2.4.50" ||
                slice.transfer_syntax == "1.2.840.10008.1.2.4.51";
  if ((slice.bits_allocated != 8 && slice.bits_allocated != 16 && slice.bits_allocated != 32) ||
      slice.bits_stored < 1 || slice.bits_stored > slice.bits_allocated)
    return osteon::text("its pixels have ", slice.bits_stored, " of ", slice.bits_allocated,
                        " bits; 8, 16 or 32 are read");
  if (slice.pixel_offset == 0) return "it holds no pixels; copy it again from where it came";
  const std::string misplaced = read_place(data, slice);
  return misplaced.empty() ? read_rescale(data, slice) : misplaced;
}

/// What the functional groups say of one frame, as the elements of a single slice would: the file's own elements, over
/// them those of all frames, over them the frame's.
Group of_frame(const Elements& elements, std::size_t frame) {
  Group flat;
  flat.values = elements.values;
  const auto lay_over = [&](std::uint32_t tag, std::size_t item) {
    const auto groups = elements.sequences.find(tag);
    if (groups == elements.sequences.end() || item >= groups->second.size()) return;
    for (const std::uint32_t macro : kFrameMacros) {
      const auto found = groups->second[item].sequences.find(macro);
      if (found == groups->second[item].sequences.end() || found->second.empty()) continue;
      for (const auto& [element, bytes] : found->second.front().values) flat.values[element] = bytes;
    }
  };
  lay_over(kShared, 0);
  lay_over(kPerFrame, frame);
  // FrameType and FrameLaterality stand for ImageType and ImageLaterality.
  if (const auto type = flat.values.find(0x00089007); type != flat.values.end()) flat.values[0x00080008] = type->second;
  if (const auto side = flat.values.find(0x00209072); side != flat.values.end()) flat.values[0x00200062] = side->second;
  return flat;
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
      throw Error(text(slice.name(), ": a pixel has ", value,
                       " HU after the rescale, beyond the 16 bits of a CT volume; check RescaleSlope (", slice.slope,
                       ") and RescaleIntercept (", slice.intercept, ")"));
    hounsfield[i] = static_cast<std::int16_t>(value);
  }
}

}  // namespace

bool Slice::is_ct() const { return modality == "CT" && (sop_class == kCtImageStorage || is_enhanced(sop_class)); }

bool Slice::is_localiser() const { return image_type.find("LOCALIZER") != std::string::npos; }

std::string Slice::name() const {
  return frames > 1 ? text(file.filename().string(), ", frame ", frame + 1) : file.filename().string();
}

std::vector<Slice> read_slices(const std::filesystem::path& file) {
  const Elements elements = read_elements(file);
  Slice first;
  first.file = file;
  first.transfer_syntax = elements.transfer_syntax;
  first.encapsulated = elements.encapsulated;
  first.pixel_offset = elements.pixel_offset;
  read_identity(elements, first);
  // A CT slice that ends early must not pass for something else and be left out of its series in silence.
  const std::string declared = elements.text(0x00020002);
  if ((first.sop_class.empty() || first.modality.empty()) &&
      (declared == kCtImageStorage || is_enhanced(declared) || (declared.empty() && first.sop_class.empty())))
    throw Error(text(first.name(),
                     ": the file is damaged or cut off: its header ends before it says what it is; copy it "
                     "again from where it came, or remove it"));
  if (!first.is_ct() || first.is_localiser()) return {first};
  const auto frames = decimals(elements.text(0x00280008), 1);
  const auto described = elements.sequences.find(kPerFrame);
  if (!is_enhanced(first.sop_class)) {
    first.problem = frames && (*frames)[0] != 1 ? "it holds several frames, which only an enhanced CT image may"
                                                : read_plane(elements, first);
    return {first};
  }
  const std::size_t count = described == elements.sequences.end() ? 0 : described->second.size();
  if (count == 0 || !frames || (*frames)[0] != static_cast<double>(count)) {
    first.problem = text("it says that it holds ", frames ? (*frames)[0] : 0, " frames and describes ", count);
    return {first};
  }
  std::vector<Slice> slices(count, first);
  for (std::size_t n = 0; n < count; ++n) {
    Slice& slice = slices[n];
    slice.frame = static_cast<std::int64_t>(n);
    slice.frames = static_cast<std::int64_t>(count);
    const Group data = of_frame(elements, n);
    read_identity(data, slice);
    slice.problem = read_plane(data, slice);
    if (!slice.encapsulated) slice.pixel_offset += n * slice.bytes();
  }
  return slices;
}

void PixelReader::require_room(const Slice& slice) {
  const auto frames = static_cast<std::size_t>(slice.encapsulated ? slice.frames : 1);
  require_pixels(slice.pixels(), slice.name(), slice.bytes() * frames);
}

std::string PixelReader::native(const Slice& slice) const {
  require_room(slice);
  std::string bytes(slice.bytes(), '\0');
  std::ifstream in(slice.file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(slice.pixel_offset));
  if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    throw failure(text(slice.name(), ": reading the pixels failed"));
  return bytes;
}

std::string PixelReader::decoded(const Slice& slice) {
  if (file_ != slice.file) {
    require_fragments(slice.file, read_elements(slice.file));
    file_ = slice.file;
    pixels_ = decoder_.decode(slice.file, slice.bytes() * static_cast<std::size_t>(slice.frames));
  }
  if (pixels_.empty())
    throw Error(text(slice.file.filename().string(), ": its pixels (transfer syntax ", slice.transfer_syntax,
                     ") can't be decoded; copy it again from where it came, or convert it with `gdcmconv --raw IN "
                     "OUT`"));
  if (pixels_.size() != slice.bytes() * static_cast<std::size_t>(slice.frames))
    throw Error(text(slice.name(),
                     ": the header gives this frame another number of bits than the file's first frame; "
                     "one file stores all of its frames alike"));
  return pixels_.substr(static_cast<std::size_t>(slice.frame) * slice.bytes(), slice.bytes());
}

void PixelReader::read_hounsfield(const Slice& slice, std::span<std::int16_t> hounsfield) {
  const std::string bytes = slice.encapsulated ? decoded(slice) : native(slice);
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
