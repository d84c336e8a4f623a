#pragma once

// [sweep]: dotted keys and the values that each of them takes; the points are all combinations.

#include "config/assemble.hpp"
#include "config/document.hpp"
#include "config/mistakes.hpp"

#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace osteon::config {

struct Swept {
  std::string path;
  Place key_place;
  std::vector<Value> values;
};

class Sweep {
 public:
  /// With repeats; more is taken for a mistake.
  static constexpr std::size_t kMostPoints = 10000;

  /// Reads [sweep] of `root`. What `overrides` set is no longer swept.
  Sweep(const Value& root, std::span<const Override> overrides, Mistakes& mistakes);

  /// Number of combinations; 1 without a sweep.
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::vector<std::string> paths() const;

  /// The tree of combination `n` to lay over the experiment. The first key changes slowest.
  [[nodiscard]] Value tree(std::size_t n) const;
  /// Dotted path → value as text, of combination `n`.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> changes(std::size_t n) const;

 private:
  /// The value of each key in combination `n`.
  [[nodiscard]] std::vector<const Value*> chosen(std::size_t n) const;

  std::vector<Swept> keys_;
  std::size_t size_ = 1;
};

}  // namespace osteon::config
