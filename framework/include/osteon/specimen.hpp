#pragma once

#include <osteon/mesh.hpp>
#include <osteon/volume.hpp>

#include <optional>
#include <string>

namespace osteon {

enum class Side { right, left, unknown };

OSTEON_API std::string to_text(Side side);

/// One bone of one person, as a source lists it before anything is read or made.
struct SpecimenInfo {
  std::string id;       ///< unique in the source; no name, birth date or hospital number of a patient
  std::string subject;  ///< the person; splits never part two bones of one subject
  Side side = Side::unknown;
  int acquisitions = 1;  ///< how many separate CT volumes of this bone there are
};

/// One CT volume of a specimen, and the surface that it was made from where the source knows it.
struct Acquisition {
  Volume volume;
  std::optional<Mesh> truth;  ///< patient coordinates of the volume
};

}  // namespace osteon
