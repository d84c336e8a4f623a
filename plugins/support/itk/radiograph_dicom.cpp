// Projection X-rays in DICOM: PS3.3, "CR Image" (C.8.1), "DX Detector" (C.8.11.4) and "Pixel Spacing Calibration"
// (10.7).

#include "itk/dicom_decoder.hpp"
#include "itk/dicom_elements.hpp"
#include "itk/radiograph_file.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <fstream>
#include <optional>

namespace osteon::dicom {

namespace {

constexpr const char* kComputedRadiography = "1.2.840.10008.5.1.4.1.1.1";
constexpr const char* kDigitalForPresentation = "1.2.840.10008.5.1.4.1.1.1.1";
constexpr const char* kDigitalForProcessing = "1.2.840.10008.5.1.4.1.1.1.1.1";
constexpr const char* kSecondaryCapture = "1.2.840.10008.5.1.4.1.1.7";

std::string shortened(double value) { return text(std::round(value * 1e4) / 1e4); }

/// The first of a decimal string's numbers and whether all are equal to a thousandth; nothing unless all are above 0.
struct Spacing {
  double value = 0;
  bool square = true;
};
std::optional<Spacing> positive(const std::string& words) {
  std::optional<Spacing> result;
  for (std::size_t begin = 0; begin <= words.size();) {
    const std::size_t end = std::min(words.find('\\', begin), words.size());
    std::string word = words.substr(begin, end - begin);
    word.erase(0, std::min(word.find_first_not_of(" +"), word.size()));
    while (word.ends_with(' ')) word.pop_back();
    double number = 0;
    const auto read = std::from_chars(word.data(), word.data() + word.size(), number);
    if (read.ec != std::errc() || read.ptr != word.data() + word.size() || !(number > 0) || !std::isfinite(number))
      return {};
    if (!result)
      result = Spacing{number, true};
    else
      result->square = result->square && std::abs(number / result->value - 1) < 1e-3;
    begin = end + 1;
  }
  return result;
}

double number_or(const std::string& words, double standard) {
  double number = 0;
  const auto read = std::from_chars(words.data(), words.data() + words.size(), number);
  return read.ec == std::errc() && std::isfinite(number) ? number : standard;
}

/// Magnification of the bone at the detector, and how it is known; nothing when the header doesn't say.
std::optional<std::pair<double, std::string>> magnification(const Elements& header) {
  if (const auto estimated = positive(header.text(0x00181114)); estimated && estimated->value >= 1)
    return std::pair(estimated->value, std::string("EstimatedRadiographicMagnificationFactor"));
  const auto detector = positive(header.text(0x00181110)), patient = positive(header.text(0x00181111));
  if (detector && patient && detector->value > patient->value)
    return std::pair(detector->value / patient->value,
                     text("source to detector ", shortened(detector->value), " mm over source to patient ",
                          shortened(patient->value), " mm"));
  return {};
}

void require_square(const std::string& name, const char* what, const Spacing& spacing, const std::string& words) {
  if (!spacing.square)
    throw Error(text(name, ": its ", what, " is ", words,
                     " mm, so its pixels are not square; resample it to square pixels first"));
}

void find_spacing(const Elements& header, const std::string& name, bool capture, Radiograph& result) {
  const std::string words = header.text(0x00280030), imager_words = header.text(0x00181164);
  const auto pixel = positive(words), imager = positive(imager_words);
  const std::string type = header.text(0x00280a02);
  const bool differs = pixel && imager && std::abs(pixel->value / imager->value - 1) > 1e-3;
  if (pixel && (!type.empty() || differs || (!imager && !capture))) {
    require_square(name, "PixelSpacing", *pixel, words);
    result.pixel_spacing = pixel->value;
    result.spacing_source = type == "FIDUCIAL"   ? "PixelSpacing, calibrated at an object of known size"
                            : type == "GEOMETRY" ? "PixelSpacing, calibrated by the geometry"
                            : differs            ? "PixelSpacing, which differs from the detector's"
                                                 : "PixelSpacing";
    if (type.empty() && !imager)
      result.notices.push_back(text(name, ": its header does not say at which depth its PixelSpacing of ",
                                    shortened(pixel->value), " mm holds; it is taken for the bone's"));
    return;
  }
  if (!imager) {
    result.spacing_source = capture ? "a secondary capture without calibrated spacing" : "its header gives no spacing";
    return;
  }
  require_square(name, "ImagerPixelSpacing", *imager, imager_words);
  if (const auto larger = magnification(header)) {
    result.pixel_spacing = imager->value / larger->first;
    result.spacing_source = text("ImagerPixelSpacing ", shortened(imager->value), " mm over a magnification of ",
                                 shortened(larger->first), " (", larger->second, ")");
    return;
  }
  result.spacing_source = text("its header gives ", shortened(imager->value),
                               " mm at the detector (ImagerPixelSpacing) but neither a magnification nor distances");
}

struct Pixels {
  std::int64_t rows = 0, columns = 0, allocated = 0, stored = 0;
  bool is_signed = false;
  [[nodiscard]] std::size_t bytes() const { return static_cast<std::size_t>(rows * columns * allocated / 8); }
};

Pixels pixels_of(const Elements& header, const std::string& name) {
  const Pixels p{header.number(0x00280010), header.number(0x00280011), header.number(0x00280100),
                 header.number(0x00280101), header.number(0x00280103) == 1};
  const std::string frames = header.text(0x00280008);
  if (!frames.empty() && frames != "1")
    throw Error(text(name, ": it holds ", frames, " frames; a radiograph is one: save the one that is meant"));
  if (p.rows == 0 || p.columns == 0 || header.pixel_offset == 0)
    throw Error(text(name, ": it holds no pixels; copy it again from where it came"));
  if ((p.allocated != 8 && p.allocated != 16) || p.stored < 1 || p.stored > p.allocated)
    throw Error(text(name, ": its pixels have ", p.stored, " of ", p.allocated, " bits; 8 or 16 are read"));
  return p;
}

std::string bytes_of(const std::filesystem::path& file, const Elements& header, const Pixels& p) {
  const std::string name = file.filename().string();
  require_pixels({file, header.pixel_offset, header.encapsulated}, name, p.bytes());
  if (header.encapsulated) {
    require_fragments(file, header);
    thread_local Decoder decoder;
    std::string bytes = decoder.decode(file, p.bytes());
    if (bytes.empty())
      throw Error(text(name, ": its pixels (transfer syntax ", header.transfer_syntax,
                       ") can't be decoded; copy it again from where it came, or convert it with `gdcmconv --raw IN "
                       "OUT`"));
    return bytes;
  }
  std::string bytes(p.bytes(), '\0');
  std::ifstream in(file, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(header.pixel_offset));
  if (!in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())))
    throw failure(text(name, ": reading the pixels failed"));
  return bytes;
}

/// 0 to 1 over what the stored bits can hold. Bits of a word above those are not the pixel's.
template <class Word>
at::Tensor to_intensity(const std::string& bytes, const Pixels& p, bool inverted) {
  at::Tensor result = at::empty({p.rows, p.columns}, at::kFloat);
  auto* to = result.data_ptr<float>();
  const int unused = static_cast<int>(p.allocated - p.stored);
  const double range = std::ldexp(1.0, static_cast<int>(p.stored)) - 1, low = p.is_signed ? (range + 1) / 2 : 0;
  for (std::int64_t i = 0; i < p.rows * p.columns; ++i) {
    Word word;
    std::memcpy(&word, bytes.data() + static_cast<std::size_t>(i) * sizeof word, sizeof word);
    const auto stored = static_cast<Word>(static_cast<Word>(word << unused) >> unused);
    const double value = (static_cast<double>(stored) + low) / range;
    to[i] = static_cast<float>(inverted ? 1 - value : value);
  }
  return result;
}

}  // namespace

Radiograph read_radiograph(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  if (!is_dicom(file)) throw Error(text(name, ": not a DICOM file"));
  const Elements header = read_elements(file);
  const std::string sop_class = header.text(0x00080016), modality = header.text(0x00080060);
  const bool capture = sop_class.starts_with(kSecondaryCapture);
  if (!capture && sop_class != kComputedRadiography && sop_class != kDigitalForPresentation &&
      sop_class != kDigitalForProcessing)
    throw Error(text(name, ": not a radiograph: its modality is ", modality.empty() ? "not given" : modality,
                     "; computed (CR) and digital radiography (DX) and secondary captures are read"));
  const std::string photometric = header.text(0x00280004);
  if (photometric != "MONOCHROME1" && photometric != "MONOCHROME2")
    throw Error(text(name, ": its pixels are ", photometric.empty() ? "of no stated kind" : photometric,
                     ", not grey (MONOCHROME1 or 2); export the original radiograph, not a coloured copy"));
  const Pixels pixels = pixels_of(header, name);
  Radiograph result;
  find_spacing(header, name, capture, result);
  // A rescale that falls turns dark and bright once more.
  const bool inverted = (photometric == "MONOCHROME1") != (number_or(header.text(0x00281053), 1) < 0);
  const std::string bytes = bytes_of(file, header, pixels);
  if (pixels.allocated == 8)
    result.intensity = pixels.is_signed ? to_intensity<std::int8_t>(bytes, pixels, inverted)
                                        : to_intensity<std::uint8_t>(bytes, pixels, inverted);
  else
    result.intensity = pixels.is_signed ? to_intensity<std::int16_t>(bytes, pixels, inverted)
                                        : to_intensity<std::uint16_t>(bytes, pixels, inverted);
  if (capture)
    result.notices.push_back(text(name,
                                  ": a secondary capture (a copy of what a screen showed): its grey values have "
                                  "passed somebody's window; use the original where there is one"));
  return result;
}

}  // namespace osteon::dicom
