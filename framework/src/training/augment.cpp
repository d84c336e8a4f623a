// Changes of training images that leave the bone the same.

#include "training/augment.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>

namespace osteon::training {

namespace {

/// Output pixel (x, y) of a view shows its input at (a x - b y + left, b x + a y + top).
struct Motion {
  float a, b, left, top;
};

/// Turned by `angle`, enlarged by `size`, then moved, all about the view's middle.
Motion motion_about_middle(double angle, double size, double right, double down, double middle_x, double middle_y) {
  const double a = std::cos(angle) / size, b = std::sin(angle) / size;
  return {static_cast<float>(a), static_cast<float>(b),
          static_cast<float>(middle_x - a * (middle_x + right) + b * (middle_y + down)),
          static_cast<float>(middle_y - b * (middle_x + right) - a * (middle_y + down))};
}

/// Bilinear resampling of one view of `columns` × `rows` pixels, whose rows lie `stride` bytes apart; black outside.
void resample(const std::uint8_t* in, std::uint8_t* out, std::int64_t columns, std::int64_t rows, std::int64_t stride,
              const Motion& motion) {
  for (std::int64_t y = 0; y < rows; ++y) {
    const float from_x = motion.left - motion.b * static_cast<float>(y),
                from_y = motion.top + motion.a * static_cast<float>(y);
    std::uint8_t* line = out + y * stride;
    for (std::int64_t x = 0; x < columns; ++x) {
      const float u = from_x + motion.a * static_cast<float>(x), v = from_y + motion.b * static_cast<float>(x);
      // One comparison each: the cast wraps what is negative.
      const auto i = static_cast<std::int64_t>(std::floor(u)), j = static_cast<std::int64_t>(std::floor(v));
      if (static_cast<std::uint64_t>(i) >= static_cast<std::uint64_t>(columns - 1) ||
          static_cast<std::uint64_t>(j) >= static_cast<std::uint64_t>(rows - 1)) {
        line[x] = 0;
        continue;
      }
      const float fx = u - static_cast<float>(i), fy = v - static_cast<float>(j);
      const std::uint8_t* corner = in + j * stride + i;
      const auto at = [&](std::int64_t k) { return static_cast<float>(corner[k]); };
      const float upper = at(0) + fx * (at(1) - at(0)), lower = at(stride) + fx * (at(stride + 1) - at(stride));
      line[x] = static_cast<std::uint8_t>(upper + fy * (lower - upper) + 0.5F);
    }
  }
}

/// Nearly normal, mean 0, deviation 1, from one pair of words: the sum of their eight bytes (Irwin–Hall; its kurtosis
/// is 2.85 instead of 3). A tenth of the cost of exact normal deviates, of which an image needs one a pixel.
float nearly_normal(Random& random) {
  constexpr std::uint32_t kOdd = 0x00ff00ff;
  const std::uint32_t a = random.bits(), b = random.bits();
  const std::uint32_t pairs = (a & kOdd) + (a >> 8 & kOdd) + (b & kOdd) + (b >> 8 & kOdd);
  const auto sum = static_cast<float>((pairs & 0xffff) + (pairs >> 16));
  constexpr float kMean = 8 * 127.5F, kDeviation = 209.0215F;  // √(8 (256² - 1) / 12)
  return (sum - kMean) / kDeviation;
}

}  // namespace

Schema augment_schema() {
  return {
      "How training images change from epoch to epoch (validation and query images never do); each value is the "
      "largest change, 0 is none.",
      {Parameter::real("shift", 0, "Along each axis, each view by itself, as a share of the image's height.")
           .at_least(0)
           .at_most(0.5),
       Parameter::real("scale", 0, "Of size, both views alike: 0.1 draws sizes from 1/1.1 to 1.1.")
           .at_least(0)
           .at_most(1),
       Parameter::real("view_scale", 0, "Of size, each view by itself, beside `scale`: as wrong scales of films are.")
           .at_least(0)
           .at_most(1),
       Parameter::real("rotation", 0, "In the picture's plane, each view by itself.")
           .unit("degrees")
           .at_least(0)
           .at_most(180),
       Parameter::real("gain", 0, "Factor on all grey values: 0.2 draws from 1/1.2 to 1.2.").at_least(0).at_most(4),
       Parameter::real("gamma", 0, "Exponent on grey values in 0 … 1: 0.2 draws from 1/1.2 to 1.2.")
           .at_least(0)
           .at_most(4),
       Parameter::real("noise", 0, "Deviation of additive noise, drawn from 0 to this.")
           .unit("grey values of 255")
           .at_least(0)
           .at_most(128),
       Parameter::real("occlusion", 0, "Share of each view that a rectangle of one grey hides.")
           .at_least(0)
           .at_most(0.9)}};
}

Augmentation::Augmentation(const Parameters& augment)
    : shift_(augment.real("shift")),
      scale_(augment.real("scale")),
      view_scale_(augment.real("view_scale")),
      rotation_(augment.real("rotation")),
      gain_(augment.real("gain")),
      gamma_(augment.real("gamma")),
      noise_(augment.real("noise")),
      occlusion_(augment.real("occlusion")) {}

bool Augmentation::changes_nothing() const {
  return shift_ + scale_ + view_scale_ + rotation_ + gain_ + gamma_ + noise_ + occlusion_ == 0;
}

void Augmentation::move(const std::uint8_t* in, std::uint8_t* out, const ImageLayout& layout, Random& random) const {
  const std::int64_t columns = layout.width / layout.views;
  const double size = std::exp(random.uniform(-1, 1) * std::log1p(scale_));
  const double far = shift_ * static_cast<double>(layout.height);
  for (std::int64_t view = 0; view < layout.views; ++view) {
    const double angle = random.uniform(-rotation_, rotation_) * std::numbers::pi / 180;
    const double right = random.uniform(-far, far), down = random.uniform(-far, far);
    // Drawn only where it is asked for, so that streams without it stay what they were.
    const double own = view_scale_ > 0 ? size * std::exp(random.uniform(-1, 1) * std::log1p(view_scale_)) : size;
    const Motion motion = motion_about_middle(angle, own, right, down, (static_cast<double>(columns) - 1) / 2,
                                              (static_cast<double>(layout.height) - 1) / 2);
    resample(in + view * columns, out + view * columns, columns, layout.height, layout.width, motion);
  }
}

void Augmentation::occlude(std::uint8_t* out, const ImageLayout& layout, Random& random) const {
  const std::int64_t columns = layout.width / layout.views;
  for (std::int64_t view = 0; view < layout.views; ++view) {
    const double area = random.uniform(0, occlusion_), stretch = std::exp(random.uniform(-0.7, 0.7));
    const auto side = [&](std::int64_t whole, double share) {
      return std::min<std::int64_t>(whole, std::llround(static_cast<double>(whole) * share));
    };
    const std::int64_t w = side(columns, std::sqrt(area) * stretch), h = side(layout.height, std::sqrt(area) / stretch);
    const auto left = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(columns - w + 1)));
    const auto top = static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(layout.height - h + 1)));
    const auto grey = static_cast<int>(random.below(256));
    for (std::int64_t y = top; y < top + h; ++y)
      std::memset(out + y * layout.width + view * columns + left, grey, static_cast<std::size_t>(w));
  }
}

void Augmentation::change_intensities(std::uint8_t* out, const ImageLayout& layout, Random& random) const {
  const double gain = std::exp(random.uniform(-1, 1) * std::log1p(gain_));
  const double gamma = std::exp(random.uniform(-1, 1) * std::log1p(gamma_));
  const auto deviation = static_cast<float>(random.uniform(0, noise_));
  std::array<float, 256> table{};
  for (std::size_t grey = 0; grey < table.size(); ++grey)
    table[grey] = static_cast<float>(255 * gain * std::pow(static_cast<double>(grey) / 255, gamma));
  for (std::int64_t i = 0; i < layout.height * layout.width; ++i) {
    float value = table[out[i]];
    if (deviation > 0) value += deviation * nearly_normal(random);
    out[i] = static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
  }
}

void Augmentation::apply(const std::uint8_t* in, std::uint8_t* out, const ImageLayout& layout, Random random) const {
  if (shift_ + scale_ + view_scale_ + rotation_ > 0) {
    move(in, out, layout, random);
  } else {
    std::memcpy(out, in, static_cast<std::size_t>(layout.height * layout.width));
  }
  if (occlusion_ > 0) occlude(out, layout, random);
  if (gain_ + gamma_ + noise_ > 0) change_intensities(out, layout, random);
}

}  // namespace osteon::training
