// Headers of NIfTI, NRRD and MetaImage.

#include "itk/image_header.hpp"

#include "itk/image_stream.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <optional>
#include <sstream>

namespace osteon::image {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kNiftiHeader = 348;
constexpr std::size_t kLongestHeader = 1 << 16;  // bytes of text

Error wrong(const fs::path& file, const std::string& what) { return Error(file.filename().string() + ": " + what); }

std::string lower(std::string word) {
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  return word;
}

std::string trimmed(const std::string& word) {
  const std::size_t first = word.find_first_not_of(" \t\r");
  return first == std::string::npos ? "" : word.substr(first, word.find_last_not_of(" \t\r") - first + 1);
}

/// The numbers of a line, whatever brackets and commas stand between them; nothing when a word is no number.
std::optional<std::vector<double>> reals(std::string words) {
  for (char& c : words)
    if (c == '(' || c == ')' || c == ',') c = ' ';
  std::istringstream in(words);
  std::vector<double> values;
  for (std::string word; in >> word;) {
    double value = 0;
    const auto result = std::from_chars(word.data() + (word.front() == '+' ? 1 : 0), word.data() + word.size(), value);
    if (result.ec != std::errc() || result.ptr != word.data() + word.size()) return {};
    values.push_back(value);
  }
  return values;
}

/// Values at given places of a NIfTI header, in the byte order of the file.
class NiftiBytes {
 public:
  explicit NiftiBytes(const fs::path& file) : bytes_(start_of(file, kNiftiHeader, ending_of(file) == ".nii.gz")) {
    if (bytes_.size() == kNiftiHeader) {
      swapped_ = number<std::int32_t>(0) != static_cast<std::int32_t>(kNiftiHeader);
      if (number<std::int32_t>(0) == static_cast<std::int32_t>(kNiftiHeader)) return;
    }
    throw wrong(file, "no NIfTI-1 image: its header of 348 bytes is missing or cut off");
  }
  template <class T>
  [[nodiscard]] T number(std::size_t at) const {
    std::array<char, sizeof(T)> raw{};
    std::memcpy(raw.data(), bytes_.data() + at, sizeof(T));
    if (swapped_) std::reverse(raw.begin(), raw.end());
    return std::bit_cast<T>(raw);
  }
  [[nodiscard]] double real(std::size_t at) const { return number<float>(at); }
  [[nodiscard]] std::string word(std::size_t at, std::size_t count) const { return bytes_.substr(at, count); }
  [[nodiscard]] bool big_endian() const { return swapped_ == (std::endian::native == std::endian::little); }

 private:
  std::string bytes_;
  bool swapped_ = false;
};

Frame sform(const NiftiBytes& header) {
  Frame frame;
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 3; ++column)
      frame.steps.column[column][static_cast<int>(row)] = header.real(280 + 16 * row + 4 * column);
    frame.origin[static_cast<int>(row)] = header.real(280 + 16 * row + 12);
  }
  return frame;
}

/// The quaternion (a, b, c, d), the voxel sizes, and the handedness in pixdim[0].
Frame qform(const NiftiBytes& header) {
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

Number nifti_type(const fs::path& file, int code) {
  static const std::map<int, Number> kTypes = {
      {2, Number::u8},   {4, Number::i16},   {8, Number::i32},   {16, Number::f32},   {64, Number::f64},
      {256, Number::i8}, {512, Number::u16}, {768, Number::u32}, {1024, Number::i64}, {1280, Number::u64}};
  const auto found = kTypes.find(code);
  if (found == kTypes.end())
    throw wrong(file, text("its voxels are of NIfTI type ", code, "; one integer or real number a voxel is read"));
  return found->second;
}

Header nifti_header(const fs::path& file) {
  const NiftiBytes bytes(file);
  if (bytes.word(344, 4) != std::string("n+1\0", 4))
    throw wrong(file, "its voxels lie in another file; save it as one .nii file");
  Header header;
  header.big_endian = bytes.big_endian();
  const int dimensions = bytes.number<std::int16_t>(40);
  if (dimensions < 1 || dimensions > 7) throw wrong(file, text("its header gives ", dimensions, " dimensions"));
  for (int d = 0; d < dimensions; ++d)
    header.size.push_back(bytes.number<std::int16_t>(42 + 2 * static_cast<std::size_t>(d)));
  header.type = nifti_type(file, bytes.number<std::int16_t>(70));
  const bool has_sform = bytes.number<std::int16_t>(254) > 0, has_qform = bytes.number<std::int16_t>(252) > 0;
  if (!has_sform && !has_qform)
    throw wrong(file,
                "its header has neither an sform nor a qform, so it does not say where left and right are; "
                "convert it again from its original, or set the sform");
  header.frame = has_sform ? sform(bytes) : qform(bytes);
  const int unit = bytes.number<std::int8_t>(123) & 7;  // xyzt_units: 1 metre, 2 mm, 3 micrometre
  const double scale = unit == 1 ? 1000 : unit == 3 ? 1e-3 : 1;
  for (Vec3* v : {&header.frame.steps.column[0], &header.frame.steps.column[1], &header.frame.steps.column[2],
                  &header.frame.origin})
    *v = Vec3{-v->x, -v->y, v->z} * scale;  // RAS → LPS
  const double slope = bytes.real(112), intercept = bytes.real(116);
  if (slope != 0 && std::isfinite(slope) && std::isfinite(intercept))
    header.slope = slope, header.intercept = intercept;
  const double offset = bytes.real(108);
  if (!(offset >= 348 && offset < 1e9))
    throw wrong(file, text("its voxels begin at byte ", offset, ", within its header"));
  header.data = file;
  header.compressed = ending_of(file) == ".nii.gz";
  (header.compressed ? header.skip : header.stream) = static_cast<std::uintmax_t>(offset);
  return header;
}

/// "key: value" (NRRD) or "key = value" (MetaImage) lines, keys in lower case.
struct Lines {
  fs::path file;
  std::map<std::string, std::string> values;
  std::size_t end = 0;  ///< bytes of the header

  Lines(const fs::path& from, bool nrrd) : file(from) {
    const std::string bytes = start_of(file, kLongestHeader, false);
    if (nrrd != bytes.starts_with("NRRD")) throw wrong(file, "its header is not that of its ending's format");
    bool complete = false;
    for (std::size_t at = 0; at < bytes.size() && !complete;) {
      const std::size_t stop = std::min(bytes.find('\n', at), bytes.size());
      const std::string line = trimmed(bytes.substr(at, stop - at));
      at = stop + 1;
      end = std::min(at, bytes.size());
      complete = nrrd && line.empty();
      const std::size_t sign = line.find(nrrd ? ':' : '=');
      if (line.empty() || sign == std::string::npos || line.front() == '#') continue;
      const std::size_t behind = sign + (nrrd && line.compare(sign, 2, ":=") == 0 ? 2 : 1);
      const std::string key = lower(trimmed(line.substr(0, sign)));
      values.try_emplace(key, trimmed(line.substr(behind)));
      complete = complete || (!nrrd && key == "elementdatafile");
    }
    // A header of a raw file beside it may end with its last line.
    if (!complete && !(nrrd && end == bytes.size() && values.contains("data file")))
      throw wrong(file, "its header is damaged or cut off; copy it again from where it came");
  }
  [[nodiscard]] std::string get(const std::string& key) const {
    const auto found = values.find(key);
    return found == values.end() ? "" : found->second;
  }
  /// `count` numbers, or an error that says what is missing.
  [[nodiscard]] std::vector<double> numbers(const std::string& key, std::size_t count) const {
    const auto found = reals(get(key));
    if (!found || found->size() != count ||
        !std::all_of(found->begin(), found->end(), [](double v) { return std::isfinite(v); }))
      throw wrong(file, text("its header gives \"", key, ": ", get(key), "\"; expected ", count, " numbers"));
    return *found;
  }
};

/// Where the voxels of a text header lie: behind it, or in the file that it names.
void find_data(const Lines& lines, const std::string& name, bool alone, Header& header) {
  header.data = lines.file;
  header.stream = lines.end;
  if (name.empty() && alone) return;
  const bool plain =
      !name.empty() && name.find_first_of("/\\%* ") == std::string::npos && name != "LIST" && name != "..";
  std::error_code problem;
  header.data = lines.file.parent_path() / name;
  header.stream = 0;
  if (alone || !plain || !fs::is_regular_file(header.data, problem))
    throw wrong(lines.file,
                text("its voxels should lie in ", name.empty() ? "a file that it does not name" : "\"" + name + "\"",
                     alone ? ", but only .nhdr and .mhd may name another file"
                           : ", which is not one plain file in the same folder",
                     "; save it as one file (.nrrd, .mha)"));
}

std::vector<std::int64_t> sizes(const std::vector<double>& values) {
  std::vector<std::int64_t> result;
  for (const double value : values) result.push_back(value >= 0 && value < 1e9 ? static_cast<std::int64_t>(value) : 0);
  return result;
}

Number nrrd_type(const Lines& lines) {
  static const std::map<std::string, Number> kTypes = {
      {"signed char", Number::i8},   {"int8", Number::i8},
      {"int8_t", Number::i8},        {"uchar", Number::u8},
      {"unsigned char", Number::u8}, {"uint8", Number::u8},
      {"uint8_t", Number::u8},       {"short", Number::i16},
      {"short int", Number::i16},    {"signed short", Number::i16},
      {"int16", Number::i16},        {"int16_t", Number::i16},
      {"ushort", Number::u16},       {"unsigned short", Number::u16},
      {"uint16", Number::u16},       {"uint16_t", Number::u16},
      {"int", Number::i32},          {"signed int", Number::i32},
      {"int32", Number::i32},        {"int32_t", Number::i32},
      {"uint", Number::u32},         {"unsigned int", Number::u32},
      {"uint32", Number::u32},       {"uint32_t", Number::u32},
      {"longlong", Number::i64},     {"long long", Number::i64},
      {"int64", Number::i64},        {"int64_t", Number::i64},
      {"ulonglong", Number::u64},    {"unsigned long long", Number::u64},
      {"uint64", Number::u64},       {"uint64_t", Number::u64},
      {"float", Number::f32},        {"double", Number::f64}};
  const auto found = kTypes.find(lower(lines.get("type")));
  if (found == kTypes.end())
    throw wrong(lines.file, "its voxels are of type \"" + lines.get("type") + "\", which is not read");
  return found->second;
}

Header nrrd_header(const fs::path& file) {
  const Lines lines(file, true);
  for (const char* key : {"space", "space directions", "space origin"})
    if (lines.get(key).empty())
      throw wrong(file,
                  text("its header gives no \"", key,
                       "\", so its place and size in mm are unknown; export it again with its spacing and direction"));
  Header header;
  const auto dimension = static_cast<std::size_t>(std::clamp(lines.numbers("dimension", 1)[0], 0.0, 16.0));
  header.size = sizes(lines.numbers("sizes", dimension));
  if (dimension != 3) return header;  // refused with its sizes
  header.type = nrrd_type(lines);
  static const std::map<std::string, Vec3> kSpaces = {{"left-posterior-superior", {1, 1, 1}},   {"lps", {1, 1, 1}},
                                                      {"right-anterior-superior", {-1, -1, 1}}, {"ras", {-1, -1, 1}},
                                                      {"left-anterior-superior", {1, -1, 1}},   {"las", {1, -1, 1}}};
  const auto space = kSpaces.find(lower(lines.get("space")));
  if (space == kSpaces.end())
    throw wrong(file, "its space is \"" + lines.get("space") +
                          "\", which does not say where the patient's left is; "
                          "LPS, RAS and LAS are read");
  const auto steps = lines.numbers("space directions", 9), origin = lines.numbers("space origin", 3);
  for (int axis = 0; axis < 3; ++axis) {
    for (std::size_t d = 0; d < 3; ++d)
      header.frame.steps.column[d][axis] = steps[3 * d + static_cast<std::size_t>(axis)] * space->second[axis];
    header.frame.origin[axis] = origin[static_cast<std::size_t>(axis)] * space->second[axis];
  }
  const std::string encoding = lower(lines.get("encoding")), endian = lower(lines.get("endian"));
  header.compressed = encoding == "gzip" || encoding == "gz";
  if (!header.compressed && encoding != "raw")
    throw wrong(file, "its encoding is \"" + encoding + "\"; raw and gzip are read");
  if (bytes_of(header.type) > 1 && endian != "little" && endian != "big")
    throw wrong(file, "its header does not say \"endian\", the order of the bytes");
  header.big_endian = endian == "big";
  for (const char* key : {"line skip", "lineskip", "byte skip", "byteskip"})
    if (!lines.get(key).empty() && lines.get(key) != "0")
      throw wrong(file, text("its \"", key, "\" is not read; save it as one .nrrd file"));
  find_data(lines, lines.get("data file") + lines.get("datafile"), ending_of(file) == ".nrrd", header);
  header.remarks = lines.values;
  return header;
}

Header meta_header(const fs::path& file) {
  static const std::map<std::string, Number> kTypes = {
      {"MET_CHAR", Number::i8},        {"MET_UCHAR", Number::u8},  {"MET_SHORT", Number::i16},
      {"MET_USHORT", Number::u16},     {"MET_INT", Number::i32},   {"MET_UINT", Number::u32},
      {"MET_LONG", Number::i32},       {"MET_ULONG", Number::u32}, {"MET_LONG_LONG", Number::i64},
      {"MET_ULONG_LONG", Number::u64}, {"MET_FLOAT", Number::f32}, {"MET_DOUBLE", Number::f64}};
  const Lines lines(file, false);
  const auto any_of = [&](std::initializer_list<const char*> keys) {
    for (const char* key : keys)
      if (!lines.get(key).empty()) return std::string(key);
    return std::string();
  };
  Header header;
  const auto dimension = static_cast<std::size_t>(std::clamp(lines.numbers("ndims", 1)[0], 0.0, 16.0));
  header.size = sizes(lines.numbers("dimsize", dimension));
  if (const std::string channels = lines.get("elementnumberofchannels"); !channels.empty() && channels != "1")
    throw wrong(file, "it has " + channels + " numbers a voxel; a CT volume has one");
  if (dimension != 3) return header;  // refused with its sizes
  const auto type = kTypes.find(lines.get("elementtype"));
  if (type == kTypes.end())
    throw wrong(file, "its voxels are of type \"" + lines.get("elementtype") + "\", which is not read");
  header.type = type->second;
  if (lines.get("elementspacing").empty())
    throw wrong(file,
                "its header gives no ElementSpacing, so its size in mm is unknown; export it again with its spacing");
  const auto spacing = lines.numbers("elementspacing", 3);
  if (!std::all_of(spacing.begin(), spacing.end(), [](double value) { return value > 0; }))
    throw wrong(file, "its spacing is " + lines.get("elementspacing") + " mm; each must be above 0");
  const std::string turn = any_of({"transformmatrix", "rotation", "orientation"}),
                    place = any_of({"offset", "position", "origin"});
  const std::vector<double> matrix =
      turn.empty() ? std::vector<double>{1, 0, 0, 0, 1, 0, 0, 0, 1} : lines.numbers(turn, 9);
  const std::vector<double> origin = place.empty() ? std::vector<double>{0, 0, 0} : lines.numbers(place, 3);
  for (std::size_t d = 0; d < 3; ++d) {
    header.frame.steps.column[d] = Vec3{matrix[3 * d], matrix[3 * d + 1], matrix[3 * d + 2]} * spacing[d];
    header.frame.origin[static_cast<int>(d)] = origin[d];
  }
  if (lower(lines.get("binarydata")) == "false") throw wrong(file, "its voxels are written as text; save it as binary");
  if (const std::string skip = lines.get("headersize"); !skip.empty() && skip != "0")
    throw wrong(file, "its HeaderSize is not read; save it as one .mha file");
  header.big_endian = lower(lines.get("binarydatabyteordermsb") + lines.get("elementbyteordermsb")).starts_with("true");
  header.compressed = lower(lines.get("compresseddata")) == "true";
  const std::string data = lines.get("elementdatafile");
  find_data(lines, data == "LOCAL" ? "" : data, ending_of(file) == ".mha", header);
  header.remarks = lines.values;
  return header;
}

}  // namespace

std::size_t bytes_of(Number type) {
  static constexpr std::size_t kBytes[] = {1, 1, 2, 2, 4, 4, 8, 8, 4, 8};
  return kBytes[static_cast<std::size_t>(type)];
}

const std::vector<std::string>& endings() {
  static const std::vector<std::string> list = {".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd"};
  return list;
}

std::string ending_of(const fs::path& file) {
  const std::string name = lower(file.filename().string());
  for (const std::string& ending : endings())
    if (name.size() > ending.size() && name.ends_with(ending)) return ending;
  return "";
}

Header read_header(const fs::path& file) {
  const std::string ending = ending_of(file);
  std::error_code problem;
  if (!fs::is_regular_file(file, problem)) throw wrong(file, "no such file");
  if (ending.empty()) throw wrong(file, "not a NIfTI, NRRD or MetaImage file by its ending");
  return ending.starts_with(".nii")               ? nifti_header(file)
         : ending == ".nrrd" || ending == ".nhdr" ? nrrd_header(file)
                                                  : meta_header(file);
}

}  // namespace osteon::image
