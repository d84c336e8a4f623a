#pragma once

// Collects the mistakes of an experiment and prints them all at once, each with the line it stands in:
//
//     experiments/a.toml:14:12: backbone.depth: 19 is not one of 18, 34, 50
//        14 | depth    = 19
//           |            ^~

#include "config/document.hpp"

#include <set>
#include <string>
#include <tuple>
#include <vector>

namespace osteon::config {

class Mistakes {
 public:
  /// What is said twice of one place (by two points of a sweep) is kept once. `with_comments` also shows the comment
  /// lines right above: where a file is missing, they are likely to say where to get it.
  void add(const Place& place, std::string message, bool with_comments = false);

  /// Files that don't exist count; off where the form alone is looked at.
  bool files_must_exist = true;

  [[nodiscard]] bool empty() const { return mistakes_.empty(); }

  /// A part of the experiment could not be read, so that nothing can be called missing.
  bool incomplete = false;

  /// Throws one `Error` that lists them in the order of the files and lines; returns when there are none.
  void throw_if_any() const;

 private:
  struct Mistake {
    Place place;
    std::string message;
    bool with_comments;
  };
  std::vector<Mistake> mistakes_;
  std::set<std::tuple<const Source*, int, int, std::string>> known_;
};

/// `; did you mean "margin"?` when a candidate is near, else `otherwise`.
[[nodiscard]] std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                                     const std::string& otherwise = "");

}  // namespace osteon::config
