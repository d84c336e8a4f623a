#include "imaging/silhouette.hpp"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace osteon::imaging {

namespace {

using Corners = std::array<Shadow::Pixel, 3>;

/// Twice the area of (a, b, c), with its sign.
double turn(const Shadow::Pixel& a, const Shadow::Pixel& b, const Shadow::Pixel& c) {
  return (b.column - a.column) * (c.row - a.row) - (b.row - a.row) * (c.column - a.column);
}

/// Marks the pixels whose middle lies in the triangle or on its border, so that neighbours leave no gap.
void fill(at::Tensor& mask, const Corners& corner) {
  const auto [left, right] = std::minmax({corner[0].column, corner[1].column, corner[2].column});
  const auto [top, bottom] = std::minmax({corner[0].row, corner[1].row, corner[2].row});
  const std::int64_t rows = mask.size(0), columns = mask.size(1);
  if (!(right >= 0 && bottom >= 0 && left < static_cast<double>(columns) && top < static_cast<double>(rows))) return;
  auto* pixels = mask.data_ptr<std::uint8_t>();
  const auto first_row = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(top)));
  const auto first_column = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(left)));
  for (std::int64_t row = first_row; row < rows && static_cast<double>(row) <= bottom; ++row)
    for (std::int64_t column = first_column; column < columns && static_cast<double>(column) <= right; ++column) {
      const Shadow::Pixel here{static_cast<double>(column), static_cast<double>(row)};
      const double a = turn(corner[0], corner[1], here), b = turn(corner[1], corner[2], here),
                   c = turn(corner[2], corner[0], here);
      if ((a >= 0 && b >= 0 && c >= 0) || (a <= 0 && b <= 0 && c <= 0)) pixels[row * columns + column] = 1;
    }
}

}  // namespace

Shadow::Shadow(const Projection& projection, bool slot)
    : projection_(projection),
      slot_(slot),
      normal_(normalised(cross(projection.column_step, projection.row_step))),
      source_depth_(dot(projection.source - projection.first_pixel, normal_)) {}

Shadow::Pixel Shadow::of(Vec3 point) const {
  const Vec3 across = projection_.column_step, down = projection_.row_step;
  const double depth = dot(point - projection_.first_pixel, normal_);
  Vec3 hit;
  if (projection_.parallel) {
    hit = point - projection_.direction * (depth / dot(projection_.direction, normal_));
  } else {
    Vec3 source = projection_.source;
    if (slot_) source = source + down * (dot(point - source, down) / dot(down, down));
    const double larger = source_depth_ / (source_depth_ - depth);
    if (!(larger > 0)) return {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::quiet_NaN()};
    hit = source + (point - source) * larger;
  }
  const Vec3 offset = hit - projection_.first_pixel;
  return {dot(offset, across) / dot(across, across), dot(offset, down) / dot(down, down)};
}

at::Tensor silhouette(const Mesh& mesh, const Projection& projection, bool slot, std::int64_t finer) {
  const Shadow shadow(projection, slot);
  const auto factor = static_cast<double>(finer);
  std::vector<Shadow::Pixel> places(static_cast<std::size_t>(mesh.vertices.size(0)));
  const auto* vertex = mesh.vertices.data_ptr<float>();
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Shadow::Pixel at = shadow.of({vertex[3 * i], vertex[3 * i + 1], vertex[3 * i + 2]});
    places[i] = {(at.column + 0.5) * factor - 0.5, (at.row + 0.5) * factor - 0.5};
  }
  at::Tensor mask = at::zeros({projection.rows * finer, projection.columns * finer}, at::kByte);
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t) {
    Corners corners;
    for (std::size_t k = 0; k < 3; ++k)
      corners[k] = places[static_cast<std::size_t>(corner[3 * t + static_cast<std::int64_t>(k)])];
    fill(mask, corners);
  }
  return mask;
}

at::Tensor outline_of(const at::Tensor& silhouette) {
  const at::Tensor framed = at::constant_pad_nd(silhouette, {1, 1, 1, 1}, 0);
  const std::int64_t rows = silhouette.size(0), columns = silhouette.size(1);
  const auto moved = [&](std::int64_t down, std::int64_t right) {
    return framed.narrow(0, 1 + down, rows).narrow(1, 1 + right, columns);
  };
  const at::Tensor inside = moved(-1, 0) * moved(1, 0) * moved(0, -1) * moved(0, 1);
  return silhouette * (1 - inside);
}

}  // namespace osteon::imaging
