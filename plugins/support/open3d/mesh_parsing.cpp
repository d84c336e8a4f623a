// Words, numbers and growing surfaces for the mesh readers, and the two formats that need little more: STL (Marshall
// Burns, "Automated Fabrication", 1993, section 6.5) and Wavefront OBJ.

#include "mesh_parsing.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace osteon::open3d_support {

namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";
constexpr std::int64_t kFree = -1;

std::string shown(std::string_view word) {
  return word.empty() ? "the end of the file" : text('"', word.substr(0, 40), '"');
}

std::size_t slot_of(float x, float y, float z, std::size_t slots) {
  const std::array<float, 3> point{x, y, z};
  std::array<std::uint32_t, 3> bits{};
  std::memcpy(bits.data(), point.data(), sizeof bits);
  std::uint64_t hash = 0x9E3779B97F4A7C15;
  for (const std::uint32_t part : bits) {
    hash = (hash ^ part) * 0xD6E8FEB86659FD93;
    hash ^= hash >> 32;
  }
  return hash & (slots - 1);
}

float little_endian_float(const char* bytes) {
  float value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

void parse_binary_stl(std::string_view bytes, std::uint64_t count, SurfaceBuilder& surface) {
  constexpr std::size_t kHeader = 84, kFacet = 50, kNormal = 12, kPoint = 12;
  for (std::uint64_t i = 0; i < count; ++i) {
    const char* facet = bytes.data() + kHeader + kFacet * i + kNormal;
    std::vector<std::int64_t> corners(3);
    for (std::size_t c = 0; c < 3; ++c) {
      const char* p = facet + kPoint * c;
      corners[c] = surface.weld_vertex(little_endian_float(p), little_endian_float(p + 4), little_endian_float(p + 8));
    }
    surface.add_polygon(corners);
  }
}

void parse_ascii_stl(std::string_view bytes, SurfaceBuilder& surface) {
  TextCursor cursor(bytes);
  std::vector<std::int64_t> corners;
  bool complete = false;
  for (std::string_view word = cursor.word(); !word.empty(); word = cursor.word()) {
    if (word == "vertex") {
      const auto x = static_cast<float>(cursor.number("a coordinate"));
      const auto y = static_cast<float>(cursor.number("a coordinate"));
      const auto z = static_cast<float>(cursor.number("a coordinate"));
      corners.push_back(surface.weld_vertex(x, y, z));
    } else if (word == "endloop") {
      surface.add_polygon(corners);
      corners.clear();
    } else if (word == "endsolid") {
      complete = true;
    }
  }
  if (!complete) throw Error("the file is truncated: its last line, \"endsolid\", is missing");
}

/// The vertex of one corner "7", "7/2" or "-1//3"; negative counts back from the last vertex.
std::int64_t obj_corner(std::string_view word, std::int64_t vertices) {
  const std::int64_t index = to_integer(word.substr(0, word.find('/')), "a vertex number");
  const std::int64_t corner = index < 0 ? vertices + index : index - 1;
  if (index == 0 || corner < 0) throw Error(text("a face names vertex ", index, ", which does not exist"));
  return corner;
}

}  // namespace

void SurfaceBuilder::add_vertex(double x, double y, double z) {
  for (const double coordinate : {x, y, z}) vertices_.push_back(static_cast<float>(coordinate));
}

void SurfaceBuilder::add_polygon(const std::vector<std::int64_t>& corners) {
  if (corners.size() < 3) throw Error(text("a face has ", corners.size(), " corners; at least 3 are needed"));
  for (std::size_t i = 2; i < corners.size(); ++i) {
    triangles_.push_back(corners[0]);
    triangles_.push_back(corners[i - 1]);
    triangles_.push_back(corners[i]);
  }
}

std::int64_t SurfaceBuilder::weld_vertex(float x, float y, float z) {
  x += 0.0F, y += 0.0F, z += 0.0F;  // -0 and 0 are one place
  if (vertices_.size() / 3 * 2 >= table_.size()) grow_table();
  std::size_t slot = slot_of(x, y, z, table_.size());
  for (; table_[slot] != kFree; slot = (slot + 1) & (table_.size() - 1)) {
    const float* p = vertices_.data() + 3 * table_[slot];
    if (p[0] == x && p[1] == y && p[2] == z) return table_[slot];
  }
  table_[slot] = vertex_count();
  add_vertex(x, y, z);
  return table_[slot];
}

void SurfaceBuilder::grow_table() {
  table_.assign(std::max<std::size_t>(1024, table_.size() * 2), kFree);
  for (std::int64_t i = 0; i < vertex_count(); ++i) {
    const float* p = vertices_.data() + 3 * i;
    std::size_t slot = slot_of(p[0], p[1], p[2], table_.size());
    while (table_[slot] != kFree) slot = (slot + 1) & (table_.size() - 1);
    table_[slot] = i;
  }
}

std::string_view TextCursor::word() {
  const std::size_t first = rest_.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    rest_ = {};
    return {};
  }
  const std::size_t end = std::min(rest_.find_first_of(kSpace, first), rest_.size());
  const std::string_view found = rest_.substr(first, end - first);
  rest_.remove_prefix(end);
  return found;
}

bool TextCursor::line(std::string_view& line) {
  if (rest_.empty()) return false;
  const std::size_t end = std::min(rest_.find('\n'), rest_.size());
  line = rest_.substr(0, end);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  return true;
}

double TextCursor::number(const char* what) { return to_number(word(), what); }

double to_number(std::string_view word, const char* what) {
  double value = 0;
  const std::string_view digits = word.substr(word.starts_with('+') ? 1 : 0);
  const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem != std::errc{} || end != digits.data() + digits.size())
    throw Error(text("expected ", what, " but found ", shown(word)));
  return value;
}

std::int64_t to_integer(std::string_view word, const char* what) {
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (problem != std::errc{} || end != word.data() + word.size())
    throw Error(text("expected ", what, " but found ", shown(word)));
  return value;
}

void parse_stl(std::string_view bytes, SurfaceBuilder& surface) {
  // A binary file may begin with "solid" too, so its length decides.
  std::uint32_t count = 0;
  if (bytes.size() >= 84) std::memcpy(&count, bytes.data() + 80, sizeof count);
  const std::uint64_t expected = 84 + 50 * std::uint64_t{count};
  if (bytes.size() >= 84 && bytes.size() == expected) return parse_binary_stl(bytes, count, surface);
  if (TextCursor(bytes).word() == "solid") return parse_ascii_stl(bytes, surface);
  if (bytes.size() < 84) throw Error("this is no STL file: it has neither \"solid\" nor a binary header of 84 bytes");
  if (bytes.size() < expected)
    throw Error(
        text("the file is truncated: ", count, " triangles need ", expected, " bytes, but it has ", bytes.size()));
  parse_binary_stl(bytes, count, surface);
}

void parse_obj(std::string_view bytes, SurfaceBuilder& surface) {
  TextCursor lines(bytes);
  std::vector<std::int64_t> corners;
  std::string_view line;
  for (std::int64_t number = 1; lines.line(line); ++number) try {
      TextCursor words(line);
      const std::string_view kind = words.word();
      if (kind == "v") {
        const double x = words.number("a coordinate"), y = words.number("a coordinate");
        surface.add_vertex(x, y, words.number("a coordinate"));
      } else if (kind == "f") {
        corners.clear();
        for (std::string_view word = words.word(); !word.empty(); word = words.word())
          corners.push_back(obj_corner(word, surface.vertex_count()));
        surface.add_polygon(corners);
      }
    } catch (const Error& error) {
      throw error.within(text("line ", number));
    }
}

}  // namespace osteon::open3d_support
