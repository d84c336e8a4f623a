#pragma once

#include <osteon/mesh.hpp>
#include <osteon/plugin.hpp>
#include <osteon/volume.hpp>

namespace osteon {

/// Volume → the outer surface of the one bone that the volume is about.
class OSTEON_API Surface : public Plugin {
 public:
  ~Surface() override;

  /// A closed surface, oriented outwards, in the volume's patient coordinates. Throws `Error` when there is no bone
  /// (with the largest HU found), the bone leaves the volume or two could be meant. Called from several threads.
  /// `bone_mask` as `Acquisition` has it: uint8 of the volume's shape, or undefined. Where it is given it says which
  /// voxels are the bone.
  [[nodiscard]] virtual Mesh extract(const Volume& volume, const at::Tensor& bone_mask) const = 0;
};

}  // namespace osteon
