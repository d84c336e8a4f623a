// What is done to finished images, as the study's painter did it: where the bone shows is known from its surface, and
// what is taken away becomes the grey of what lies beside it.

#include "imaging/perturb.hpp"

#include "imaging/shaft.hpp"

#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::imaging {

namespace {

struct Point {
  double x = 0, y = 0;  ///< pixels to the right and down, from the centre of the first one
};
Point operator+(Point a, Point b) { return {a.x + b.x, a.y + b.y}; }
Point operator-(Point a, Point b) { return {a.x - b.x, a.y - b.y}; }
Point operator*(Point a, double s) { return {a.x * s, a.y * s}; }
double dot(Point a, Point b) { return a.x * b.x + a.y * b.y; }

/// Pixels around the bone that its blur reaches, and those beside them whose grey fills the gaps.
constexpr int kBlurPixels = 1, kBesidePixels = 3;

/// Where one exposure shows the bone.
class BoneShadow {
 public:
  BoneShadow(const Mesh& bone, const ViewAxes& view, std::int64_t rows, std::int64_t columns)
      : view_(view), rows_(rows), columns_(columns), bone_(static_cast<std::size_t>(rows * columns), 0) {
    const auto* vertex = bone.vertices.data_ptr<float>();
    const auto* corner = bone.triangles.data_ptr<std::int32_t>();
    std::vector<Point> points;
    for (std::int64_t i = 0; i < bone.vertices.size(0); ++i)
      points.push_back(of({vertex[3 * i], vertex[3 * i + 1], vertex[3 * i + 2]}));
    for (std::int64_t t = 0; t < bone.triangles.size(0); ++t)
      cover(points[static_cast<std::size_t>(corner[3 * t])], points[static_cast<std::size_t>(corner[3 * t + 1])],
            points[static_cast<std::size_t>(corner[3 * t + 2])]);
    blurred_ = grown(bone_, kBlurPixels);
    beside_ = grown(blurred_, kBesidePixels);
  }

  [[nodiscard]] Point of(Vec3 point) const {
    const auto [x, y] = view_.shadow(point);
    return {x / view_.spacing + (static_cast<double>(columns_) - 1) / 2,
            (static_cast<double>(rows_) - 1) / 2 - y / view_.spacing};
  }
  [[nodiscard]] std::int64_t rows() const { return rows_; }
  [[nodiscard]] std::int64_t columns() const { return columns_; }
  [[nodiscard]] double spacing() const { return view_.spacing; }
  [[nodiscard]] bool shows_bone(std::int64_t y, std::int64_t x) const { return bone_[number(y, x)] != 0; }
  [[nodiscard]] bool is_blurred(std::int64_t y, std::int64_t x) const { return blurred_[number(y, x)] != 0; }
  [[nodiscard]] bool is_beside(std::int64_t y, std::int64_t x) const {
    return beside_[number(y, x)] != 0 && !is_blurred(y, x);
  }

 private:
  [[nodiscard]] std::size_t number(std::int64_t y, std::int64_t x) const {
    return static_cast<std::size_t>(y * columns_ + x);
  }

  /// Marks the pixels whose centre lies in the triangle, its edges included.
  void cover(Point a, Point b, Point c) {
    const double area = (b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y);
    if (area == 0) return;
    const auto first = [](double low) { return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(low))); };
    const auto last = [](double high, std::int64_t count) {
      return std::min(count - 1, static_cast<std::int64_t>(std::floor(high)));
    };
    for (auto y = first(std::min({a.y, b.y, c.y})); y <= last(std::max({a.y, b.y, c.y}), rows_); ++y)
      for (auto x = first(std::min({a.x, b.x, c.x})); x <= last(std::max({a.x, b.x, c.x}), columns_); ++x) {
        const auto weight = [&, px = static_cast<double>(x), py = static_cast<double>(y)](Point p, Point q) {
          return ((p.x - px) * (q.y - py) - (q.x - px) * (p.y - py)) / area;
        };
        if (weight(a, b) >= 0 && weight(b, c) >= 0 && weight(c, a) >= 0) bone_[number(y, x)] = 1;
      }
  }

  [[nodiscard]] Mask grown(const Mask& mask, std::int64_t pixels) const {
    Mask result(mask.size(), 0);
    for (std::int64_t y = 0; y < rows_; ++y)
      for (std::int64_t x = 0; x < columns_; ++x) {
        if (mask[number(y, x)] == 0) continue;
        for (auto v = std::max<std::int64_t>(0, y - pixels); v <= std::min(rows_ - 1, y + pixels); ++v)
          for (auto u = std::max<std::int64_t>(0, x - pixels); u <= std::min(columns_ - 1, x + pixels); ++u)
            result[number(v, u)] = 1;
      }
    return result;
  }

  ViewAxes view_;
  std::int64_t rows_, columns_;
  Mask bone_, blurred_, beside_;
};

/// One half of a montage.
struct Half {
  std::uint8_t* pixels;
  std::int64_t stride;

  [[nodiscard]] std::uint8_t& at(std::int64_t y, std::int64_t x) const { return pixels[y * stride + x]; }
};

/// Median grey where `wanted` holds; nothing beside the bone means black.
template <class Wanted>
std::uint8_t median_grey(const Half& image, const BoneShadow& shadow, const Wanted& wanted) {
  std::vector<std::uint8_t> greys;
  for (std::int64_t y = 0; y < shadow.rows(); ++y)
    for (std::int64_t x = 0; x < shadow.columns(); ++x)
      if (wanted(y, x)) greys.push_back(image.at(y, x));
  if (greys.empty()) return 0;
  const auto middle = greys.begin() + static_cast<std::ptrdiff_t>(greys.size() / 2);
  std::nth_element(greys.begin(), middle, greys.end());
  return *middle;
}

/// A stretch of the bone's axis in an image: how far along it and beside it a pixel lies.
struct Stretch {
  Point start, along, aside;
  double length;

  Stretch(Point from, Point to) : start(from), length(std::sqrt(dot(to - from, to - from))) {
    along = (to - from) * (1 / std::max(length, 1e-9));
    aside = {-along.y, along.x};
  }
  [[nodiscard]] double height(Point p) const { return dot(p - start, along); }
  [[nodiscard]] double offset(Point p) const { return dot(p - start, aside); }
};

Point pixel(std::int64_t y, std::int64_t x) { return {static_cast<double>(x), static_cast<double>(y)}; }

/// The bone's edges beside each pixel's length of a stretch.
struct Edges {
  std::vector<double> low, high;

  Edges(const BoneShadow& shadow, const Stretch& stretch)
      : low(static_cast<std::size_t>(stretch.length) + 1, std::numeric_limits<double>::infinity()),
        high(low.size(), -std::numeric_limits<double>::infinity()) {
    for (std::int64_t y = 0; y < shadow.rows(); ++y)
      for (std::int64_t x = 0; x < shadow.columns(); ++x) {
        const double height = stretch.height(pixel(y, x));
        if (!shadow.shows_bone(y, x) || height < 0 || height > stretch.length) continue;
        const auto at = static_cast<std::size_t>(height);
        low[at] = std::min(low[at], stretch.offset(pixel(y, x)));
        high[at] = std::max(high[at], stretch.offset(pixel(y, x)));
      }
  }
};

void paint_thin_shaft(const Half& image, const BoneShadow& shadow, const BoneFrame& frame, const Heights& heights,
                      const Parameters& perturb) {
  const auto on_axis = [&](const char* name) {
    return shadow.of(frame.origin + frame.proximal * heights.mm(perturb.real(name)));
  };
  const Stretch stretch(on_axis("thin_shaft_from"), on_axis("thin_shaft_to"));
  const auto in_stretch = [&](std::int64_t y, std::int64_t x) {
    const double height = stretch.height(pixel(y, x));
    return height >= 0 && height <= stretch.length;
  };
  const Edges edges(shadow, stretch);
  const std::uint8_t grey = median_grey(
      image, shadow, [&](std::int64_t y, std::int64_t x) { return shadow.is_beside(y, x) && in_stretch(y, x); });
  const double strength = perturb.real("thin_shaft") / 100;
  for (std::int64_t y = 0; y < shadow.rows(); ++y)
    for (std::int64_t x = 0; x < shadow.columns(); ++x) {
      if (!shadow.is_blurred(y, x) || !in_stretch(y, x)) continue;
      const double height = stretch.height(pixel(y, x));
      const auto at = static_cast<std::size_t>(height);
      if (!(edges.low[at] <= edges.high[at])) continue;
      const double end = std::clamp(std::min(height, stretch.length - height) / (0.2 * stretch.length), 0.0, 1.0);
      const double kept = 1 - strength * end * end * (3 - 2 * end);
      const double centre = (edges.low[at] + edges.high[at]) / 2, half = (edges.high[at] - edges.low[at] + 1) / 2;
      if (std::abs(stretch.offset(pixel(y, x)) - centre) > kept * half) image.at(y, x) = grey;
    }
}

double bilinear(const std::vector<std::uint8_t>& greys, const BoneShadow& shadow, Point p) {
  const double x = std::clamp(p.x, 0.0, static_cast<double>(shadow.columns() - 1));
  const double y = std::clamp(p.y, 0.0, static_cast<double>(shadow.rows() - 1));
  const auto left = static_cast<std::int64_t>(x), top = static_cast<std::int64_t>(y);
  const auto right = std::min(left + 1, shadow.columns() - 1), bottom = std::min(top + 1, shadow.rows() - 1);
  const double u = x - static_cast<double>(left), v = y - static_cast<double>(top);
  const auto grey = [&](std::int64_t row, std::int64_t column) {
    return static_cast<double>(greys[static_cast<std::size_t>(row * shadow.columns() + column)]);
  };
  return (grey(top, left) * (1 - u) + grey(top, right) * u) * (1 - v) +
         (grey(bottom, left) * (1 - u) + grey(bottom, right) * u) * v;
}

/// The end, cut out of the image along a line across the bone, turned about the middle of that line.
void paint_broken_end(const Half& image, const BoneShadow& shadow, Plane plane, const BoneFrame& frame,
                      const Heights& heights, const Parameters& perturb) {
  const double towards = radians(perturb.real("broken_end_towards"));
  // To the right is medial in AP and posterior in ML.
  const double side = (plane == Plane::ap ? std::cos(towards) : -std::sin(towards)) >= -1e-9 ? 1 : -1;
  const double angle = side * radians(perturb.real("broken_end"));
  const double height = perturb.real("broken_end_height");
  const auto on_axis = [&](double percent) { return shadow.of(frame.origin + frame.proximal * heights.mm(percent)); };
  const Stretch end(on_axis(height), on_axis(100));
  const Edges edges(shadow, end);
  if (!(edges.low.front() <= edges.high.front())) return;  // the break lies outside the image
  const Point pivot = end.start + end.aside * ((edges.low.front() + edges.high.front()) / 2);
  const Point sideways = end.aside * (end.aside.x * side > 0 ? 1 : -1);
  const Point shift = sideways * (perturb.real("broken_end_shift") / shadow.spacing());

  std::vector<std::uint8_t> before;
  for (std::int64_t y = 0; y < shadow.rows(); ++y)
    for (std::int64_t x = 0; x < shadow.columns(); ++x) before.push_back(image.at(y, x));
  const auto of_end = [&](std::int64_t y, std::int64_t x) { return end.height(pixel(y, x)) >= 0; };
  const std::uint8_t grey = median_grey(
      image, shadow, [&](std::int64_t y, std::int64_t x) { return shadow.is_beside(y, x) && of_end(y, x); });
  const std::uint8_t bone = median_grey(
      image, shadow, [&](std::int64_t y, std::int64_t x) { return shadow.shows_bone(y, x) && of_end(y, x); });
  for (std::int64_t y = 0; y < shadow.rows(); ++y)
    for (std::int64_t x = 0; x < shadow.columns(); ++x)
      if (shadow.is_blurred(y, x) && of_end(y, x)) image.at(y, x) = grey;
  for (std::int64_t y = 0; y < shadow.rows(); ++y)
    for (std::int64_t x = 0; x < shadow.columns(); ++x) {
      const Point now = pixel(y, x) - pivot - shift;
      const Point from = pivot + Point{now.x * std::cos(angle) + now.y * std::sin(angle),
                                       now.y * std::cos(angle) - now.x * std::sin(angle)};
      const std::int64_t row = std::llround(from.y), column = std::llround(from.x);
      if (row < 0 || row >= shadow.rows() || column < 0 || column >= shadow.columns()) continue;
      if (end.height(from) < 0 || !shadow.is_blurred(row, column)) continue;
      const auto value = static_cast<std::uint8_t>(std::lround(bilinear(before, shadow, from)));
      // Whichever is more like bone shows, in either polarity.
      image.at(y, x) = bone >= grey ? std::max(image.at(y, x), value) : std::min(image.at(y, x), value);
    }
}

bool paints(const std::string& on, Plane plane) { return on == "both" || on == (plane == Plane::ap ? "ap" : "ml"); }

void add_noise(std::uint8_t* pixels, std::int64_t count, double deviation, Random random) {
  for (std::int64_t i = 0; i < count; ++i)
    pixels[i] = static_cast<std::uint8_t>(std::lround(std::clamp(pixels[i] + random.normal(0, deviation), 0.0, 255.0)));
}

void truncate(at::Tensor& pixels, const Parameters& perturb) {
  const auto rows =
      static_cast<std::int64_t>(std::lround(perturb.real("truncation") / 100 * static_cast<double>(pixels.size(1))));
  const std::string& end = perturb.text("truncation_end");
  const std::int64_t above = end == "proximal" ? rows : end == "both" ? rows / 2 : 0, below = rows - above;
  pixels.narrow(1, 0, above).zero_();
  pixels.narrow(1, pixels.size(1) - below, below).zero_();
}

}  // namespace

void perturb_images(ImageSet& set, std::span<const Pose> told, std::span<const Pose> taken, const Mesh& bone,
                    const BoneFrame& frame, const Parameters& views, const Parameters& perturb, std::uint64_t stream) {
  const std::string& thin_on = perturb.text("thin_shaft_on");
  const std::string& broken_on = perturb.text("broken_end_on");
  const bool thin = perturb.real("thin_shaft") > 0 && thin_on != "volume";
  const bool broken = (perturb.real("broken_end") > 0 || perturb.real("broken_end_shift") > 0) && broken_on != "volume";
  const double noise = perturb.real("noise");
  const std::int64_t height = set.pixels.size(1), width = set.pixels.size(2), half = width / 2;
  std::vector<std::vector<std::int64_t>> images(taken.size());
  for (std::size_t i = 0; i < set.rows.size(); ++i) {
    ImageRow& row = set.rows[i];
    const auto pose = static_cast<std::size_t>(row.pose);
    const Angles ap = angles_of(told[pose], Plane::ap), ml = angles_of(told[pose], Plane::ml);
    row.axial = ap.axial, row.tilt = ap.tilt, row.in_plane = ap.in_plane;
    row.ml_axial = ml.axial, row.ml_tilt = ml.tilt, row.ml_in_plane = ml.in_plane;
    images[pose].push_back(static_cast<std::int64_t>(i));
  }
  const Heights heights(bone, frame);
  auto* pixels = set.pixels.data_ptr<std::uint8_t>();
  parallel_for(0, static_cast<std::int64_t>(taken.size()), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t p = begin; p < end; ++p) {
      throw_if_stopped();
      const auto pose = static_cast<std::size_t>(p);
      for (const Plane plane : {Plane::ap, Plane::ml}) {
        const bool thins = thin && paints(thin_on, plane), breaks = broken && paints(broken_on, plane);
        if (!thins && !breaks) continue;
        const BoneShadow shadow(bone, view_axes(frame, plane, taken[pose], views), height, half);
        for (const std::int64_t image : images[pose]) {
          const Half part{pixels + image * height * width + (plane == Plane::ap ? 0 : half), width};
          if (thins) paint_thin_shaft(part, shadow, frame, heights, perturb);
          if (breaks) paint_broken_end(part, shadow, plane, frame, heights, perturb);
        }
      }
      if (noise == 0) continue;
      for (const std::int64_t image : images[pose])
        add_noise(pixels + image * height * width, height * width, noise,
                  Random(stream, "image noise", static_cast<std::uint64_t>(image)));
    }
  });
  truncate(set.pixels, perturb);
}

}  // namespace osteon::imaging
