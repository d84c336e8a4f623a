// Headers of NIfTI, NRRD and MetaImage, as far as the place of the volume goes.

#include "itk/image_header.hpp"

#include <osteon/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <sstream>

namespace osteon::image {

namespace {

constexpr std::size_t kNiftiHeader = 348;
constexpr std::size_t kLongestHeader = 1 << 16;  // bytes of text

/// The start of a file, unpacked if it is compressed.
std::string start_of(const std::filesystem::path& file, std::size_t count) {
  std::string bytes(count, '\0');
  const gzFile in = ::gzopen(file.c_str(), "rb");
  if (in == nullptr) throw Error(text(file.filename().string(), ": cannot read the file"));
  const int read = ::gzread(in, bytes.data(), static_cast<unsigned>(count));
  ::gzclose(in);
  bytes.resize(static_cast<std::size_t>(std::max(0, read)));
  return bytes;
}

/// Numbers at given places of a NIfTI header, in the byte order of the file.
class NiftiHeader {
 public:
  explicit NiftiHeader(const std::filesystem::path& file) : bytes_(start_of(file, kNiftiHeader)) {
    if (bytes_.size() == kNiftiHeader) {
      swapped_ = number<std::int32_t>(0) != static_cast<std::int32_t>(kNiftiHeader);
      if (number<std::int32_t>(0) == static_cast<std::int32_t>(kNiftiHeader)) return;
    }
    throw Error(text(file.filename().string(), ": no NIfTI-1 image: its header of 348 bytes is missing or cut off"));
  }

  template <class T>
  [[nodiscard]] T number(std::size_t at) const {
    std::array<char, sizeof(T)> raw{};
    std::memcpy(raw.data(), bytes_.data() + at, sizeof(T));
    if (swapped_) std::reverse(raw.begin(), raw.end());
    return std::bit_cast<T>(raw);
  }
  [[nodiscard]] double real(std::size_t at) const { return number<float>(at); }

 private:
  std::string bytes_;
  bool swapped_ = false;
};

/// Rows of the sform.
Frame sform(const NiftiHeader& header) {
  Frame frame;
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 3; ++column)
      frame.steps.column[column][static_cast<int>(row)] = header.real(280 + 16 * row + 4 * column);
    frame.origin[static_cast<int>(row)] = header.real(280 + 16 * row + 12);
  }
  return frame;
}

/// The quaternion (a, b, c, d), the voxel sizes, and the handedness in pixdim[0].
Frame qform(const NiftiHeader& header) {
  double b = header.real(256), c = header.real(260), d = header.real(264);
  const double rest = 1 - (b * b + c * c + d * d);
  const double a = rest > 0 ? std::sqrt(rest) : 0;
  if (a == 0) {
    const double scale = 1 / std::sqrt(b * b + c * c + d * d);
    b *= scale, c *= scale, d *= scale;
  }
  const double handed = header.real(76) < 0 ? -1 : 1;
  const Vec3 size{header.real(80), header.real(84), header.real(88)};
  Frame frame;
  frame.steps.column[0] = Vec3{a * a + b * b - c * c - d * d, 2 * (b * c + a * d), 2 * (b * d - a * c)} * size.x;
  frame.steps.column[1] = Vec3{2 * (b * c - a * d), a * a + c * c - b * b - d * d, 2 * (c * d + a * b)} * size.y;
  frame.steps.column[2] =
      Vec3{2 * (b * d + a * c), 2 * (c * d - a * b), a * a + d * d - c * c - b * b} * (size.z * handed);
  frame.origin = {header.real(268), header.real(272), header.real(276)};
  return frame;
}

std::string lower(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

std::string trimmed(const std::string& word) {
  const std::size_t first = word.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : word.substr(first, word.find_last_not_of(" \t\r") - first + 1);
}

}  // namespace

Frame nifti_frame(const std::filesystem::path& file) {
  const NiftiHeader header(file);
  const bool has_sform = header.number<std::int16_t>(254) > 0, has_qform = header.number<std::int16_t>(252) > 0;
  if (!has_sform && !has_qform)
    throw Error(text(file.filename().string(),
                     ": its header has neither an sform nor a qform, so it does not say where left and right are; "
                     "convert it again from its original, or set the sform"));
  Frame frame = has_sform ? sform(header) : qform(header);
  const int unit = header.number<std::int8_t>(123) & 7;  // xyzt_units: 1 metre, 2 mm, 3 micrometre
  const double scale = unit == 1 ? 1000 : unit == 3 ? 1e-3 : 1;
  for (Vec3* v : {&frame.steps.column[0], &frame.steps.column[1], &frame.steps.column[2], &frame.origin})
    *v = Vec3{-v->x, -v->y, v->z} * scale;  // RAS → LPS
  return frame;
}

std::map<std::string, std::string> header_lines(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(text(file.filename().string(), ": cannot read the file"));
  std::string bytes(kLongestHeader, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  std::istringstream words(bytes);
  const bool nrrd = bytes.starts_with("NRRD");
  std::map<std::string, std::string> lines;
  for (std::string line; std::getline(words, line);) {
    if (trimmed(line).empty()) break;  // NRRD: the data follow
    const std::size_t sign = line.find(nrrd ? ':' : '=');
    if (sign == std::string::npos || line.starts_with("#")) continue;
    const std::string key = lower(trimmed(line.substr(0, sign)));
    lines.try_emplace(key, trimmed(line.substr(sign + (nrrd && line.compare(sign, 2, ":=") == 0 ? 2 : 1))));
    if (key == "elementdatafile") break;  // MetaImage: the data follow
  }
  return lines;
}

void require_place(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  const auto lines = header_lines(file);
  const bool nrrd = lower(file.extension().string()) == ".nrrd" || lower(file.extension().string()) == ".nhdr";
  if (nrrd) {
    for (const char* key : {"space", "space directions"})
      if (!lines.contains(key))
        throw Error(
            text(name, ": its header gives no \"", key,
                 "\", so its place and size in mm are unknown; export it again with its spacing and direction"));
    return;
  }
  const auto spacing = lines.find("elementspacing");
  if (spacing == lines.end())
    throw Error(text(name,
                     ": its header gives no ElementSpacing, so its size in mm is unknown; export it again with its "
                     "spacing"));
  std::istringstream words(spacing->second);
  for (double value; words >> value;)
    if (!(value > 0)) throw Error(text(name, ": its spacing is ", spacing->second, " mm; each must be above 0"));
}

}  // namespace osteon::image
