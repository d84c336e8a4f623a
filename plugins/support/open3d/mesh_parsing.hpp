#pragma once

// What the readers of the three file formats share: a surface as it grows, and text cut into words and numbers.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace osteon::open3d_support {

/// Vertices and triangles as a file gives them, before they are checked as a whole.
class SurfaceBuilder {
 public:
  void add_vertex(double x, double y, double z);
  /// Adds a polygon as a fan. Throws `Error` for fewer than three corners.
  void add_polygon(const std::vector<std::int64_t>& corners);
  /// The vertex at exactly these coordinates, added at first use.
  std::int64_t weld_vertex(float x, float y, float z);

  [[nodiscard]] std::int64_t vertex_count() const { return static_cast<std::int64_t>(vertices_.size() / 3); }
  [[nodiscard]] const std::vector<float>& vertices() const { return vertices_; }
  [[nodiscard]] const std::vector<std::int64_t>& triangles() const { return triangles_; }

 private:
  void grow_table();

  std::vector<float> vertices_;
  std::vector<std::int64_t> triangles_;
  std::vector<std::int64_t> table_;  ///< open-addressing hash of welded vertices; -1 is free
};

/// Text read from its beginning, word by word or line by line.
class TextCursor {
 public:
  explicit TextCursor(std::string_view rest) : rest_(rest) {}

  /// The next word between white space; empty at the end.
  std::string_view word();
  /// The next line without its end; false after the last.
  bool line(std::string_view& line);
  /// The next word as a number. Throws `Error` saying what stands there instead of `what`.
  double number(const char* what);
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

double to_number(std::string_view word, const char* what);
std::int64_t to_integer(std::string_view word, const char* what);

void parse_ply(std::string_view bytes, SurfaceBuilder& surface);
void parse_stl(std::string_view bytes, SurfaceBuilder& surface);
void parse_obj(std::string_view bytes, SurfaceBuilder& surface);

}  // namespace osteon::open3d_support
