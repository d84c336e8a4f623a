#include "imaging/upright.hpp"

#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

namespace osteon::imaging {

namespace {

constexpr int kThinBone = 64;  ///< grey value from which on all counts alike

/// One picture within a row of them, its lines `stride` bytes apart.
struct Picture {
  const std::uint8_t* pixels;
  std::int64_t columns, rows, stride;
};

/// Where what is bright lies: centroid in pixels, and the angle of its long axis from the columns.
struct Placement {
  double x = 0, y = 0, angle = 0;
  bool is_empty = true;
};

Placement placement_of(const Picture& picture) {
  double mass = 0, sum_x = 0, sum_y = 0, xx = 0, yy = 0, xy = 0;
  for (std::int64_t y = 0; y < picture.rows; ++y)
    for (std::int64_t x = 0; x < picture.columns; ++x) {
      const auto weight = static_cast<double>(std::min<int>(kThinBone, picture.pixels[y * picture.stride + x]));
      const auto px = static_cast<double>(x), py = static_cast<double>(y);
      mass += weight;
      sum_x += weight * px;
      sum_y += weight * py;
      xx += weight * px * px;
      yy += weight * py * py;
      xy += weight * px * py;
    }
  if (mass == 0) return {};
  const double x = sum_x / mass, y = sum_y / mass;
  // Of the axis (sin a, cos a) along which the spread is largest.
  const double angle = 0.5 * std::atan2(2 * (xy / mass - x * y), (yy / mass - y * y) - (xx / mass - x * x));
  return {x, y, angle, false};
}

/// Bilinear; black outside.
std::uint8_t sample(const Picture& picture, double x, double y) {
  const auto i = static_cast<std::int64_t>(std::floor(x)), j = static_cast<std::int64_t>(std::floor(y));
  const double fx = x - static_cast<double>(i), fy = y - static_cast<double>(j);
  const auto at = [&](std::int64_t u, std::int64_t v) {
    if (u < 0 || v < 0 || u >= picture.columns || v >= picture.rows) return 0.0;
    return static_cast<double>(picture.pixels[v * picture.stride + u]);
  };
  const double upper = std::lerp(at(i, j), at(i + 1, j), fx), lower = std::lerp(at(i, j + 1), at(i + 1, j + 1), fx);
  return static_cast<std::uint8_t>(std::lerp(upper, lower, fy) + 0.5);
}

void turn_upright(const Picture& in, std::uint8_t* out) {
  const Placement placement = placement_of(in);
  const double c = placement.is_empty ? 1 : std::cos(placement.angle);
  const double s = placement.is_empty ? 0 : std::sin(placement.angle);
  const double middle_x = static_cast<double>(in.columns - 1) / 2, middle_y = static_cast<double>(in.rows - 1) / 2;
  const double from_x = placement.is_empty ? middle_x : placement.x,
               from_y = placement.is_empty ? middle_y : placement.y;
  for (std::int64_t y = 0; y < in.rows; ++y)
    for (std::int64_t x = 0; x < in.columns; ++x) {
      const double right = static_cast<double>(x) - middle_x, down = static_cast<double>(y) - middle_y;
      out[y * in.stride + x] = sample(in, from_x + c * right + s * down, from_y - s * right + c * down);
    }
}

}  // namespace

at::Tensor upright(const at::Tensor& pixels, std::int64_t views) {
  const at::Tensor from = pixels.contiguous();
  at::Tensor to = at::zeros_like(from);
  const std::int64_t height = from.size(1), width = from.size(2), columns = width / views;
  const auto* in = from.data_ptr<std::uint8_t>();
  auto* out = to.data_ptr<std::uint8_t>();
  parallel_for(0, from.size(0), 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t image = first; image < last; ++image)
      for (std::int64_t view = 0; view < views; ++view) {
        const std::int64_t corner = image * height * width + view * columns;
        turn_upright({in + corner, columns, height, width}, out + corner);
      }
  });
  return to;
}

}  // namespace osteon::imaging
