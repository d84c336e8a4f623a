#pragma once

// Numbers and names as files that other programs read have them.

#include <string>
#include <string_view>

namespace osteon::reports {

/// Shortest text that reads back to the same number of its type; "nan", "inf" and "-inf" for what is not finite.
[[nodiscard]] std::string number_text(double value);
[[nodiscard]] std::string number_text(float value);

/// Line breaks, tabs and other control characters become blanks.
[[nodiscard]] std::string one_line(std::string_view words);

/// What is not UTF-8 becomes U+FFFD, byte by byte.
[[nodiscard]] std::string utf8(std::string_view words);

/// A title as a file's name: lower case letters, digits and hyphens, at most 100; "map" where nothing is left.
[[nodiscard]] std::string file_word(std::string_view title);

}  // namespace osteon::reports
