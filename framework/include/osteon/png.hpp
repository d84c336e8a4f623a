#pragma once

#include <osteon/export.hpp>

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>

namespace osteon {

/// PNG bytes of a uint8 image: `[H, W]` grey, `[H, W, 3]` RGB or `[H, W, 4]` RGB with opacity.
OSTEON_API std::string encode_png(const at::Tensor& image);

/// Writes a PNG under a temporary name and renames it when complete.
OSTEON_API void write_png(const std::filesystem::path& file, const at::Tensor& image);

/// Standard base64 with padding, as data URLs need it.
OSTEON_API std::string base64(std::string_view bytes);

}  // namespace osteon
