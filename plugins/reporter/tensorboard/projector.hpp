#pragma once

// What TensorBoard's embedding projector reads: projector_config.pbtxt in the folder of the event file, and per map
// the points (tensors.tsv), what each shows (metadata.tsv, with a line of names) and their thumbnails (sprite.png, row
// by row).

#include "reports/unique_names.hpp"

#include <osteon/reporter.hpp>

#include <filesystem>
#include <string>

namespace osteon::tensorboard {

class Projector {
 public:
  Projector() = default;
  /// Takes away what an earlier run left in `folder`.
  explicit Projector(std::filesystem::path folder);

  /// Files under maps/NAME/, then the configuration that names them. Points that are not finite are left out; a map
  /// without any other is not written. Throws a failure when the map's lists differ in length or a file can't be
  /// written.
  void add(const PicturedMap& map);

 private:
  std::filesystem::path folder_;
  std::string configuration_;
  int count_ = 0;
  reports::UniqueNames names_, titles_;
};

}  // namespace osteon::tensorboard
