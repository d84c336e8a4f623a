#pragma once

// Bones and X-rays that are not as they were when the gallery was made: the study's two deformities (a shaft that is
// unnaturally thin, a proximal end broken off at an angle), an implant, noise, a pose that is not the told one, a
// truncated image. The deformities are made in the volume, so that AP and ML agree, or painted on finished images, as
// the study did. Each has a strength and is off at 0.

#include "imaging/bone_frame.hpp"
#include "imaging/views.hpp"

#include <osteon/image_set.hpp>
#include <osteon/mesh.hpp>
#include <osteon/parameters.hpp>
#include <osteon/volume.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace osteon::imaging {

/// [perturb].
[[nodiscard]] Schema perturb_schema();

/// Whether any strength is above 0. Throws `Error` when the parameters contradict each other.
[[nodiscard]] bool is_perturbed(const Parameters& perturb);

/// The volume with its deformities and its implant; voxels elsewhere keep their values. `bone` (closed) and `frame` are
/// those of the healthy bone. The volume grows, by air, where a broken end would leave it.
[[nodiscard]] Volume perturbed(const Volume& volume, const Mesh& bone, const BoneFrame& frame,
                               const Parameters& perturb);

/// The poses that the images are taken at when `told` is what one believes.
[[nodiscard]] std::vector<Pose> with_view_error(std::span<const Pose> told, const Parameters& perturb,
                                                std::uint64_t stream);

/// What is done to finished images: deformities painted on, noise, truncation; and their rows get back the angles that
/// one is told. `taken` are the poses that they show. `stream` names the noise.
void perturb_images(ImageSet& set, std::span<const Pose> told, std::span<const Pose> taken, const Mesh& bone,
                    const BoneFrame& frame, const Parameters& views, const Parameters& perturb, std::uint64_t stream);

}  // namespace osteon::imaging
