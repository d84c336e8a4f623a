#include "imaging/roll.hpp"

#include <osteon/geometry.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

namespace osteon::imaging {

namespace {

/// A sheet's pixel, at the middle of the volume, is at most this share of a voxel.
constexpr double kFinest = 0.6;
/// Pixels beyond the outermost that is asked for: what cubic interpolation reads.
constexpr std::int64_t kRollMargin = 3;

Vec3 normal(const Projection& view) { return normalised(cross(view.column_step, view.row_step)); }

/// Whether `other` sees the same rays through the same plane as `view`, apart from where its pixels lie in it.
bool same_beam(const Projection& view, const Projection& other) {
  if (view.parallel != other.parallel || view.rows != other.rows || view.columns != other.columns) return false;
  const double pixel = norm(view.column_step), close = 1e-6 * pixel;
  if (view.parallel ? norm(view.direction - other.direction) > 1e-9 : norm(view.source - other.source) > close)
    return false;
  const Vec3 n = normal(view);
  return std::abs(dot(n, other.first_pixel - view.first_pixel)) < close && std::abs(dot(n, other.column_step)) < 1e-9 &&
         std::abs(dot(n, other.row_step)) < 1e-9 && std::abs(dot(view.column_step, view.row_step)) < 1e-9 * pixel;
}

/// Pixels of the sheet between two of the image's.
double refinement(const Projection& view, const Grid& grid) {
  const Vec3 centre =
      grid.to_patient({static_cast<double>(grid.size[0] - 1) / 2, static_cast<double>(grid.size[1] - 1) / 2,
                       static_cast<double>(grid.size[2] - 1) / 2});
  double pixel = std::max(norm(view.column_step), norm(view.row_step));
  if (!view.parallel) {
    const Vec3 n = normal(view);
    pixel *= std::abs(dot(n, centre - view.source) / dot(n, view.first_pixel - view.source));
  }
  const double voxel = std::min({grid.spacing.x, grid.spacing.y, grid.spacing.z});
  return std::max(1.0, std::ceil(pixel / (kFinest * voxel) - 1e-9));
}

/// Whether a sheet is worth making: it costs at most half of the projections that it stands for. (Reading an image from
/// it costs little.)
bool pays(double sheet_pixels, double images, double image_pixels) { return 2 * sheet_pixels <= images * image_pixels; }

/// Where pixel (0, 0) and the steps of one projection lie in the pixels of another in the same plane.
struct InPlane {
  InPlane(const Projection& view, const Projection& in) {
    const auto place = [&](Vec3 v) {
      return std::array{dot(v, in.row_step) / dot(in.row_step, in.row_step),
                        dot(v, in.column_step) / dot(in.column_step, in.column_step)};
    };
    first = place(view.first_pixel - in.first_pixel);
    by_row = place(view.row_step);
    by_column = place(view.column_step);
  }
  [[nodiscard]] double at(std::size_t axis, double row, double column) const {
    return first[axis] + row * by_row[axis] + column * by_column[axis];
  }

  std::array<double, 2> first, by_row, by_column;  ///< row and column of the sheet
};

constexpr int kPhases = 1024;
using Four = float __attribute__((vector_size(16)));

/// Keys' cubic weights (a = -1/2) of four pixels, for a point in 1/1024 of the way from the second to the third.
std::vector<Four> cubic_weights() {
  std::vector<Four> table;
  for (int i = 0; i < kPhases; ++i) {
    const double t = static_cast<double>(i) / kPhases;
    const double before = t * (-0.5 + t * (1 - 0.5 * t)), at = 1 + t * t * (-2.5 + 1.5 * t);
    const double next = t * (0.5 + t * (2 - 1.5 * t)), beyond = t * t * (-0.5 + 0.5 * t);
    table.push_back(
        Four{static_cast<float>(before), static_cast<float>(at), static_cast<float>(next), static_cast<float>(beyond)});
  }
  return table;
}

Four load(const float* from) {
  Four four;
  std::memcpy(&four, from, sizeof four);
  return four;
}

float cubic(const float* at, std::int64_t stride, Four down, Four across) {
  const Four sum = (down[0] * load(at) + down[1] * load(at + stride)) +
                   (down[2] * load(at + 2 * stride) + down[3] * load(at + 3 * stride));
  const Four weighted = sum * across;
  // Interpolation overshoots beside edges; a line integral is never negative.
  return std::max(0.0F, (weighted[0] + weighted[1]) + (weighted[2] + weighted[3]));
}

}  // namespace

RollPlan::RollPlan(std::vector<Projection> exposures, const Grid& grid, RollReuse reuse)
    : exposures_(std::move(exposures)), sheet_of_(exposures_.size(), -1) {
  if (reuse == RollReuse::never) return;
  for (std::size_t first = 0; first < exposures_.size();) {
    std::size_t end = first + 1;
    while (end < exposures_.size() && same_beam(exposures_[first], exposures_[end])) ++end;
    if (end - first > 1) plan_run(first, end, grid);
    first = end;
  }
  std::int64_t rows = 0, columns = 0;
  for (const Projection& sheet : sheets_) {
    rows = std::max(rows, sheet.rows);
    columns = std::max(columns, sheet.columns);
  }
  for (Projection& sheet : sheets_) {
    sheet.rows = rows;
    sheet.columns = columns;
  }
}

void RollPlan::plan_run(std::size_t first, std::size_t end, const Grid& grid) {
  // The one in the middle needs the smallest margins around it.
  Projection sheet = exposures_[(first + end) / 2];
  const double image_pixels = static_cast<double>(sheet.rows * sheet.columns), finer = refinement(sheet, grid);
  sheet.row_step = sheet.row_step * (1 / finer);
  sheet.column_step = sheet.column_step * (1 / finer);
  std::array<double, 2> low = {1e300, 1e300}, high = {-1e300, -1e300};
  for (std::size_t i = first; i < end; ++i) {
    const InPlane in(exposures_[i], sheet);
    for (std::size_t axis = 0; axis < 2; ++axis)
      for (const double row : {0.0, static_cast<double>(exposures_[i].rows - 1)})
        for (const double column : {0.0, static_cast<double>(exposures_[i].columns - 1)}) {
          low[axis] = std::min(low[axis], in.at(axis, row, column));
          high[axis] = std::max(high[axis], in.at(axis, row, column));
        }
  }
  // Whole pixels from the middle exposure's, so that its own image is read without interpolation and the pixels don't
  // depend on which others there are.
  const double row = std::floor(low[0]) - kRollMargin, column = std::floor(low[1]) - kRollMargin;
  sheet.rows = static_cast<std::int64_t>(std::ceil(high[0]) + kRollMargin - row) + 1;
  sheet.columns = static_cast<std::int64_t>(std::ceil(high[1]) + kRollMargin - column) + 1;
  sheet.first_pixel = sheet.first_pixel + sheet.row_step * row + sheet.column_step * column;
  if (!pays(static_cast<double>(sheet.rows) * static_cast<double>(sheet.columns), static_cast<double>(end - first),
            image_pixels))
    return;
  for (std::size_t i = first; i < end; ++i) sheet_of_[i] = static_cast<int>(sheets_.size());
  sheets_.push_back(sheet);
}

void RollPlan::resample(std::size_t i, const float* from, float* to) const {
  static const std::vector<Four> weights = cubic_weights();
  const Projection &view = exposures_[i], &on = sheet(sheet_of_[i]);
  const InPlane in(view, on);
  const std::int64_t stride = on.columns, material = on.rows * on.columns, pixels = view.rows * view.columns;
  for (std::int64_t row = 0; row < view.rows; ++row)
    for (std::int64_t column = 0; column < view.columns; ++column) {
      const double r = in.at(0, static_cast<double>(row), static_cast<double>(column));
      const double c = in.at(1, static_cast<double>(row), static_cast<double>(column));
      // Positive: the margin keeps them inside.
      const auto r_phase = static_cast<std::int64_t>(r * kPhases + 0.5);
      const auto c_phase = static_cast<std::int64_t>(c * kPhases + 0.5);
      const Four down = weights[static_cast<std::size_t>(r_phase % kPhases)];
      const Four across = weights[static_cast<std::size_t>(c_phase % kPhases)];
      const float* at = from + (r_phase / kPhases - 1) * stride + c_phase / kPhases - 1;
      float* pixel = to + row * view.columns + column;
      pixel[0] = cubic(at, stride, down, across);
      pixel[pixels] = cubic(at + material, stride, down, across);
    }
}

}  // namespace osteon::imaging
