#pragma once

// What the readers of pictures share.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace osteon::picture {

constexpr double kMostPixels = 4e8;

/// Upper row first, channels side by side; words of 16 bits in the machine's order.
struct Pixels {
  std::int64_t rows = 0, columns = 0;
  unsigned channels = 1;  ///< 1 to 4: grey or three colours, then opacity
  bool wide = false;      ///< words of 16 bits instead of 8
  std::vector<char> bytes;
};

/// Throws when so many pixels can't be in so small a file, before memory or time is spent on them.
void require_room(const std::filesystem::path& file, const std::string& name, double columns, double rows);

/// A TIFF file of one page, beside reduced copies and masks; bright is bright also where the file stores white as 0.
/// `name` is what errors call it.
[[nodiscard]] Pixels read_tiff(const std::filesystem::path& file, const std::string& name);

}  // namespace osteon::picture
