#pragma once

// A picture to draw on: images, lines and plain words in a small bitmap font, so that a picture of a CT says by
// itself which way is which.

#include <ATen/core/Tensor.h>

#include <array>
#include <string_view>

namespace osteon::imaging {

using Colour = std::array<std::uint8_t, 3>;

inline constexpr std::uint8_t kGround = 16;  ///< the grey that a canvas begins with
inline constexpr Colour kWhite{255, 255, 255}, kGrey{150, 150, 150};
/// Okabe and Ito's palette, which colour-blind people can tell apart.
inline constexpr Colour kOrange{230, 159, 0}, kSkyBlue{86, 180, 233}, kGreen{0, 190, 130};

class Canvas {
 public:
  Canvas(std::int64_t height, std::int64_t width);

  [[nodiscard]] const at::Tensor& pixels() const { return pixels_; }  ///< uint8 `[H, W, 3]`

  /// Puts an image, uint8 `[H, W]` or `[H, W, 3]`, with its upper left corner at (x, y); what doesn't fit is left out.
  void image(const at::Tensor& picture, std::int64_t x, std::int64_t y);
  void line(double x0, double y0, double x1, double y1, Colour colour);
  /// A line with an arrowhead at its end.
  void arrow(double x0, double y0, double x1, double y1, Colour colour);
  /// UTF-8 of which ASCII and ° are drawn; `size` pixels a dot of the 5 × 7 font, on a dark ground.
  void words(std::string_view text, std::int64_t x, std::int64_t y, int size, Colour colour);
  /// Width in pixels of `words`; a line is 8·size high.
  [[nodiscard]] static std::int64_t width(std::string_view text, int size);

 private:
  void dot(std::int64_t x, std::int64_t y, Colour colour);

  at::Tensor pixels_;
};

}  // namespace osteon::imaging
