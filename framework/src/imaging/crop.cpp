#include "imaging/crop.hpp"

#include <ATen/Functions.h>

#include <algorithm>

namespace osteon::imaging {

namespace {

constexpr std::int16_t kAir = -1000, kSoftTissue = 60;  // HU; muscle

}  // namespace

Schema crop_schema() {
  return {"What of a volume comes into the picture beside its one bone.",
          {Parameter::text("outside", "keep",
                           "What lies further than the margin from the bone: kept, made air, or capped at soft tissue "
                           "(60 HU), which removes neighbouring bones and leaves the flesh.")
               .one_of({"keep", "air", "soft_tissue"}),
           Parameter::real("margin", 3, "Distance from the bone's surface up to which everything is kept.")
               .unit("mm")
               .at_least(0)
               .at_most(500)}};
}

Volume cropped(const Volume& volume, const Mesh& bone, const Parameters& crop) {
  if (crop.text("outside") == "keep") return volume;
  return cropped(volume, within(voxels_inside(bone, volume.grid), volume.grid, crop.real("margin")), crop);
}

Volume cropped(const Volume& volume, const Mask& kept, const Parameters& crop) {
  const std::string& outside = crop.text("outside");
  if (outside == "keep") return volume;
  Volume result{volume.hounsfield.clone(), volume.grid};
  auto* voxels = result.hounsfield.data_ptr<std::int16_t>();
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (kept[i] == 0) voxels[i] = outside == "air" ? kAir : std::min(voxels[i], kSoftTissue);
  return result;
}

}  // namespace osteon::imaging
