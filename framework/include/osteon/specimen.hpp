#pragma once

#include <osteon/mesh.hpp>
#include <osteon/radiograph.hpp>
#include <osteon/volume.hpp>

#include <optional>
#include <string>
#include <vector>

namespace osteon {

enum class Side { right, left, unknown };

OSTEON_API std::string to_text(Side side);

/// One bone of one person, as a source lists it before anything is read or made.
struct SpecimenInfo {
  std::string id;       ///< unique in the source; no name, birth date or hospital number of a patient
  std::string subject;  ///< the person; splits never part two bones of one subject
  Side side = Side::unknown;
  int acquisitions = 1;  ///< how many separate CT volumes, or pairs of radiographs, there are
};

/// One CT volume of a specimen, and the surface that it was made from where the source knows it; or, instead of both, a
/// pair of real radiographs.
struct Acquisition {
  Volume volume;  ///< empty where there are radiographs
  std::optional<Mesh> truth = {};  ///< patient coordinates of the volume
  /// Which voxels are the bone, as somebody labelled them: uint8 of the volume's shape, contiguous, CPU, 1 on the bone
  /// and 0 elsewhere; undefined where nobody did.
  at::Tensor bone_mask = {};
  /// What was decided in reading that a person should know ("slices resampled to an even distance of 1.25 mm"). Says
  /// files by their own names, never a patient's name or folder.
  std::vector<std::string> notices = {};
  std::optional<RadiographPair> radiographs = {};
};

}  // namespace osteon
