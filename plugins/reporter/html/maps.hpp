#pragma once

// Embeddings as points of a plane: inline SVG that shows without a script and in print, coloured by bone, and what the
// script needs to colour it otherwise, to zoom, and to show the X-ray behind a point.

#include <osteon/reporter.hpp>

#include <string>
#include <vector>

namespace osteon::report {

/// The maps of one page. Maps of the same images share one sheet of thumbnails, since these are most of the page's
/// size.
class Maps {
 public:
  /// Throws a failure when the map's lists differ in length.
  void add(const PicturedMap& map);
  [[nodiscard]] std::size_t count() const { return count_; }
  /// HTML of all maps and their sheets.
  [[nodiscard]] std::string html() const;

 private:
  std::size_t sheet_of(const at::Tensor& thumbnails);

  std::size_t count_ = 0;
  std::vector<std::string> digests_;  ///< of each sheet's thumbnails
  std::vector<at::Tensor> tiles_;     ///< of each sheet
  std::string figures_, sheets_;
};

}  // namespace osteon::report
