#include "projector.hpp"

#include "reports/contact_sheet.hpp"
#include "reports/text.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>
#include <osteon/png.hpp>

#include <ATen/Functions.h>

#include <cmath>
#include <cstdio>
#include <optional>
#include <system_error>
#include <vector>

namespace osteon::tensorboard {

namespace {

namespace fs = std::filesystem;

constexpr const char* kConfiguration = "projector_config.pbtxt";
constexpr std::int64_t kMostPixels = 4096 * 4096;  ///< of a sprite's thumbnails
constexpr std::int64_t kLongestSide = 8192;        ///< of a sprite, that graphics cards take as a texture

/// A string of protobuf's text format.
std::string quoted(const std::string& words) {
  std::string result = "\"";
  for (const char c : words) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      result += std::string("\\") + c;
    } else if (byte < ' ' || byte >= 0x7f) {
      char octal[8];
      std::snprintf(octal, sizeof octal, "\\%03o", static_cast<unsigned int>(byte));
      result += octal;
    } else {
      result += c;
    }
  }
  return result + "\"";
}

std::vector<std::int64_t> finite_points(const at::Tensor& points) {
  const float* p = points.data_ptr<float>();
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < points.size(0); ++i)
    if (std::isfinite(p[2 * i]) && std::isfinite(p[2 * i + 1])) rows.push_back(i);
  return rows;
}

std::string tensors_tsv(const at::Tensor& points, const std::vector<std::int64_t>& rows) {
  const float* p = points.data_ptr<float>();
  std::string tsv;
  for (const std::int64_t i : rows)
    tsv += reports::number_text(p[2 * i]) + "\t" + reports::number_text(p[2 * i + 1]) + "\n";
  return tsv;
}

std::string metadata_tsv(const PicturedMap& map, const std::vector<std::int64_t>& rows) {
  const std::int64_t* image = map.map.images.data_ptr<std::int64_t>();
  std::string tsv = "bone\trole\theld out\timage\tpose\taxial\ttilt\tin-plane\tenergy\n";
  for (const std::int64_t i : rows) {
    const auto at = static_cast<std::size_t>(i);
    const ImageRow& row = map.rows[at];
    tsv += text(reports::utf8(reports::one_line(map.bones[at])), "\t", reports::utf8(reports::one_line(map.roles[at])),
                "\t", map.held_out[at] ? "true" : "false", "\t", image[i], "\t", row.pose, "\t",
                reports::number_text(row.axial), "\t", reports::number_text(row.tilt), "\t",
                reports::number_text(row.in_plane), "\t", reports::number_text(row.energy), "\n");
  }
  return tsv;
}

struct Sprite {
  at::Tensor sheet;
  std::int64_t tile_width, tile_height;
};

/// Nothing where there are so many thumbnails that even small ones do not fit.
std::optional<Sprite> sprite_of(const at::Tensor& thumbnails, const std::vector<std::int64_t>& rows) {
  if (thumbnails.size(1) == 0 || thumbnails.size(2) == 0) return std::nullopt;
  const at::Tensor tiles = reports::small_enough(thumbnails.index_select(0, at::tensor(rows, at::kLong)), kMostPixels);
  const at::Tensor sheet = reports::contact_sheet(tiles, reports::columns_of(tiles));
  if (sheet.size(0) > kLongestSide || sheet.size(1) > kLongestSide) return std::nullopt;
  return Sprite{sheet, tiles.size(2), tiles.size(1)};
}

}  // namespace

Projector::Projector(fs::path folder) : folder_(std::move(folder)) {
  std::error_code problem;
  fs::remove(folder_ / kConfiguration, problem);
  if (!problem) fs::remove_all(folder_ / "maps", problem);
  if (problem) throw failure(text(folder_.string(), ": cannot remove the maps of an earlier run: ", problem.message()));
}

void Projector::add(const PicturedMap& map) {
  reports::require_complete(map);
  const at::Tensor points = map.map.points.contiguous();
  const std::vector<std::int64_t> rows = finite_points(points);
  if (rows.empty()) return;
  const std::string thing = text(++count_);
  const std::string place = "maps/" + names_.name_of(thing, reports::file_word(map.map.title)) + "/";
  std::error_code problem;
  fs::create_directories(folder_ / place, problem);
  if (problem) throw failure(text((folder_ / place).string(), ": cannot make the folder: ", problem.message()));
  write_file(folder_ / place / "tensors.tsv", tensors_tsv(points, rows));
  write_file(folder_ / place / "metadata.tsv", metadata_tsv(map, rows));
  const std::optional<Sprite> sprite = sprite_of(map.thumbnails, rows);
  if (sprite) write_png(folder_ / place / "sprite.png", sprite->sheet);
  configuration_ += text("embeddings {\n  tensor_name: ", quoted(reports::utf8(titles_.name_of(thing, map.map.title))),
                         "\n  tensor_path: ", quoted(place + "tensors.tsv"),
                         "\n  metadata_path: ", quoted(place + "metadata.tsv"), "\n");
  if (sprite)
    configuration_ += text("  sprite {\n    image_path: ", quoted(place + "sprite.png"),
                           "\n    single_image_dim: ", sprite->tile_width,
                           "\n    single_image_dim: ", sprite->tile_height, "\n  }\n");
  configuration_ += "}\n";
  write_file(folder_ / kConfiguration, configuration_);
}

}  // namespace osteon::tensorboard
