// Images in several tensors as one list.

#include "training/pixels.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <cstring>
#include <numeric>

namespace osteon::training {

Pixels::Pixels(std::vector<at::Tensor> parts) : parts_(std::move(parts)) {
  for (at::Tensor& part : parts_) {
    if (part.dim() != 3 || part.scalar_type() != at::kByte || !part.device().is_cpu())
      throw failure("training: the images are no uint8 [N, H, W] on the processor");
    part = part.contiguous();
    if (&part == &parts_.front()) height_ = part.size(1), width_ = part.size(2);
    if (part.size(1) != height_ || part.size(2) != width_)
      throw failure(text("training: images of ", part.size(2), " × ", part.size(1), " beside images of ", width_, " × ",
                         height_, " pixels"));
    for (std::int64_t i = 0; i < part.size(0); ++i)
      images_.push_back(part.data_ptr<std::uint8_t>() + i * height_ * width_);
  }
}

Pixels Pixels::subset(std::span<const std::int64_t> rows) const {
  Pixels chosen = *this;
  chosen.images_.clear();
  for (const std::int64_t row : rows) chosen.images_.push_back(image(row));
  return chosen;
}

at::Tensor Pixels::gather(std::span<const std::int64_t> rows) const {
  const std::int64_t count = std::ssize(rows), bytes = height_ * width_;
  at::Tensor result = at::empty({count, height_, width_}, at::kByte);
  auto* out = result.data_ptr<std::uint8_t>();
  parallel_for(0, count, 8, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      std::memcpy(out + i * bytes, image(rows[static_cast<std::size_t>(i)]), static_cast<std::size_t>(bytes));
  });
  return result;
}

at::Tensor Pixels::operator[](std::int64_t row) const { return gather(std::span(&row, 1))[0]; }

std::vector<std::int64_t> every_row(const Pixels& pixels) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(pixels.count()));
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

}  // namespace osteon::training
