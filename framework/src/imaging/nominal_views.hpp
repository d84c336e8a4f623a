#pragma once

// One picture that makes a bone's orientation impossible to misread, and the same facts as words: three slices of the
// CT along the patient's axes with the found axes drawn on them, and both nominal X-rays.

#include "imaging/bone_frame.hpp"
#include "imaging/views.hpp"

#include <osteon/volume.hpp>

#include <string>
#include <vector>

namespace osteon::imaging {

/// What the picture is of.
struct NominalViews {
  const Volume& volume;
  const BoneFrame& frame;   ///< found
  const Parameters& views;  ///< of the experiment
  const at::Tensor& xrays;  ///< uint8 `[H, W]`: AP | ML at no pose
  std::string name;         ///< of specimen and acquisition
  Side named_side;          ///< what the source calls it
};

/// The facts, one a line.
[[nodiscard]] std::vector<std::string> facts(const NominalViews& nominal);

/// The picture, uint8 `[H, W, 3]`, with the facts below.
[[nodiscard]] at::Tensor picture(const NominalViews& nominal);

/// The patient's direction nearest to `v`: R, L, A, P, H or F.
[[nodiscard]] char patient_letter(Vec3 v);

}  // namespace osteon::imaging
