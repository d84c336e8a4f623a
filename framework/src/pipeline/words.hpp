#pragma once

// How numbers and names are written in what a person reads.

#include <string>

namespace osteon::pipeline {

/// With so many digits after the point: `fixed(1.5, 2)` is "1.50".
[[nodiscard]] std::string fixed(double value, int decimals);
/// ASCII letters in lower case; all else as it is.
[[nodiscard]] std::string lower_case(std::string word);

}  // namespace osteon::pipeline
