#pragma once

// A threshold from the volume itself.

#include <vector>

namespace osteon::isosurface {

/// The density, HU, that parts soft tissue and bone best: Otsu's threshold (1979) over the values from -500 HU, below
/// which there is air, to 3000 HU, above which there is metal. Throws `Error` when there is nothing to part or the
/// threshold is one within soft tissue.
[[nodiscard]] double otsu_threshold(const std::vector<float>& density);

}  // namespace osteon::isosurface
