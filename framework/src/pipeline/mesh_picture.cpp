// What a comparison of two surfaces looks like: both from two sides, and the prediction as a coloured PLY.

#include "imaging/canvas.hpp"
#include "imaging/surface_view.hpp"
#include "pipeline/mesh_compare.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace osteon::pipeline {

namespace {

using imaging::Rgb;

constexpr int kSurfaceHeight = 720;                                              // of a surface, pixels
constexpr std::int64_t kSurfaceGap = 16, kCaptionHeight = 44, kNameHeight = 32;  // pixels
constexpr std::int64_t kBarWidth = 28, kBarHeight = 400, kLabels = 140;          // of the colour bar
constexpr int kDots = 2;                                                         // dots a dot of the font
constexpr Rgb kBone{0.90, 0.86, 0.78}, kNowhere{0.6, 0.6, 0.6};

void check(const SurfacePair& pair) {
  pair.truth.check();
  pair.predicted.check();
  if (!pair.distance.defined() || pair.distance.scalar_type() != at::kFloat || !pair.distance.is_contiguous() ||
      pair.distance.numel() != pair.predicted.vertices.size(0))
    throw failure(text("surface pair \"", pair.caption, "\": distance must be float32 with one value for each of the ",
                       pair.predicted.vertices.size(0), " predicted vertices"));
}

std::vector<Rgb> distance_colours(const SurfacePair& pair) {
  const double limit = colour_limit(pair);
  const float* distance = pair.distance.data_ptr<float>();
  std::vector<Rgb> colours;
  for (std::int64_t i = 0; i < pair.distance.numel(); ++i)
    colours.push_back(std::isfinite(distance[i]) ? imaging::viridis(distance[i] / limit) : kNowhere);
  return colours;
}

std::uint8_t byte(double share) { return static_cast<std::uint8_t>(std::lround(255 * share)); }

/// As much of a word as has room.
std::string cut_to(std::string word, std::int64_t room) {
  while (!word.empty() && imaging::Canvas::width(word, kDots) > room) word.pop_back();
  return word;
}

void add_colour_bar(imaging::Canvas& canvas, double limit, std::int64_t x, std::int64_t y) {
  at::Tensor bar = at::empty({kBarHeight, 1, 3}, at::kByte);
  for (std::int64_t row = 0; row < kBarHeight; ++row) {
    const Rgb colour = imaging::viridis(1 - (static_cast<double>(row) + 0.5) / kBarHeight);
    for (std::int64_t k = 0; k < 3; ++k)
      bar.data_ptr<std::uint8_t>()[3 * row + k] = byte(colour[static_cast<std::size_t>(k)]);
  }
  canvas.image(bar.expand({kBarHeight, kBarWidth, 3}), x, y);
  for (const double share : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    char label[40];
    std::snprintf(label, sizeof label, "%s%.3g mm", share == 1 ? ">= " : "", share * limit);
    const auto row = y + static_cast<std::int64_t>((1 - share) * (kBarHeight - 1));
    canvas.line(static_cast<double>(x + kBarWidth), static_cast<double>(row), static_cast<double>(x + kBarWidth + 5),
                static_cast<double>(row), imaging::kGrey);
    canvas.words(label, x + kBarWidth + 10, row - 4 * kDots, kDots, imaging::kGrey);
  }
}

void append(std::string& bytes, const void* data, std::size_t size) {
  bytes.append(static_cast<const char*>(data), size);
}

}  // namespace

double colour_limit(const SurfacePair& pair) {
  std::vector<float> near;
  const float* distance = pair.distance.data_ptr<float>();
  std::copy_if(distance, distance + pair.distance.numel(), std::back_inserter(near),
               [](float d) { return std::isfinite(d); });
  if (near.empty()) return 1;
  const auto place = static_cast<std::ptrdiff_t>(0.98 * static_cast<double>(near.size() - 1));
  std::nth_element(near.begin(), near.begin() + place, near.end());
  const double far = std::max<double>(near[static_cast<std::size_t>(place)], 1e-3);
  const double power = std::pow(10, std::floor(std::log10(far)));
  for (const double step : {1.0, 2.0, 5.0})
    if (far <= step * power * (1 + 1e-6)) return step * power;
  return 10 * power;
}

at::Tensor picture_of(const SurfacePair& pair) {
  check(pair);
  const std::vector<Rgb> truth(static_cast<std::size_t>(pair.truth.vertices.size(0)), kBone);
  const std::vector<Rgb> predicted = distance_colours(pair);
  const auto [front, side] = imaging::upright_cameras(pair.truth);
  std::vector<std::pair<std::string, at::Tensor>> panels;
  std::int64_t width = kSurfaceGap;
  for (const imaging::SurfaceCamera& view : {front, side}) {
    const imaging::SurfaceCamera camera = imaging::fitted(view, {&pair.truth, &pair.predicted}, kSurfaceHeight);
    panels.emplace_back("truth", imaging::draw_surface(pair.truth, truth, camera));
    panels.emplace_back("distance", imaging::draw_surface(pair.predicted, predicted, camera));
    width += 2 * (camera.width + kSurfaceGap);
  }
  imaging::Canvas canvas(kCaptionHeight + kSurfaceHeight + kNameHeight, width + kBarWidth + kLabels);
  canvas.words(cut_to(pair.caption, width + kBarWidth + kLabels - 2 * kSurfaceGap), kSurfaceGap, kSurfaceGap, kDots,
               imaging::kWhite);
  std::int64_t x = kSurfaceGap;
  for (const auto& [name, picture] : panels) {
    canvas.image(picture, x, kCaptionHeight);
    canvas.words(cut_to(name, picture.size(1)), x, kCaptionHeight + kSurfaceHeight + 8, kDots, imaging::kGrey);
    x += picture.size(1) + kSurfaceGap;
  }
  add_colour_bar(canvas, colour_limit(pair), x, kCaptionHeight + (kSurfaceHeight - kBarHeight) / 2);
  return canvas.pixels();
}

std::string coloured_ply(const SurfacePair& pair) {
  check(pair);
  const Mesh& mesh = pair.predicted;
  std::string bytes =
      text("ply\nformat binary_little_endian 1.0\ncomment millimetres; quality is the distance, and the last colour ",
           colour_limit(pair), " mm or more\nelement vertex ", mesh.vertices.size(0),
           "\nproperty float x\nproperty float y\nproperty float z\nproperty uchar red\nproperty uchar green\nproperty "
           "uchar blue\nproperty float quality\nelement face ",
           mesh.triangles.size(0), "\nproperty list uchar int vertex_indices\nend_header\n");
  const std::vector<Rgb> colours = distance_colours(pair);
  for (std::size_t i = 0; i < colours.size(); ++i) {
    append(bytes, mesh.vertices.data_ptr<float>() + 3 * i, 3 * sizeof(float));
    for (const double share : colours[i]) bytes.push_back(static_cast<char>(byte(share)));
    append(bytes, pair.distance.data_ptr<float>() + i, sizeof(float));
  }
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < mesh.triangles.numel(); i += 3) {
    bytes.push_back(3);
    append(bytes, corner + i, 3 * sizeof *corner);
  }
  return bytes;
}

}  // namespace osteon::pipeline
