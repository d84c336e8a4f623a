#pragma once

// The images of a data set as one list, though they lie in several tensors: one a scan, mapped from the store's files,
// so that a set larger than memory trains and no worker has a copy of its own.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <vector>

namespace osteon::training {

/// uint8 images of one size. Copies share the images.
class Pixels {
 public:
  Pixels() = default;
  /// uint8 `[n, H, W]`.
  Pixels(const at::Tensor& images) : Pixels(std::vector<at::Tensor>{images}) {}  // NOLINT: a tensor is such a list
  /// uint8 `[n, H, W]` each, all of one H × W. Throws a failure for anything else.
  explicit Pixels(std::vector<at::Tensor> parts);

  [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(images_.size()); }
  [[nodiscard]] std::int64_t height() const { return height_; }
  [[nodiscard]] std::int64_t width() const { return width_; }

  /// The H × W bytes of an image.
  [[nodiscard]] const std::uint8_t* image(std::int64_t row) const { return images_[static_cast<std::size_t>(row)]; }
  /// These images as a list of their own; no copy.
  [[nodiscard]] Pixels subset(std::span<const std::int64_t> rows) const;
  /// A copy of these images: uint8 `[rows, H, W]`.
  [[nodiscard]] at::Tensor gather(std::span<const std::int64_t> rows) const;
  /// A copy of one: uint8 `[H, W]`.
  [[nodiscard]] at::Tensor operator[](std::int64_t row) const;

 private:
  std::vector<at::Tensor> parts_;  ///< what keeps the images alive
  std::vector<const std::uint8_t*> images_;
  std::int64_t height_ = 0, width_ = 0;
};

/// 0 … count-1.
[[nodiscard]] std::vector<std::int64_t> every_row(const Pixels& pixels);

}  // namespace osteon::training
