#include "imaging/slot.hpp"

#include <ATen/Functions.h>

namespace osteon::imaging {

at::Tensor project_slot(const host::RendererHandle::BoundProjector& projector, std::span<const Projection> exposures) {
  std::vector<Projection> rows;
  for (const Projection& exposure : exposures)
    for (std::int64_t row = 0; row < exposure.rows; ++row) {
      Projection one = exposure;
      one.rows = 1;
      one.first_pixel = exposure.first_pixel + exposure.row_step * static_cast<double>(row);
      one.source = exposure.source +
                   exposure.row_step * (static_cast<double>(row) - (static_cast<double>(exposure.rows) - 1) / 2);
      rows.push_back(one);
    }
  const auto count = static_cast<std::int64_t>(exposures.size());
  const Projection& first = exposures.front();
  return projector.project(rows)
      .view({count, first.rows, kMaterials, first.columns})
      .permute({0, 2, 1, 3})
      .contiguous();
}

}  // namespace osteon::imaging
