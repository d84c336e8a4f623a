#pragma once

// Predicted and true bones as meshes that the page's script turns: one view for all pairs. Each mesh stands once on the
// page, simplified where it is large, its places in whole numbers of a few micrometres.

#include <osteon/metric.hpp>

#include <span>
#include <string>

namespace osteon::report {

/// Vertices of one mesh at most, and of all of a page: about 27 bytes each.
inline constexpr std::int64_t kMostVertices = 8000, kMostVerticesOfPage = 120'000;

/// HTML of the view, hidden until the script shows it. `colours` is the HTML of the scale from 0 to `most` mm. The
/// pairs must be sound.
[[nodiscard]] std::string turning_view(std::span<const SurfacePair> pairs, double most, const std::string& colours);

}  // namespace osteon::report
