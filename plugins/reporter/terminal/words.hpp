#pragma once

// Text as it stands in columns: widths in characters, numbers and durations as people write them.

#include <cstdint>
#include <string>
#include <string_view>

namespace osteon::terminal {

/// Characters of UTF-8 text; each counts one column.
[[nodiscard]] std::int64_t width_of(std::string_view words);

/// Fills up to `width` columns with blanks behind or, `to_the_right`, before.
[[nodiscard]] std::string padded(std::string words, std::int64_t width, bool to_the_right = false);

/// A column of a line: padded, with one blank at least.
[[nodiscard]] std::string column(std::string words, std::int64_t width);

/// At most `width` columns; what is cut off shows as "…".
[[nodiscard]] std::string cut(std::string_view words, std::int64_t width);

/// Control characters (C0, DEL, C1) become "?": names and reasons may come from strangers' files, and a terminal obeys.
[[nodiscard]] std::string harmless(std::string_view words);

/// `words` so many times.
[[nodiscard]] std::string repeated(std::string_view words, std::int64_t times);

[[nodiscard]] std::string thousands(std::int64_t number);  ///< "2,160"
[[nodiscard]] std::string duration(double seconds);        ///< "8.1 s", "2 min 30 s", "1 h 05 min"
[[nodiscard]] std::string time_left(double seconds);       ///< "0:31 left", "1:02:03 left"; "" while it can't be told
[[nodiscard]] std::string amount(std::int64_t number, const std::string& plural);  ///< "3 bones", "1 person"

/// A bar of `cells` columns in steps of an eighth: "██████▌   ".
[[nodiscard]] std::string bar(double fraction, int cells);

}  // namespace osteon::terminal
