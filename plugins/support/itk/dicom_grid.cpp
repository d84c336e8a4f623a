// The checks that make a regular grid of a series, and the resampling where it almost is one.

#include "itk/dicom_grid.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

namespace osteon::dicom {

namespace {

constexpr double kSamePosition = 1e-3;                   // mm
constexpr double kEven = 0.1;                            // of the slice distance
constexpr double kSmallestGap = 0.5, kLargestGap = 1.5;  // of the usual gap
constexpr double kSteepest = 45;                         // degrees
constexpr double kMostGrowth = 16;                       // of the slices' area, by resampling
constexpr std::int16_t kAir = -1000;                     // HU

double place(const Slice& slice, Vec3 normal) { return dot(slice.position, normal); }

std::string in_mm(double value) { return text(std::round(value * 1000) / 1000, " mm"); }

/// Size, pixel spacing and direction of each slice against the first.
void require_alike(std::span<const Slice> slices) {
  const Slice& first = slices.front();
  const auto refuse = [&](const Slice& slice, const std::string& what) {
    throw Error(text(slice.name(), ": ", what, " the first slice of its series, ", first.name(),
                     "; remove the file, or put it in a folder of its own series"));
  };
  for (const Slice& slice : slices) {
    if (!slice.problem.empty()) throw Error(text(slice.name(), ": not usable as a CT slice: ", slice.problem));
    if (slice.rows != first.rows || slice.columns != first.columns)
      refuse(slice, text("the slice has ", slice.columns, "x", slice.rows, " pixels, not the ", first.columns, "x",
                         first.rows, " of"));
    if (std::abs(slice.row_spacing - first.row_spacing) > 1e-4 ||
        std::abs(slice.column_spacing - first.column_spacing) > 1e-4)
      refuse(slice, "the slice has another PixelSpacing than");
    if (norm(slice.along_row - first.along_row) > 1e-3 || norm(slice.along_column - first.along_column) > 1e-3)
      refuse(slice, "the slice has another direction (ImageOrientationPatient) than");
  }
}

/// The distances between neighbours, all above 0 and none so large that a slice must be missing.
std::vector<double> gaps_of(std::span<const Slice> slices, Vec3 normal) {
  std::vector<double> gap(slices.size() - 1);
  for (std::size_t k = 0; k < gap.size(); ++k) {
    gap[k] = place(slices[k + 1], normal) - place(slices[k], normal);
    if (gap[k] < kSamePosition)
      throw Error(text(slices[k].name(), " and ", slices[k + 1].name(),
                       ": two slices of one series at the same position, ", in_mm(place(slices[k], normal)),
                       " along the normal; remove one of them"));
  }
  std::vector<double> sorted = gap;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(gap.size() / 2), sorted.end());
  const double usual = sorted[gap.size() / 2];
  for (std::size_t k = 0; k < gap.size(); ++k) {
    const std::string between = text(in_mm(place(slices[k], normal)), " (", slices[k].name(), ") and ",
                                     in_mm(place(slices[k + 1], normal)), " (", slices[k + 1].name(), ")");
    if (gap[k] > kLargestGap * usual)
      throw Error(text(std::max(1L, std::lround(gap[k] / usual) - 1), " slice(s) missing between ", between,
                       ": the other slices lie ", in_mm(usual), " apart; export the whole series again"));
    if (gap[k] < kSmallestGap * usual)
      throw Error(text("the slices at ", between, " lie ", in_mm(gap[k]), " apart, the others ", in_mm(usual),
                       "; gaps below half of the usual one are not resampled: export the series with one slice "
                       "distance"));
  }
  return gap;
}

/// The stack of a series: the normal, the mean distance, and how each slice lies against an even, upright stack.
struct Stack {
  Vec3 normal;
  double distance = 0;
  std::vector<double> along;  ///< of each slice from the first, mm
  std::vector<Vec3> aside;    ///< in-plane shift of each against the first, mm
  double uneven = 0;          ///< largest distance of a slice from its even place, mm
  double sideways = 0;        ///< largest shift, mm
};

Stack stack_of(std::span<const Slice> slices) {
  const Slice& first = slices.front();
  Stack stack;
  stack.normal = normalised(first.normal());
  if (slices.size() == 1) {
    if (!first.between_slices || !(*first.between_slices > 0))
      throw Error(text(first.name(), ": the series has one slice only; a volume needs two or more"));
    stack.distance = *first.between_slices;
    return stack;
  }
  (void)gaps_of(slices, stack.normal);
  stack.distance = (place(slices.back(), stack.normal) - place(slices.front(), stack.normal)) /
                   static_cast<double>(slices.size() - 1);
  for (std::size_t k = 0; k < slices.size(); ++k) {
    const Vec3 step = slices[k].position - first.position;
    stack.along.push_back(dot(step, stack.normal));
    stack.aside.push_back(step - stack.along[k] * stack.normal);
    stack.uneven = std::max(stack.uneven, std::abs(stack.along[k] - static_cast<double>(k) * stack.distance));
    stack.sideways = std::max(stack.sideways, norm(stack.aside[k]));
  }
  return stack;
}

/// The tilt of a stack whose slices are shifted, in degrees. Throws unless the shift grows evenly.
double tilt_of(std::span<const Slice> slices, const Stack& stack, double half_pixel) {
  Vec3 shear;  // shift a millimetre along the normal: least squares through the first slice
  double weight = 0;
  for (std::size_t k = 0; k < slices.size(); ++k) {
    shear = shear + stack.aside[k] * stack.along[k];
    weight += stack.along[k] * stack.along[k];
  }
  shear = shear * (1 / weight);
  for (std::size_t k = 0; k < slices.size(); ++k)
    if (norm(stack.aside[k] - shear * stack.along[k]) > half_pixel)
      throw Error(text(slices[k].name(), ": the slice is shifted sideways by ", in_mm(norm(stack.aside[k])),
                       " against the first one, and not as a tilted gantry would shift it (by ",
                       in_mm(norm(shear * stack.along[k])),
                       " there); export the series again, or remove the slices of another scan"));
  const double tilt = degrees(std::atan(norm(shear)));
  if (tilt > kSteepest)
    throw Error(text(slices.front().name(), ": the slices of its series are sheared by ", std::round(tilt * 10) / 10,
                     " degrees against their stack; up to ", kSteepest,
                     " degrees are resampled: export the series on an upright grid"));
  return tilt;
}

/// Enlarges the grid so that it holds every shifted slice, and says where each lies on it.
void place_on_grid(std::span<const Slice> slices, const Stack& stack, bool tilted, Layout& layout) {
  const Slice& first = slices.front();
  Grid& grid = layout.grid;
  Vec3 low, high;
  for (std::size_t k = 0; k < slices.size(); ++k) {
    Vec3 at{0, 0, stack.along[k] / stack.distance};
    if (tilted) {
      at.x = dot(stack.aside[k], first.along_row) / first.column_spacing;
      at.y = dot(stack.aside[k], first.along_column) / first.row_spacing;
    }
    for (int axis = 0; axis < 2; ++axis) {
      low[axis] = std::min(low[axis], std::floor(at[axis] + 1e-6));
      high[axis] = std::max(high[axis], std::ceil(at[axis] - 1e-6));
    }
    layout.places.push_back(at);
  }
  const auto columns = static_cast<double>(grid.size[0]), rows = static_cast<double>(grid.size[1]);
  const double larger = (columns + high.x - low.x) * (rows + high.y - low.y) / (columns * rows);
  if (larger > kMostGrowth)
    throw Error(text(first.name(), ": the slices of its series are shifted against each other by up to ",
                     in_mm(stack.sideways), ", so that an upright grid around them would be ", std::round(larger),
                     " times as large as they are; up to ", kMostGrowth,
                     " times is resampled: export the series on an upright grid"));
  for (Vec3& at : layout.places) at = at - Vec3{low.x, low.y, 0};
  grid.origin =
      grid.origin + first.along_row * (low.x * first.column_spacing) + first.along_column * (low.y * first.row_spacing);
  grid.size[0] += static_cast<std::int64_t>(high.x - low.x);
  grid.size[1] += static_cast<std::int64_t>(high.y - low.y);
}

/// Adds `weight` times a slice, shifted by (x, y) pixels, to a plane of the grid; air around the slice.
void add_shifted(const std::int16_t* slice, std::int64_t rows, std::int64_t columns, Vec3 shift, double weight,
                 const Grid& grid, std::vector<double>& plane) {
  const auto x0 = static_cast<std::int64_t>(std::floor(shift.x)), y0 = static_cast<std::int64_t>(std::floor(shift.y));
  const double fx = shift.x - static_cast<double>(x0), fy = shift.y - static_cast<double>(y0);
  const auto value = [&](std::int64_t row, std::int64_t column) -> double {
    return row < 0 || row >= rows || column < 0 || column >= columns ? kAir : slice[row * columns + column];
  };
  for (std::int64_t j = 0; j < grid.size[1]; ++j)
    for (std::int64_t i = 0; i < grid.size[0]; ++i) {
      const std::int64_t row = j - y0, column = i - x0;  // the sample lies between this pixel and the one before
      double sum = (1 - fx) * (1 - fy) * value(row, column);
      if (fx > 0) sum += fx * (1 - fy) * value(row, column - 1);
      if (fy > 0) sum += (1 - fx) * fy * value(row - 1, column);
      if (fx > 0 && fy > 0) sum += fx * fy * value(row - 1, column - 1);
      plane[static_cast<std::size_t>(j * grid.size[0] + i)] += weight * sum;
    }
}

}  // namespace

Layout layout_of(std::span<const Slice> slices) {
  if (slices.empty()) throw Error("a series without slices");
  require_alike(slices);
  const Slice& first = slices.front();
  Stack stack = stack_of(slices);
  const double half_pixel = 0.5 * std::min(first.row_spacing, first.column_spacing);
  const bool uneven = stack.uneven > kEven * stack.distance, tilted = stack.sideways > half_pixel;

  Layout layout;
  Grid& grid = layout.grid;
  if (first.between_slices && std::abs(*first.between_slices - stack.distance) < 1e-3)
    stack.distance = *first.between_slices;
  grid.size = {first.columns, first.rows, static_cast<std::int64_t>(slices.size())};
  grid.spacing = {first.column_spacing, first.row_spacing, stack.distance};
  grid.origin = first.position;
  grid.direction = {{first.along_row, first.along_column, first.normal()}};
  if (tilted)
    layout.notices.push_back(
        text("the slices are sheared by ", std::round(tilt_of(slices, stack, half_pixel) * 10) / 10,
             " degrees against their stack (a tilted gantry) and were resampled, linearly, onto an "
             "upright grid"));
  if (uneven)
    layout.notices.push_back(text("the slices lie up to ", in_mm(stack.uneven), " off an even distance of ",
                                  in_mm(stack.distance), " and were resampled, linearly, to it"));
  if (tilted || uneven) place_on_grid(slices, stack, tilted, layout);
  grid = grid.canonical();
  try {
    grid.check();
  } catch (const Error& e) {
    throw e.within(first.name());
  }
  return layout;
}

at::Tensor resampled(const at::Tensor& slices, const Layout& layout) {
  const Grid& grid = layout.grid;
  const std::int64_t rows = slices.size(1), columns = slices.size(2), count = grid.size[0] * grid.size[1];
  at::Tensor result = at::empty({grid.size[2], grid.size[1], grid.size[0]}, at::kShort);
  const auto* from = slices.data_ptr<std::int16_t>();
  auto* to = result.data_ptr<std::int16_t>();
  parallel_for(0, grid.size[2], 1, [&](std::int64_t begin, std::int64_t end) {
    std::vector<double> plane(static_cast<std::size_t>(count));
    for (std::int64_t k = begin; k < end; ++k) {
      std::fill(plane.begin(), plane.end(), 0.0);
      const auto wanted = static_cast<double>(k);
      // The first slice beyond the plane, and the one before it.
      const auto beyond = std::upper_bound(layout.places.begin(), layout.places.end(), wanted + 1e-9,
                                           [](double z, const Vec3& at) { return z < at.z; });
      const auto before = beyond == layout.places.begin() ? beyond : beyond - 1;
      const double gap = beyond == layout.places.end() || beyond == before ? 0 : beyond->z - before->z;
      const double weight = gap > 0 ? std::clamp((wanted - before->z) / gap, 0.0, 1.0) : 0;
      const auto add = [&](auto slice, double share) {
        if (share > 0)
          add_shifted(from + (slice - layout.places.begin()) * rows * columns, rows, columns, *slice, share, grid,
                      plane);
      };
      add(before, 1 - weight);
      if (weight > 0) add(beyond, weight);
      for (std::int64_t v = 0; v < count; ++v)
        to[k * count + v] = static_cast<std::int16_t>(std::lround(plane[static_cast<std::size_t>(v)]));
    }
  });
  return result;
}

}  // namespace osteon::dicom
