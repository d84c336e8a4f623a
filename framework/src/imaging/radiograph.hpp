#pragma once

// Real X-rays made like the artificial ones: found, turned upright, brought to the experiment's pixels and grey values,
// and put side by side. The same wherever a real X-ray enters.
//
// The bone is what is bright: pixels above a threshold (Otsu, IEEE Trans. SMC 9, 1979), of which the largest connected
// piece counts, so that letters and markers beside it don't. When that piece runs along the picture's border it is
// flesh, and the bright part of it is looked for again. The bone's centroid and long axis are the mean and the
// principal axis of that piece, weighted by brightness.

#include "imaging/views.hpp"

#include <osteon/radiograph.hpp>

#include <array>
#include <optional>
#include <span>
#include <string>

namespace osteon::imaging {

/// [xray]: how real X-rays are made like the artificial ones.
[[nodiscard]] Schema radiographs_schema();

/// A picture's marker of known length: its ends in pixels, from the upper left corner.
struct Marker {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  double length = 0;  ///< mm
};

/// What a person says of one picture; the rest is found.
struct RadiographHints {
  std::optional<std::array<std::int64_t, 4>> crop = {};  ///< left, top, width, height in pixels
  std::optional<double> angle = {};   ///< degrees that the long axis leans counter-clockwise from upright
  bool upside_down = false;           ///< the proximal end is at the bottom
  bool mirrored = false;              ///< shown from the side opposite to the source
  double spacing = 0;                 ///< mm; 0: as the file says
  std::optional<Marker> marker = {};  ///< goes before `spacing`
};

/// One view, made ready to be exposed in the experiment's way.
class PreparedRadiograph {
 public:
  /// `name` is for messages: "the AP radiograph". Throws `Error` when there is nothing bright, the crop or marker lies
  /// outside, or the scaling is real-world and nothing gives the scale.
  PreparedRadiograph(const Radiograph& radiograph, const RadiographHints& hints, Side side, const std::string& name,
                     const Parameters& views, const Parameters& film, const Parameters& radiographs);

  /// One half of the montage, uint8 `[height, height/2]`, the bone's centroid in the middle, turned counter-clockwise
  /// by `in_plane` degrees.
  [[nodiscard]] at::Tensor half(double in_plane) const;
  /// Share of the bone's pixels that fall beside the half image.
  [[nodiscard]] double cut(double in_plane) const;
  /// mm at the isocentre of the half image's pixels; 0 when the scale is unknown.
  [[nodiscard]] double output_spacing() const { return spacing_ * step_; }
  /// Pixels of the radiograph to one of the half image; below 1 the radiograph is the coarser.
  [[nodiscard]] double resampling() const { return step_; }
  /// What was found, one line each: size, scale and its source, crop, angle, length, and what to correct.
  [[nodiscard]] std::vector<std::string> facts() const;

 private:
  void find_bone(const RadiographHints& hints, const Parameters& radiographs);
  bool measure(const std::vector<std::uint8_t>& bright);
  void find_scale(const Radiograph& radiograph, const RadiographHints& hints, const Parameters& views);
  void match(const Parameters& film, const std::string& how);
  [[nodiscard]] float at(double x, double y) const;
  [[nodiscard]] std::array<double, 2> source_pixel(double right, double up, double in_plane) const;

  std::string name_;
  at::Tensor intensity_;
  std::int64_t rows_, columns_, height_;
  bool mirror_ = false, upside_down_ = false;
  std::array<std::int64_t, 4> crop_{};      ///< left, top, width, height
  std::vector<std::uint8_t> bone_;          ///< of the pixels: 1 on the bone
  std::array<std::int64_t, 4> box_{};       ///< around the bone
  double threshold_ = 0, x_ = 0, y_ = 0;    ///< brightness; centroid, pixels
  double angle_ = 0, found_angle_ = 0;      ///< degrees, counter-clockwise from upright
  double length_ = 0, elongation_ = 0;      ///< pixels along the axis; ratio of the principal deviations
  bool at_border_ = false, flesh_ = false;  ///< the bone leaves the picture; a brighter part was looked for
  bool is_ground_bright_ = false;           ///< most of the border is
  double spacing_ = 0, step_ = 1;           ///< mm a pixel; pixels of the radiograph a pixel of the half image
  std::string spacing_source_;
  std::vector<std::uint8_t> grey_;  ///< of 4096 levels of brightness
};

/// A pair as images of the experiment: one for each different pair of in-plane angles of `poses`, which is all of a
/// pose that a picture can still be given. The energy of the rows is 0: unknown.
[[nodiscard]] ImageSet expose_pair(const PreparedRadiograph& ap, const PreparedRadiograph& ml,
                                   std::span<const Pose> poses, const Parameters& views);

}  // namespace osteon::imaging
