#pragma once

// Poses × energies of one volume, as AP | ML montages.

#include "host/handles.hpp"
#include "imaging/roll.hpp"
#include "imaging/views.hpp"

#include <osteon/image_set.hpp>

#include <functional>
#include <span>

namespace osteon::imaging {

/// Renders poses × energies: chunks of line integrals → film → AP|ML montage, 8 bit. Image n shows pose n / energies at
/// energy n % energies; all energies of a pose come from one projection, and so do poses that differ only by a turn
/// about the beam, where that pays (`RollPlan`). `progress(done, total)` counts images. Looks at `throw_if_stopped`
/// between chunks. The pixels don't depend on the number of threads or the size of a chunk. Throws `Error` when the
/// rays of a pose miss everything in the volume.
[[nodiscard]] ImageSet render(const host::RendererHandle& renderer, const Volume& volume, const BoneFrame& frame,
                              std::span<const Pose> poses, const Parameters& views, const Parameters& film,
                              const std::function<void(std::int64_t, std::int64_t)>& progress,
                              RollReuse reuse = RollReuse::where_it_pays);

/// The same without keeping the images: `take(first, images)` gets each chunk in order, uint8 `[N, H, W]`, from image
/// number `first` on. Returns how each was taken.
std::vector<ImageRow> render(const host::RendererHandle& renderer, const Volume& volume, const BoneFrame& frame,
                             std::span<const Pose> poses, const Parameters& views, const Parameters& film,
                             const std::function<void(std::int64_t, std::int64_t)>& progress,
                             const std::function<void(std::int64_t, const at::Tensor&)>& take,
                             RollReuse reuse = RollReuse::where_it_pays);

/// Voxels above 3000 HU: metal, which water and bone don't describe. Whoever shows the images should say so when there
/// are any.
[[nodiscard]] std::int64_t metal_voxels(const Volume& volume);

}  // namespace osteon::imaging
