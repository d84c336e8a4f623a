#pragma once

// A femur's own axes. The long axis is the principal axis of the solid; the medial direction lies in the direction in
// which the condyles are widest, on the side of the femoral head; the anterior one follows from the side of the body.
// (The ISB's femoral frame is built from the hip centre and the epicondyles in the same order; Wu et al., J Biomech 35,
// 2002.)

#include <osteon/mesh.hpp>
#include <osteon/specimen.hpp>

namespace osteon::imaging {

/// A femur's own axes in patient coordinates, found from its surface. In LPS coordinates (medial, anterior, proximal)
/// has determinant +1 for a left bone and -1 for a right one: written in these axes a right bone comes out mirrored and
/// a left one doesn't, so that both look alike, in meshes as in X-rays.
struct BoneFrame {
  Vec3 origin;                      ///< centroid of the solid
  Vec3 medial, anterior, proximal;  ///< orthonormal
  double length = 0;                ///< mm, extent along `proximal`
};

/// Finds the axes. `bone` is closed. Which end is proximal, the patient's feet-to-head axis (+z) decides when the bone lies
/// within 60° of it, else the anatomy: head, neck and trochanter have a longer outline than the condyles. Of a bone of
/// unknown side the anterior direction is the one that looks more towards the patient's front (-y). Throws `Error` when
/// the surface isn't elongated.
[[nodiscard]] BoneFrame find_bone_frame(const Mesh& bone, Side side);

/// The surface in the bone's own frame (x medial, y anterior, z proximal, mm); a right bone comes out mirrored.
[[nodiscard]] Mesh in_bone_frame(const Mesh& bone, const BoneFrame& frame);

}  // namespace osteon::imaging
