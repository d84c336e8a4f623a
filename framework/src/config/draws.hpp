#pragma once

// Values drawn from the ranges of a sweep.

#include "config/document.hpp"
#include "config/mistakes.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace osteon::config {

/// How values are drawn from all ranges of a sweep together.
struct Draws {
  std::size_t points = 1;
  bool is_random = false;  ///< else Sobol's sequence, which fills the ranges evenly
  std::uint64_t seed = 1;
};

/// `{from = …, to = …}`.
[[nodiscard]] bool is_range(const Value& value);

/// `points`, `order` and `seed` of a [sweep]; nothing when it has no range.
[[nodiscard]] std::optional<Draws> draws_of(const Value& table, std::size_t most_points, Mistakes& mistakes);

/// The values that the range of a key takes, which is the sweep's range number `dimension`: integers between two
/// integers, both included; else reals, rounded to four digits.
[[nodiscard]] std::vector<Value> drawn(const std::string& path, const Value& range, std::size_t dimension,
                                       const Draws& draws, Mistakes& mistakes);

}  // namespace osteon::config
