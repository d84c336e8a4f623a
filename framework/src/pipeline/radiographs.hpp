#pragma once

// Real X-rays made like the artificial ones, for a person to look at before an experiment takes them.

#include "imaging/radiograph.hpp"
#include "pipeline/runner.hpp"

namespace osteon::pipeline {

struct RadiographFile {
  std::filesystem::path file;
  imaging::RadiographHints hints;
};

struct XrayRequest {
  RadiographFile ap, ml;
  Side side = Side::unknown;
  std::string format;   ///< a format plugin; "" chooses by the files' endings
  bool framed = false;  ///< views.scaling = "framed", whatever the experiment says
  std::filesystem::path out;
};

/// Writes the montage of a pair as a PNG, in the way of the experiment `options.file`, or with all defaults when that
/// is empty. Returns what was found, as lines.
[[nodiscard]] std::vector<std::string> prepare_xrays(const RunOptions& options, const XrayRequest& request);

}  // namespace osteon::pipeline
