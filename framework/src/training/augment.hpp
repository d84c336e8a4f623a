#pragma once

// Changes of training images that leave the bone the same: the network sees each image a little different in every
// epoch (Krizhevsky, Sutskever, Hinton, NIPS 2012; occlusion: DeVries and Taylor, "Cutout", 2017).

#include <osteon/parameters.hpp>
#include <osteon/random.hpp>

namespace osteon::training {

[[nodiscard]] Schema augment_schema();  ///< [augment]

/// Size and layout of the images: `views` pictures of one bone side by side (AP | ML: 2), each of which moves and turns
/// by itself, as a bone that is laid down anew for each exposure does.
struct ImageLayout {
  std::int64_t height, width, views;
};

class Augmentation {
 public:
  Augmentation() = default;  ///< changes nothing
  explicit Augmentation(const Parameters& augment);

  [[nodiscard]] bool changes_nothing() const;
  /// One image from `in` to `out`, H × W bytes each. What is drawn from `random` decides all: the same stream gives the
  /// same image in whichever thread. Size, gain and gamma change alike in all views; shift, rotation, occlusion and a
  /// second factor on size are each view's own.
  void apply(const std::uint8_t* in, std::uint8_t* out, const ImageLayout& layout, Random random) const;

 private:
  void move(const std::uint8_t* in, std::uint8_t* out, const ImageLayout& layout, Random& random) const;
  void occlude(std::uint8_t* out, const ImageLayout& layout, Random& random) const;
  void change_intensities(std::uint8_t* out, const ImageLayout& layout, Random& random) const;

  double shift_ = 0, scale_ = 0, view_scale_ = 0, rotation_ = 0, gain_ = 0, gamma_ = 0, noise_ = 0, occlusion_ = 0;
};

}  // namespace osteon::training
