#pragma once

// [sweep]: which points an experiment has.
//
//     [sweep]
//     "loss.margin"  = [0.05, 0.1, 1.0]                                 # a grid: all combinations of the lists
//     "loss.plugin"  = ["one", "another"]
//     views = [{drawn_tilt = 0.0}, {drawn_tilt = 5.0, height = 96}]     # values of a section that belong together
//     zip = [["head.dimensions", "head.pairs"]]                         # lists that advance together, over any
//     sections exclude = [{"loss.margin" = 1.0, "loss.plugin" = "another"}]      # combinations that are left out
//     "training.learning_rate" = {from = 1e-5, to = 1e-2, scale = "log"}   # a range, of which `points` draw
//     points = 16                                                       # draws, each with all of the grid
//     order  = "sobol"                                                  # or "random"; `seed` shifts or seeds them

#include "config/assemble.hpp"
#include "config/document.hpp"
#include "config/mistakes.hpp"

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace osteon::config {

struct Swept {
  std::string path;
  Place key_place;
  std::vector<Value> values;
  bool is_drawn = false;  ///< from a range
};

/// A combination that is left out: all points with these values.
struct Exclusion {
  Place place;
  std::map<std::string, std::string> values;  ///< dotted path → value as text

  [[nodiscard]] bool matches(const std::map<std::string, std::string>& point) const;
  [[nodiscard]] std::string shown() const;
};

class Sweep {
 public:
  /// With repeats; more is taken for a mistake.
  static constexpr std::size_t kMostPoints = 10000;

  /// Reads [sweep] of `root`. What `overrides` set is no longer swept.
  Sweep(const Value& root, std::span<const Override> overrides, Mistakes& mistakes);

  /// Number of combinations; 1 without a sweep.
  [[nodiscard]] std::size_t size() const { return kept_.size(); }
  [[nodiscard]] std::vector<std::string> paths() const;

  /// The tree of combination `n` to lay over the experiment. The first key changes slowest.
  [[nodiscard]] Value tree(std::size_t n) const;
  /// Dotted path → value as text, of combination `n`.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> changes(std::size_t n) const;

 private:
  /// Keys whose values advance together, by their place in `keys_`.
  using Axis = std::vector<std::size_t>;

  void make_axes(const Value* zip, const std::vector<std::string>& overridden, Mistakes& mistakes);
  void combine(const std::vector<Exclusion>& exclusions, Mistakes& mistakes);
  /// Dotted path → value as text of one combination of all, down to the single parameters.
  [[nodiscard]] std::map<std::string, std::string> settings(std::size_t combination) const;
  /// The value of each key in a combination of all.
  [[nodiscard]] std::vector<const Value*> chosen(std::size_t combination) const;

  std::vector<Swept> keys_;
  std::vector<Axis> axes_;
  std::vector<std::size_t> kept_ = {0};  ///< the combinations that are not excluded
};

}  // namespace osteon::config
