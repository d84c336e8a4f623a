#pragma once

// Real X-rays made like the artificial ones: for a person to look at before an experiment takes them, and for a model
// that is asked about them.

#include "host/handles.hpp"
#include "imaging/film.hpp"
#include "imaging/radiograph.hpp"
#include "pipeline/runner.hpp"

#include <optional>

namespace osteon::pipeline {

struct RadiographFile {
  std::filesystem::path file;
  imaging::RadiographHints hints;
};

/// The two pictures of one bone, and what a person says of them.
struct XrayPair {
  RadiographFile ap, ml;
  Side side = Side::unknown;
  std::string format;  ///< a format plugin; "" chooses by the files' endings
};

/// The sections of an experiment that say how real X-rays become like artificial ones.
struct XraySettings {
  Parameters views{imaging::views_schema(), {}};
  Parameters film{imaging::film_schema(), {}};
  Parameters radiographs{imaging::radiographs_schema(), {}};
};

/// A pair made ready, with what was found in its pictures.
struct PreparedPair {
  imaging::PreparedRadiograph ap, ml;
  std::vector<std::string> lines;  ///< of both, for a person

  /// uint8 `[height, 2 · (height / 2)]`: AP left, ML right, the bone's middle in the middle of each half.
  [[nodiscard]] at::Tensor montage(const XraySettings& settings) const;
};

/// The format plugin that claims a file's ending.
[[nodiscard]] std::optional<host::FormatHandle> format_of(host::Registry& registry, const std::filesystem::path& file);

/// Reads with the format plugin named, or with the one that claims the file's ending. Throws `Error` when the file is
/// missing or no format knows it.
[[nodiscard]] Radiograph read_radiograph(host::Registry& registry, const std::filesystem::path& file,
                                         const std::string& format);

/// Reads both pictures and makes them ready. Throws `Error` as `imaging::PreparedRadiograph` does.
[[nodiscard]] PreparedPair prepare_pair(host::Registry& registry, const XrayPair& pair, const XraySettings& settings);

/// Writes the montage of a pair as a PNG, in the way of the experiment `options.file`, or with all defaults when that
/// is empty; with `framed` the bone fills the image, whatever the experiment says. Returns what was found, as lines.
[[nodiscard]] std::vector<std::string> prepare_xrays(const RunOptions& options, const XrayPair& pair, bool framed,
                                                     const std::filesystem::path& out);

}  // namespace osteon::pipeline
