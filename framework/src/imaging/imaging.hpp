#pragma once

// From a volume and a bone's own frame to finished X-rays.

#include "host/handles.hpp"

#include <osteon/image_set.hpp>
#include <osteon/mesh.hpp>
#include <osteon/specimen.hpp>

#include <functional>
#include <span>
#include <vector>

namespace osteon::imaging {

/// A femur's own axes in patient coordinates, found from its surface. For a left bone medial × anterior · proximal is
/// -1 (the frame is mirrored), so that left and right bones look alike in it, in meshes as in X-rays.
struct BoneFrame {
  Vec3 origin;                       ///< centroid of the solid
  Vec3 medial, anterior, proximal;   ///< orthonormal
  double length = 0;                 ///< mm, extent along `proximal`
};

/// Long axis from the second moments; its proximal end, the medial and the anterior direction from the anatomy (head and
/// condyles), with the patient's axes to settle what the bone leaves open. Throws `Error` when the surface isn't elongated.
[[nodiscard]] BoneFrame find_bone_frame(const Mesh& bone, Side side);

/// The surface in the bone's own frame (x medial, y anterior, z proximal, mm); a left bone comes out mirrored.
[[nodiscard]] Mesh in_bone_frame(const Mesh& bone, const BoneFrame& frame);

/// The same pose and size for an exposure of the AP and the ML image. Degrees.
struct Pose {
  double axial = 0, tilt = 0, in_plane = 0;
};

[[nodiscard]] Schema views_schema();  ///< [views]: angles, distances, image size, pixel spacing, query poses
[[nodiscard]] Schema film_schema();   ///< [film]: energies, mapping, blur, scaling

/// The grid (axial × tilt × in-plane) of a gallery acquisition.
[[nodiscard]] std::vector<Pose> gallery_poses(const Parameters& views);
/// Poses drawn for a query acquisition, none of them on the gallery's grid. `specimen` names the stream of numbers.
[[nodiscard]] std::vector<Pose> query_poses(const Parameters& views, std::uint64_t seed, std::string_view specimen);

/// The exposure of one image plane.
[[nodiscard]] Projection projection(const BoneFrame& frame, Plane plane, const Pose& pose, const Parameters& views);

/// Renders poses × energies: chunks of line integrals → film → AP|ML montage, 8 bit. Image n shows pose n / energies at
/// energy n % energies. `progress(done, total)` counts images. Looks at `throw_if_stopped` between chunks.
[[nodiscard]] ImageSet render(const host::RendererHandle& renderer, const Volume& volume, const BoneFrame& frame,
                              std::span<const Pose> poses, const Parameters& views, const Parameters& film,
                              const std::function<void(std::int64_t, std::int64_t)>& progress);

}  // namespace osteon::imaging
