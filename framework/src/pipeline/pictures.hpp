#pragma once

// Pictures of an experiment's bones before any run: every X-ray as a PNG, and one picture of a bone's orientation.

#include "pipeline/runner.hpp"

namespace osteon::pipeline {

struct RenderedPictures {
  std::int64_t xrays = 0, made = 0;  ///< all that were written, and those that the store didn't have
  double seconds = 0;                ///< of projecting and exposing what was made
  double png_seconds = 0;            ///< of writing the files
};

/// Renders the images of all scans (nothing when the store has them) and writes PNGs below `folder`: per scan a folder
/// with one file an X-ray and index.csv, and a contact sheet beside it; index.csv of all in `folder`.
[[nodiscard]] RenderedPictures render_pngs(const RunOptions& options, const std::filesystem::path& folder);

/// Draws slices, found axes and both nominal views of a specimen's scan ("" is the first) into a PNG. Returns the facts
/// as lines. Throws `Error` for an unknown specimen, with the nearest name.
[[nodiscard]] std::vector<std::string> view_specimen(const RunOptions& options, const std::string& specimen,
                                                     int acquisition, const std::filesystem::path& file);

}  // namespace osteon::pipeline
