#pragma once

// The thumbnails behind a map's points, as one picture.

#include <osteon/reporter.hpp>

namespace osteon::reports {

/// Throws a failure unless every image of the map has a point, a number, a thumbnail, a bone, a role and whether it was
/// held out.
void require_complete(const PicturedMap& map);

/// uint8 `[n, h, w]`, halved until all of them have at most `most_pixels` pixels.
[[nodiscard]] at::Tensor small_enough(const at::Tensor& thumbnails, std::int64_t most_pixels);

/// Tiles side by side in rows of `columns`, black after the last: `[rows × h, columns × w]`.
[[nodiscard]] at::Tensor contact_sheet(const at::Tensor& tiles, std::int64_t columns);

/// Tiles in a row of a sheet that is about as wide as high.
[[nodiscard]] std::int64_t columns_of(const at::Tensor& tiles);

}  // namespace osteon::reports
