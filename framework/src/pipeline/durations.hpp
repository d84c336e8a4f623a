#pragma once

#include <string>

namespace osteon::pipeline {

/// "12.3 s", "4 min 05 s", "3 h 20 min".
[[nodiscard]] std::string duration_text(double seconds);

}  // namespace osteon::pipeline
