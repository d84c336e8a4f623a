#include "imaging/radiograph.hpp"

#include "imaging/attenuation.hpp"
#include "imaging/film.hpp"
#include "imaging/views.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace osteon::imaging {

namespace {

constexpr int kLevels = 4096;  // of brightness
/// A piece that covers more of the picture's border than this is flesh: a bone that leaves the picture does so across
/// its shaft, which is a few per cent of a film's border.
constexpr double kFleshAtBorder = 0.08;

/// Millimetres of cortical bone that rays through a femur cross, where they cross 5 or more: 33 quantiles, from the
/// least to the most. scripts/femur_thickness measures them on the quickstart's X-rays at 60 keV (36 scans of 12
/// phantoms).
constexpr std::array<double, 33> kBoneQuantiles = {5.1,  5.3,  5.5,  5.7,  6.1,  6.6,  7.1,  7.6,  8.2,  8.8,  9.3,
                                                   9.8,  10.4, 10.9, 11.4, 11.8, 12.2, 12.5, 12.8, 13.1, 13.4, 13.8,
                                                   14.1, 14.5, 14.9, 15.3, 15.7, 16.2, 16.7, 17.3, 18.2, 19.7, 27.2};

int level_of(float brightness) {
  return std::clamp(static_cast<int>(brightness * (kLevels - 1) + 0.5F), 0, kLevels - 1);
}

/// The level that parts a histogram into two classes with the largest variance between them; the classes are the levels
/// up to it and above it.
int otsu(const std::vector<std::int64_t>& histogram) {
  double count = 0, sum = 0;
  for (std::size_t i = 0; i < histogram.size(); ++i) {
    count += static_cast<double>(histogram[i]);
    sum += static_cast<double>(i) * static_cast<double>(histogram[i]);
  }
  double below = 0, sum_below = 0, best = -1;
  int first = 0, last = 0;
  for (std::size_t i = 0; i + 1 < histogram.size(); ++i) {
    below += static_cast<double>(histogram[i]);
    sum_below += static_cast<double>(i) * static_cast<double>(histogram[i]);
    if (below == 0 || below == count) continue;
    const double gap = sum_below / below - (sum - sum_below) / (count - below);
    const double between = below * (count - below) * gap * gap;
    if (between > best * (1 + 1e-12)) best = between, first = static_cast<int>(i);
    if (between >= best * (1 - 1e-12)) last = static_cast<int>(i);
  }
  return (first + last) / 2;  // levels that nothing has are all as good
}

/// Keeps the largest piece of the pixels that are 1, neighbours being the eight around.
void keep_largest_piece(std::vector<std::uint8_t>& mask, std::int64_t rows, std::int64_t columns) {
  std::vector<std::int64_t> stack, largest, piece;
  for (std::int64_t seed = 0; seed < rows * columns; ++seed) {
    if (mask[static_cast<std::size_t>(seed)] != 1) continue;
    piece.clear();
    stack.assign(1, seed);
    mask[static_cast<std::size_t>(seed)] = 2;
    while (!stack.empty()) {
      const std::int64_t at = stack.back(), row = at / columns, column = at % columns;
      stack.pop_back();
      piece.push_back(at);
      for (std::int64_t r = std::max<std::int64_t>(0, row - 1); r <= std::min(rows - 1, row + 1); ++r)
        for (std::int64_t c = std::max<std::int64_t>(0, column - 1); c <= std::min(columns - 1, column + 1); ++c)
          if (std::uint8_t& other = mask[static_cast<std::size_t>(r * columns + c)]; other == 1) {
            other = 2;
            stack.push_back(r * columns + c);
          }
    }
    if (piece.size() > largest.size()) std::swap(piece, largest);
  }
  std::fill(mask.begin(), mask.end(), std::uint8_t{0});
  for (const std::int64_t at : largest) mask[static_cast<std::size_t>(at)] = 1;
}

std::string shortened(double value, double step = 0.01) { return text(std::round(value / step) * step); }

}  // namespace

Schema radiographs_schema() {
  return {"Real X-rays: what is bone in them, and how their grey values are made those of the artificial ones.",
          {Parameter::text("polarity", "bone_bright",
                           "bone_dark for pictures in which bone is dark; of DICOM files the header decides.")
               .one_of({"bone_bright", "bone_dark"}),
           Parameter::real("bone_threshold", 0,
                           "Brightness from 0 (black) to 1 (white) above which a pixel is bone; 0 finds it (Otsu).")
               .at_least(0)
               .below(1),
           Parameter::text("match", "ranks",
                           "ranks gives the bone's pixels the grey values that a femur's have in artificial images, "
                           "rank by rank; linear stretches their middle 98 %; both blacken the rest. none keeps the "
                           "picture's own.")
               .one_of({"ranks", "linear", "none"}),
           Parameter::flag("upright", true,
                           "Turn the bone's long axis upright; false leaves the pictures as they were taken.")}};
}

PreparedRadiograph::PreparedRadiograph(const Radiograph& radiograph, const RadiographHints& hints, Side side,
                                       const std::string& name, const Parameters& views, const Parameters& film,
                                       const Parameters& radiographs)
    : name_(name),
      rows_(radiograph.intensity.size(0)),
      columns_(radiograph.intensity.size(1)),
      height_(views.integer("height")),
      mirror_((side == Side::left) != hints.mirrored),
      upside_down_(hints.upside_down) {
  intensity_ = radiograph.intensity;
  if (radiographs.text("polarity") == "bone_dark") intensity_ = intensity_.neg().add(1);
  find_bone(hints, radiographs);
  find_scale(radiograph, hints, views);
  match(film, radiographs.text("match"));
}

void PreparedRadiograph::find_bone(const RadiographHints& hints, const Parameters& radiographs) {
  crop_ = hints.crop.value_or(std::array<std::int64_t, 4>{0, 0, columns_, rows_});
  if (crop_[0] < 0 || crop_[1] < 0 || crop_[2] < 8 || crop_[3] < 8 || crop_[0] + crop_[2] > columns_ ||
      crop_[1] + crop_[3] > rows_)
    throw Error(text(name_, ": the crop ", crop_[0], ",", crop_[1], ",", crop_[2], ",", crop_[3],
                     " (left, top, width, height) is not 8 or more pixels wide and high within its ", columns_, " x ",
                     rows_, " pixels"));
  const float* brightness = intensity_.data_ptr<float>();
  const auto in_crop = [&](std::int64_t row, std::int64_t column) {
    return column >= crop_[0] && column < crop_[0] + crop_[2] && row >= crop_[1] && row < crop_[1] + crop_[3];
  };
  std::vector<std::uint8_t> candidates(static_cast<std::size_t>(rows_ * columns_), 0);
  for (std::int64_t i = 0; i < rows_ * columns_; ++i)
    candidates[static_cast<std::size_t>(i)] = in_crop(i / columns_, i % columns_) ? 1 : 0;
  const double given = radiographs.real("bone_threshold");
  for (int pass = 0; pass < 3; ++pass) {
    std::vector<std::int64_t> histogram(kLevels, 0);
    for (std::size_t i = 0; i < candidates.size(); ++i)
      if (candidates[i] == 1) ++histogram[static_cast<std::size_t>(level_of(brightness[i]))];
    const auto used = std::ranges::count_if(histogram, [](std::int64_t n) { return n > 0; });
    if (used < 2) {
      if (pass > 0) break;
      throw Error(text(name_, ": all its pixels are alike; there is no bone in the picture, or none in the crop"));
    }
    const double threshold = given > 0 ? given : (otsu(histogram) + 0.5) / (kLevels - 1);
    std::vector<std::uint8_t> bright = candidates;
    for (std::size_t i = 0; i < bright.size(); ++i) bright[i] = bright[i] == 1 && brightness[i] > threshold ? 1 : 0;
    keep_largest_piece(bright, rows_, columns_);
    threshold_ = threshold;
    flesh_ = pass > 0;
    if (!measure(bright)) {
      throw Error(text(name_, ": no bone found: nothing larger than a dot is brighter than ", shortened(threshold),
                       " of white; set xray.bone_threshold or xray.polarity, or crop the picture to the bone"));
    }
    std::int64_t border = 0;
    for (std::int64_t i = 0; i < rows_ * columns_; ++i) {
      const std::int64_t row = i / columns_ - crop_[1], column = i % columns_ - crop_[0];
      if (bone_[static_cast<std::size_t>(i)] == 1 &&
          (row == 0 || column == 0 || row == crop_[3] - 1 || column == crop_[2] - 1))
        ++border;
    }
    at_border_ = border > 0;
    if (pass == 0) is_ground_bright_ = 2 * border > 2 * (crop_[2] + crop_[3]) - 4;
    if (given > 0 || static_cast<double>(border) <= kFleshAtBorder * static_cast<double>(2 * (crop_[2] + crop_[3])))
      break;
    candidates = bone_;
  }
  angle_ = hints.angle.value_or(radiographs.flag("upright") ? found_angle_ : 0.0);
}

bool PreparedRadiograph::measure(const std::vector<std::uint8_t>& bright) {
  const float* brightness = intensity_.data_ptr<float>();
  double weight = 0, x = 0, y = 0;
  std::int64_t count = 0;
  box_ = {columns_, rows_, 0, 0};
  const auto each = [&](const auto& body) {
    for (std::int64_t i = 0; i < rows_ * columns_; ++i)
      if (bright[static_cast<std::size_t>(i)] == 1) body(i % columns_, i / columns_, double{brightness[i]});
  };
  std::int64_t right = 0, bottom = 0;
  each([&](std::int64_t column, std::int64_t row, double b) {
    weight += b, x += b * static_cast<double>(column), y += b * static_cast<double>(row);
    box_[0] = std::min(box_[0], column), right = std::max(right, column);
    box_[1] = std::min(box_[1], row), bottom = std::max(bottom, row);
    ++count;
  });
  if (count < 16 || !(weight > 0)) return false;
  box_[2] = right - box_[0] + 1, box_[3] = bottom - box_[1] + 1;
  x_ = x / weight, y_ = y / weight;
  double xx = 0, yy = 0, xy = 0;
  each([&](std::int64_t column, std::int64_t row, double b) {
    const double dx = static_cast<double>(column) - x_, dy = y_ - static_cast<double>(row);  // up is positive
    xx += b * dx * dx, yy += b * dy * dy, xy += b * dx * dy;
  });
  // The principal axis' direction from the x axis; from upright it leans by that less 90°, taken into -90 to 90°.
  double lean = degrees(0.5 * std::atan2(2 * xy, xx - yy)) - 90;
  if (lean <= -90) lean += 180;
  found_angle_ = lean;
  const double middle = (xx + yy) / 2, spread = std::hypot((xx - yy) / 2, xy);
  elongation_ = std::sqrt((middle + spread) / std::max(middle - spread, 1e-12 * middle));
  const double ax = -std::sin(radians(lean)), ay = std::cos(radians(lean));
  double low = 1e300, high = -1e300;
  each([&](std::int64_t column, std::int64_t row, double) {
    const double along = ax * (static_cast<double>(column) - x_) + ay * (y_ - static_cast<double>(row));
    low = std::min(low, along), high = std::max(high, along);
  });
  length_ = high - low + 1;
  bone_ = bright;
  return true;
}

void PreparedRadiograph::find_scale(const Radiograph& radiograph, const RadiographHints& hints,
                                    const Parameters& views) {
  spacing_ = radiograph.pixel_spacing;
  spacing_source_ = radiograph.spacing_source;
  if (hints.spacing > 0) {
    spacing_ = hints.spacing;
    spacing_source_ = "given";
  }
  if (hints.marker) {
    const Marker& m = *hints.marker;
    const double pixels = std::hypot(m.x1 - m.x0, m.y1 - m.y0);
    for (const auto& [px, py] : {std::pair(m.x0, m.y0), std::pair(m.x1, m.y1)})
      if (!(px >= 0 && py >= 0 && px <= static_cast<double>(columns_) && py <= static_cast<double>(rows_)))
        throw Error(
            text(name_, ": the marker's end ", px, ",", py, " lies outside its ", columns_, " x ", rows_, " pixels"));
    if (!(pixels >= 2) || !(m.length > 0))
      throw Error(text(name_, ": a marker of ", m.length, " mm over ", shortened(pixels),
                       " pixels gives no scale; give its two ends and its length in mm"));
    spacing_ = m.length / pixels;
    spacing_source_ = text("a marker of ", m.length, " mm over ", shortened(pixels, 0.1), " pixels");
  }
  if (views.text("scaling") == "framed") {
    step_ = length_ / kFramedShare / static_cast<double>(height_);
    return;
  }
  if (!(spacing_ > 0))
    throw Error(text(name_, " has no scale (", spacing_source_.empty() ? "the file carries none" : spacing_source_,
                     "), and views.scaling is \"world\": give its pixel spacing in mm at the bone, or the ends of a "
                     "marker of known length, or set views.scaling to \"framed\""));
  step_ = views.real("field_of_view") / static_cast<double>(height_) / spacing_;
}

void PreparedRadiograph::match(const Parameters& film, const std::string& how) {
  const bool dark = film.text("polarity") == "bone_dark";
  const double minimum = film.real("minimum"), maximum = film.real("maximum");
  const double bone = attenuation(Film(film).energies().front()).bone;  // 1/mm
  grey_.assign(kLevels, 0);
  const auto put = [&](int level, double share) {
    const double grey = std::round(255 * std::clamp(share, 0.0, 1.0));
    grey_[static_cast<std::size_t>(level)] = static_cast<std::uint8_t>(dark ? 255 - grey : grey);
  };
  std::vector<double> below(kLevels + 1, 0);  // pixels of the bone darker than a level
  const float* brightness = intensity_.data_ptr<float>();
  for (std::size_t i = 0; i < bone_.size(); ++i)
    if (bone_[i] == 1) ++below[static_cast<std::size_t>(level_of(brightness[i])) + 1];
  for (std::size_t level = 0; level < kLevels; ++level) below[level + 1] += below[level];
  const double count = below.back();
  /// Quantile of the femurs' thicknesses, as the film shows it.
  const auto reference = [&](double rank) {
    const double place = std::clamp(rank, 0.0, 1.0) * (kBoneQuantiles.size() - 1);
    const auto low = std::min(static_cast<std::size_t>(place), kBoneQuantiles.size() - 2);
    const double thickness =
        kBoneQuantiles[low] + (place - static_cast<double>(low)) * (kBoneQuantiles[low + 1] - kBoneQuantiles[low]);
    return (bone * thickness - minimum) / (maximum - minimum);
  };
  const auto level_at = [&](double rank) {
    return static_cast<double>(std::ranges::lower_bound(below, rank * count) - below.begin()) - 1;
  };
  if (how != "none") {  // letters, markers and other bones go
    intensity_ = intensity_.clone();
    auto* pixels = intensity_.data_ptr<float>();
    for (std::size_t i = 0; i < bone_.size(); ++i)
      if (bone_[i] == 0) pixels[i] = 0;
  }
  const double first = level_at(0.01), last = std::max(level_at(0.99), first + 1);
  for (int level = 0; level < kLevels; ++level) {
    const auto at = static_cast<std::size_t>(level);
    if (how == "none")
      put(level, static_cast<double>(level) / (kLevels - 1));
    else if (static_cast<double>(level) / (kLevels - 1) <= threshold_)
      put(level, 0);
    else if (how == "ranks")
      put(level, reference((below[at] + below[at + 1]) / 2 / count));
    else
      put(level, reference(0.01) + (level - first) / (last - first) * (reference(0.99) - reference(0.01)));
  }
}

/// Bilinear; black outside the picture and the crop.
float PreparedRadiograph::at(double x, double y) const {
  const double left = std::floor(x), top = std::floor(y);
  const auto column = static_cast<std::int64_t>(left), row = static_cast<std::int64_t>(top);
  const auto pixel = [&](std::int64_t r, std::int64_t c) {
    const bool inside = c >= crop_[0] && c < crop_[0] + crop_[2] && r >= crop_[1] && r < crop_[1] + crop_[3];
    return inside ? intensity_.data_ptr<float>()[r * columns_ + c] : 0.0F;
  };
  const auto dx = static_cast<float>(x - left), dy = static_cast<float>(y - top);
  const float above = pixel(row, column) + dx * (pixel(row, column + 1) - pixel(row, column));
  const float under = pixel(row + 1, column) + dx * (pixel(row + 1, column + 1) - pixel(row + 1, column));
  return above + dy * (under - above);
}

/// Where a point lies in the radiograph that is `right` and `up` of the half image's middle, in its pixels.
std::array<double, 2> PreparedRadiograph::source_pixel(double right, double up, double in_plane) const {
  const double turn = radians(in_plane), cosine = std::cos(turn), sine = std::sin(turn);
  double u = cosine * right + sine * up;
  const double v = -sine * right + cosine * up;
  if (mirror_) u = -u;
  const double lean = radians(angle_ + (upside_down_ ? 180 : 0));
  const double dx = std::cos(lean) * u - std::sin(lean) * v, dy = std::sin(lean) * u + std::cos(lean) * v;
  return {x_ + step_ * dx, y_ - step_ * dy};
}

at::Tensor PreparedRadiograph::half(double in_plane) const {
  const std::int64_t width = height_ / 2;
  at::Tensor image = at::empty({height_, width}, at::kByte);
  auto* pixels = image.data_ptr<std::uint8_t>();
  // A pixel of the half image is the mean over its area, however many pixels of the radiograph that is.
  const int samples = std::clamp(static_cast<int>(std::ceil(step_ - 1e-6)), 1, 64);
  parallel_for(0, height_, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row)
      for (std::int64_t column = 0; column < width; ++column) {
        const double right = static_cast<double>(column) - (static_cast<double>(width) - 1) / 2;
        const double up = (static_cast<double>(height_) - 1) / 2 - static_cast<double>(row);
        float sum = 0;
        for (int i = 0; i < samples * samples; ++i) {
          const auto place = source_pixel(right + (i % samples + 0.5) / samples - 0.5,
                                          up - (i / samples + 0.5) / samples + 0.5, in_plane);
          sum += at(place[0], place[1]);
        }
        pixels[row * width + column] =
            grey_[static_cast<std::size_t>(level_of(sum / static_cast<float>(samples * samples)))];
      }
  });
  return image;
}

double PreparedRadiograph::cut(double in_plane) const {
  const double lean = radians(angle_ + (upside_down_ ? 180 : 0)), turn = radians(in_plane);
  const double half_width = static_cast<double>(height_ / 2) / 2, half_height = static_cast<double>(height_) / 2;
  std::int64_t beside = 0, all = 0;
  for (std::int64_t i = 0; i < rows_ * columns_; ++i) {
    if (bone_[static_cast<std::size_t>(i)] != 1) continue;
    const double dx = (static_cast<double>(i % columns_) - x_) / step_;
    const double dy = (y_ - static_cast<double>(i / columns_)) / step_;
    double u = std::cos(lean) * dx + std::sin(lean) * dy;
    const double v = -std::sin(lean) * dx + std::cos(lean) * dy;
    if (mirror_) u = -u;
    const double right = std::cos(turn) * u - std::sin(turn) * v, up = std::sin(turn) * u + std::cos(turn) * v;
    beside += std::abs(right) > half_width || std::abs(up) > half_height ? 1 : 0;
    ++all;
  }
  return static_cast<double>(beside) / static_cast<double>(all);
}

std::vector<std::string> PreparedRadiograph::facts() const {
  std::vector<std::string> lines;
  lines.push_back(text("size       ", columns_, " x ", rows_, " pixels"));
  if (spacing_ > 0)
    lines.push_back(text("spacing    ", shortened(spacing_, 1e-4), " mm at the bone (", spacing_source_, ")"));
  else
    lines.push_back(text("spacing    unknown (", spacing_source_.empty() ? "the file carries none" : spacing_source_,
                         "): give a spacing or a marker for images at one scale"));
  lines.push_back(text("bone       ", box_[2], " x ", box_[3], " pixels from ", box_[0], ",", box_[1],
                       ", brighter than ", shortened(threshold_),
                       flesh_ ? " (the second look: flesh was brighter than the ground)" : ""));
  lines.push_back(
      text("long axis  leans ", shortened(std::abs(found_angle_), 0.1), "° ",
           found_angle_ < 0 ? "clockwise" : "counter-clockwise",
           angle_ == found_angle_ ? ", turned upright" : text(", turned by the given ", shortened(angle_, 0.1), "°")));
  lines.push_back(text("length     ", shortened(length_, 1.0), " pixels",
                       spacing_ > 0 ? text(", ", shortened(length_ * spacing_, 0.1), " mm") : ""));
  lines.push_back(text("resampled  ", shortened(step_), " pixels to one",
                       spacing_ > 0 ? text(" of ", shortened(output_spacing(), 1e-3), " mm") : "",
                       mirror_ ? ", mirrored" : ""));
  if (is_ground_bright_)
    lines.push_back(
        "look here  most of the picture's border is bright: if bone is dark in it, set xray.polarity to bone_dark");
  if (at_border_)
    lines.push_back(
        "look here  the bone touches the border: if it is cut off, its ends are missing and its centre is off");
  if (elongation_ < 2.5)
    lines.push_back(text("look here  what was found is only ", shortened(elongation_, 0.1),
                         " times as long as wide: crop to the bone or set xray.bone_threshold"));
  if (const double share = cut(0); share > 0.02)
    lines.push_back(text("look here  ", shortened(100 * share, 0.1),
                         " % of the bone lies beside the image: is the spacing right? else raise views.field_of_view"));
  return lines;
}

ImageSet expose_pair(const PreparedRadiograph& ap, const PreparedRadiograph& ml, std::span<const Pose> poses,
                     const Parameters& views) {
  const std::int64_t height = views.integer("height"), half = height / 2;
  ImageSet set;
  std::vector<at::Tensor> images;
  std::set<std::pair<double, double>> done;
  for (const Pose& pose : poses) {
    const double in_plane = pose.in_plane, ml_in_plane = angles_of(pose, Plane::ml).in_plane;
    if (!done.insert({in_plane, ml_in_plane}).second) continue;
    at::Tensor image = at::zeros({height, 2 * half}, at::kByte);
    image.narrow(1, 0, half).copy_(ap.half(in_plane));
    image.narrow(1, half, half).copy_(ml.half(ml_in_plane));
    images.push_back(image);
    ImageRow row;
    row.pose = static_cast<std::int64_t>(set.rows.size());
    row.in_plane = in_plane;
    row.ml_in_plane = ml_in_plane;
    row.pixel_spacing = ap.output_spacing();
    row.ap_cut = ap.cut(in_plane);
    row.ml_cut = ml.cut(ml_in_plane);
    set.rows.push_back(row);
  }
  set.pixels = at::stack(images);
  return set;
}

}  // namespace osteon::imaging
