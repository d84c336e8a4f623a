#pragma once

// Which points of a sweep are alike up to some stage.

#include "config/experiment.hpp"

#include <map>
#include <string>

namespace osteon::pipeline {

/// Digests of what stages are told; points with the same digest share the stages up to there.
class SettingsGroups {
 public:
  [[nodiscard]] std::string source(const config::Experiment& experiment);
  /// Volumes, surfaces, X-rays, and the X-rays as the network sees them.
  [[nodiscard]] std::string images(const config::Experiment& experiment);
  [[nodiscard]] std::string training(const config::Experiment& experiment);

 private:
  [[nodiscard]] const std::string& of(const Parameters& parameters);
  [[nodiscard]] std::string of(const config::PluginChoice& choice);

  std::map<const Parameters*, std::string> known_;  ///< points share most of them
};

}  // namespace osteon::pipeline
