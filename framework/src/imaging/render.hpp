#pragma once

// Poses × energies of one volume, as AP | ML montages.

#include "host/handles.hpp"
#include "imaging/views.hpp"

#include <osteon/image_set.hpp>

#include <functional>
#include <span>

namespace osteon::imaging {

/// Renders poses × energies: chunks of line integrals → film → AP|ML montage, 8 bit. Image n shows pose n / energies at
/// energy n % energies; all energies of a pose come from one projection. `progress(done, total)` counts images. Looks
/// at `throw_if_stopped` between chunks. The pixels don't depend on the number of threads or the size of a chunk.
/// Throws `Error` when the rays of a pose miss everything in the volume.
[[nodiscard]] ImageSet render(const host::RendererHandle& renderer, const Volume& volume, const BoneFrame& frame,
                              std::span<const Pose> poses, const Parameters& views, const Parameters& film,
                              const std::function<void(std::int64_t, std::int64_t)>& progress);

}  // namespace osteon::imaging
