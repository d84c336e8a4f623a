#include "contact_sheet.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

namespace osteon::reports {

void require_complete(const PicturedMap& map) {
  const std::int64_t n = std::ssize(map.rows);
  const at::Tensor &points = map.map.points, &images = map.map.images, &thumbnails = map.thumbnails;
  const bool fits = points.defined() && points.scalar_type() == at::kFloat && points.dim() == 2 &&
                    points.size(0) == n && points.size(1) == 2 && images.defined() &&
                    images.scalar_type() == at::kLong && images.numel() == n && images.is_contiguous() &&
                    thumbnails.defined() && thumbnails.scalar_type() == at::kByte && thumbnails.dim() == 3 &&
                    thumbnails.size(0) == n && std::ssize(map.bones) == n && std::ssize(map.held_out) == n &&
                    std::ssize(map.roles) == n;
  if (!fits)
    throw failure(text("map \"", map.map.title, "\": for each of its ", n,
                       " images there must be a point (float32 [n, 2]), a number, a thumbnail (uint8 [n, h, w]), a "
                       "bone, a role and whether it was held out"));
}

at::Tensor small_enough(const at::Tensor& thumbnails, std::int64_t most_pixels) {
  at::Tensor tiles = thumbnails.contiguous();
  while (tiles.numel() > most_pixels && tiles.size(1) > 8 && tiles.size(2) > 8)
    tiles = at::adaptive_avg_pool2d(tiles.to(at::kFloat), {tiles.size(1) / 2, tiles.size(2) / 2}).round().to(at::kByte);
  return tiles;
}

at::Tensor contact_sheet(const at::Tensor& tiles, std::int64_t columns) {
  const std::int64_t n = tiles.size(0), h = tiles.size(1), w = tiles.size(2), rows = (n + columns - 1) / columns;
  at::Tensor all = at::zeros({rows * columns, h, w}, at::kByte);
  all.narrow(0, 0, n).copy_(tiles);
  return all.reshape({rows, columns, h, w}).permute({0, 2, 1, 3}).reshape({rows * h, columns * w});
}

std::int64_t columns_of(const at::Tensor& tiles) {
  const double side =
      std::sqrt(static_cast<double>(tiles.size(0) * tiles.size(1)) / static_cast<double>(tiles.size(2)));
  return std::max<std::int64_t>(1, std::llround(side));
}

}  // namespace osteon::reports
