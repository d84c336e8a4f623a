#pragma once

// A femur's own axes, from its anatomy in the order of the ISB's femoral frame (Wu et al., J Biomech 35, 2002): the hip
// centre and the condyles. The long axis is the principal axis of the solid, close to the shaft, because that is how a
// femur lies in an X-ray; the medial direction is that of the posterior condylar line (Yoshioka et al., J Bone Joint
// Surg 69-A, 1987), on the side of the femoral head; the anterior one follows. The mechanical axis, from the knee's to
// the hip's centre, is known beside it.

#include <osteon/mesh.hpp>
#include <osteon/specimen.hpp>

#include <optional>
#include <string>

namespace osteon::imaging {

/// A femur's own axes in patient coordinates, found from its surface. In LPS coordinates (medial, anterior, proximal)
/// has determinant +1 for a left bone and -1 for a right one: written in these axes a right bone comes out mirrored and
/// a left one doesn't, so that both look alike, in meshes as in X-rays.
struct BoneFrame {
  Vec3 origin;                      ///< centroid of the solid
  Vec3 medial, anterior, proximal;  ///< orthonormal
  double length = 0;                ///< mm, extent along `proximal`

  std::optional<Vec3> hip_centre{}, knee_centre{};  ///< where head and condyles were found
  double head_radius = 0;                           ///< mm
  Side side = Side::unknown;                        ///< the side that the axes take the bone for
  Side side_by_shape = Side::unknown;               ///< what head and condyles say, whatever the label
  std::string found_by{};                           ///< how AP and ML were found, for people
};

/// Finds the axes. `bone` is closed. Which end is proximal, the patient's feet-to-head axis (+z) decides when the bone
/// lies within 60° of it, else the anatomy: head, neck and trochanter have a longer outline than the condyles. The side
/// of a bone of unknown side is that of its shape; where that can't be told (no condyles that stand out backwards), the
/// anterior direction is the one that looks more towards the patient's front (-y). A bone without condyles or without a
/// head keeps what the other end tells. Throws `Error` when the surface isn't elongated or both ends are missing.
[[nodiscard]] BoneFrame find_bone_frame(const Mesh& bone, Side side);

/// The surface in the bone's own frame (x medial, y anterior, z proximal, mm); a right bone comes out mirrored.
[[nodiscard]] Mesh in_bone_frame(const Mesh& bone, const BoneFrame& frame);

}  // namespace osteon::imaging
