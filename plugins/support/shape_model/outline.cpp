#include "shape_model/outline.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>
#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <deque>
#include <optional>

namespace osteon::shape_model {

namespace {

constexpr double kPercentile = 0.95;
constexpr float kSeen = 0.02F;       // of the range of line integrals; less is air
constexpr std::int64_t kBorder = 2;  // pixels

struct Picture {
  const float* value;
  std::int64_t rows, columns;

  [[nodiscard]] float at(std::int64_t row, std::int64_t column) const { return value[row * columns + column]; }
};

double level_of(const Picture& picture, double share) {
  std::vector<float> values(picture.value, picture.value + picture.rows * picture.columns);
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const float black = *least, seen = black + kSeen * (*most - black);
  std::erase_if(values, [&](float v) { return v <= seen; });
  if (values.empty()) throw Error("the X-ray is all of one grey: there is no bone in it");
  const auto at = values.begin() + static_cast<std::ptrdiff_t>(kPercentile * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return black + share * (*at - black);
}

/// Pixels that satisfy `inside`, connected with `from` by their sides, get `mark`.
template <class Inside>
std::int64_t flood(std::vector<std::int32_t>& marks, const Picture& picture, std::int64_t from, std::int32_t mark,
                   const Inside& inside) {
  std::deque<std::int64_t> open{from};
  marks[static_cast<std::size_t>(from)] = mark;
  std::int64_t count = 0;
  while (!open.empty()) {
    const std::int64_t here = open.front();
    open.pop_front();
    ++count;
    const std::int64_t row = here / picture.columns, column = here % picture.columns;
    const auto visit = [&](std::int64_t r, std::int64_t c) {
      if (r < 0 || c < 0 || r >= picture.rows || c >= picture.columns) return;
      const std::int64_t there = r * picture.columns + c;
      if (marks[static_cast<std::size_t>(there)] != 0 || !inside(there)) return;
      marks[static_cast<std::size_t>(there)] = mark;
      open.push_back(there);
    };
    visit(row - 1, column);
    visit(row + 1, column);
    visit(row, column - 1);
    visit(row, column + 1);
  }
  return count;
}

/// 1 where the largest thing above the level is, with its holes.
std::vector<char> largest_thing(const Picture& picture, double level) {
  const std::int64_t count = picture.rows * picture.columns;
  std::vector<std::int32_t> marks(static_cast<std::size_t>(count), 0);
  const auto bright = [&](std::int64_t i) { return picture.value[i] > level; };
  std::int32_t things = 0, largest = 0;
  std::int64_t most = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (!bright(i) || marks[static_cast<std::size_t>(i)] != 0) continue;
    const std::int64_t size = flood(marks, picture, i, ++things, bright);
    if (size > most) most = size, largest = things;
  }
  // What cannot be reached from the border without crossing it is a hole.
  std::vector<std::int32_t> outside(static_cast<std::size_t>(count), 0);
  const auto other = [&](std::int64_t i) { return marks[static_cast<std::size_t>(i)] != largest; };
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t row = i / picture.columns, column = i % picture.columns;
    const bool border = row == 0 || column == 0 || row == picture.rows - 1 || column == picture.columns - 1;
    if (border && other(i) && outside[static_cast<std::size_t>(i)] == 0) flood(outside, picture, i, 1, other);
  }
  std::vector<char> thing(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < thing.size(); ++i) thing[i] = outside[i] == 0 ? 1 : 0;
  return thing;
}

Eigen::Vector2d gradient(const Picture& picture, std::int64_t row, std::int64_t column) {
  const auto r = std::clamp<std::int64_t>(row, 1, picture.rows - 2);
  const auto c = std::clamp<std::int64_t>(column, 1, picture.columns - 2);
  // Sobel's, x to the right and y up.
  const auto side = [&](std::int64_t dr, std::int64_t dc) { return static_cast<double>(picture.at(r + dr, c + dc)); };
  return {side(-1, 1) + 2 * side(0, 1) + side(1, 1) - side(-1, -1) - 2 * side(0, -1) - side(1, -1),
          side(-1, -1) + 2 * side(-1, 0) + side(-1, 1) - side(1, -1) - 2 * side(1, 0) - side(1, 1)};
}

/// Where the outline passes between a pixel and the one below it or right of it, if it does. Of both families of
/// crossings the one that is across the outline is kept: about one point a pixel.
std::optional<OutlinePoint> crossing(const Picture& image, const std::vector<char>& thing, double level,
                                     const Camera& camera, std::int64_t row, std::int64_t column, bool down) {
  const std::int64_t r = row + (down ? 1 : 0), c = column + (down ? 0 : 1);
  const auto in = [&](std::int64_t y, std::int64_t x) {
    return thing[static_cast<std::size_t>(y * image.columns + x)];
  };
  const double here = image.at(row, column), there = image.at(r, c);
  if (in(row, column) == in(r, c) || (here > level) == (there > level)) return std::nullopt;
  const double along = (level - here) / (there - here);
  const Eigen::Vector2d out = -(gradient(image, row, column) * (1 - along) + gradient(image, r, c) * along);
  if (out.norm() == 0 || down == (std::abs(out.x()) >= std::abs(out.y()))) return std::nullopt;
  return OutlinePoint{
      camera.to_mm(static_cast<double>(column) + (down ? 0 : along), static_cast<double>(row) + (down ? along : 0)),
      out.normalized()};
}

}  // namespace

Outline find_outline(const at::Tensor& picture, const Camera& camera, double share, double step) {
  constexpr std::size_t kFewest = 20;
  const at::Tensor values = picture.contiguous();
  const Picture image{values.data_ptr<float>(), values.size(0), values.size(1)};
  const double level = level_of(image, share);
  const std::vector<char> thing = largest_thing(image, level);
  const auto every = std::max<std::int64_t>(1, std::llround(step / camera.pixel));
  Outline outline{{}, static_cast<double>(every) * camera.pixel};
  for (std::int64_t row = kBorder; row + 1 < image.rows - kBorder; ++row)
    for (std::int64_t column = kBorder; column + 1 < image.columns - kBorder; ++column)
      for (const bool down : {false, true}) {
        // Both sides of a bone are thinned alike.
        if ((down ? column : row) % every != 0) continue;
        if (const auto point = crossing(image, thing, level, camera, row, column, down))
          outline.points.push_back(*point);
      }
  if (outline.points.size() < kFewest) throw Error("the X-ray shows no outline of a bone");
  return outline;
}

at::Tensor half_of(const at::Tensor& image, const at::Tensor& line_integrals, bool is_ml) {
  const std::int64_t columns = image.size(1) / 2;
  const at::Tensor half = image.narrow(1, is_ml ? columns : 0, columns).contiguous();
  return line_integrals.index_select(0, half.reshape({-1}).to(at::kLong)).reshape(half.sizes());
}

}  // namespace osteon::shape_model
