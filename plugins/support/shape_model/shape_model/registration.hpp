#pragma once

// A template carried onto a bone, so that the same vertex lies at the same place of every bone: non-rigid iterative
// closest points (Feldmar & Ayache, IJCV 18, 1996; Amberg, Romdhani & Vetter, CVPR 2007) with the displacement's
// Laplacian as what resists (Sorkine et al., "Laplacian surface editing", SGP 2004), from stiff to soft.

#include "open3d_support/closest_points.hpp"
#include "shape_model/points.hpp"

namespace osteon::shape_model {

/// A surface that others are described by.
class Template {
 public:
  /// `bone` is thinned to `triangles`.
  Template(const Mesh& bone, std::int64_t triangles);

  [[nodiscard]] const Mesh& mesh() const { return surface_.mesh(); }
  [[nodiscard]] const Connections& connections() const { return connections_; }

  /// Where the template's vertices lie on `bone`, in the bone's coordinates. `bone` may have any triangles; closest
  /// points are taken both ways, so that nothing that sticks out is passed by. Deterministic.
  [[nodiscard]] Points onto(const open3d_support::ClosestPoints& bone) const;

 private:
  open3d_support::ClosestPoints surface_;
  Connections connections_;
};

}  // namespace osteon::shape_model
