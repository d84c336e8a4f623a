#pragma once

// Where the X-ray source and the detector stand around a bone: the poses of an acquisition, and the exposure of each.
//
// A view has three axes: to the right and up in the image, and from the bone towards the source.
//
//     plane   beam                    right in the image   up         towards the source
//     AP      anterior to posterior   medial               proximal   anterior
//     ML      medial to lateral       posterior            proximal   medial
//
// So a right bone appears as one sees it from the source, and a left bone mirrored, like a right one. A pose turns the
// bone about the view's axes through the bone's centroid, in this order:
//
//     axial     about "up", which is the bone's own long axis; positive brings what faces the source to the right
//     tilt      about "right"; positive brings the proximal end towards the source
//     in-plane  about the beam; positive turns counter-clockwise in the image

#include "imaging/bone_frame.hpp"

#include <osteon/image_set.hpp>
#include <osteon/parameters.hpp>
#include <osteon/renderer.hpp>

#include <string_view>
#include <vector>

namespace osteon::imaging {

/// A pose of the bone before the exposures of its AP and its ML image. Degrees.
struct Pose {
  double axial = 0, tilt = 0, in_plane = 0;
};

/// [views]: angles, geometry, image size, scale, query poses.
[[nodiscard]] Schema views_schema();

/// The grid (axial × tilt × in-plane, the last fastest) of a gallery acquisition.
[[nodiscard]] std::vector<Pose> gallery_poses(const Parameters& views);

/// Poses of a query acquisition, drawn uniformly between the gallery's angles as well as on them. `specimen` names the
/// stream of numbers: the poses of one bone don't depend on which other bones there are.
[[nodiscard]] std::vector<Pose> query_poses(const Parameters& views, std::uint64_t seed, std::string_view specimen);

/// mm at the isocentre. Throws `Error` when the field of view shows less than half of the bone.
[[nodiscard]] double pixel_spacing(const BoneFrame& frame, const Parameters& views);

/// The exposure of one half of the montage: `height` rows, `height`/2 columns, the bone's centroid in the middle. Rays
/// run from the source through the pixels without end; the pixels are placed behind the patient, as far from the
/// isocentre as the source, so that a renderer that ends its rays there sees the same.
[[nodiscard]] Projection projection(const BoneFrame& frame, Plane plane, const Pose& pose, const Parameters& views);

}  // namespace osteon::imaging
