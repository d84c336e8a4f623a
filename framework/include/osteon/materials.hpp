#pragma once

// Hounsfield units → two basis materials, water and cortical bone (1.92 g/cm³, ICRU-44). Linear from water (0 HU) to
// cortical bone (1600 HU, about 70 keV effective); denser voxels are cortical bone scaled up; below 0 HU water is
// scaled down to nothing at -1000 (air). One projection of the two then serves every energy.

#include <osteon/export.hpp>

#include <cstdint>

namespace osteon {

inline constexpr double kCorticalHounsfield = 1600;
inline constexpr int kMaterials = 2;  ///< water, cortical bone

struct MaterialFractions {
  float water;  ///< relative to water's own density
  float bone;   ///< relative to cortical bone's own density
};

inline MaterialFractions material_fractions(double hounsfield) {
  if (hounsfield <= -1000) return {0, 0};
  if (hounsfield <= 0) return {static_cast<float>(1 + hounsfield / 1000), 0};
  const double bone = hounsfield / kCorticalHounsfield;
  return {static_cast<float>(bone < 1 ? 1 - bone : 0), static_cast<float>(bone)};
}

}  // namespace osteon
