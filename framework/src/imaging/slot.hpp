#pragma once

// A slot scan: source and slot travel together along the bone, so each row of the image is an exposure of its own
// height. Rays are parallel along the bone's length and diverge across it.

#include "host/handles.hpp"

namespace osteon::imaging {

/// Line integrals `[V, kMaterials, rows, columns]` of exposures that `projection` made for a slot scan: the source of
/// row r stands beside row r.
[[nodiscard]] at::Tensor project_slot(const host::RendererHandle::BoundProjector& projector,
                                      std::span<const Projection> exposures);

}  // namespace osteon::imaging
