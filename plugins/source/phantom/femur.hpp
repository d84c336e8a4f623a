#pragma once

// A femur as a solid: smooth unions of spheres, tapered rods, ellipsoids and rounded wheels along a bowed shaft, placed
// by an anatomist's measures (implicit modelling after Quilez's distance functions; Bloomenthal, "Introduction to
// Implicit Surfaces", 1997).

#include "anatomy.hpp"

#include <osteon/mesh.hpp>

#include <array>

namespace osteon::phantom {

/// A right femur's coordinates: x medial, y posterior, z proximal, mm; the origin lies between the condyles at the
/// joint line, the head's centre above it, so that the shaft leans outwards as in a standing person.
class Femur {
 public:
  explicit Femur(const Measures& measures);

  /// About the signed distance to the surface, mm; negative inside.
  [[nodiscard]] double operator()(Vec3 p) const;
  /// A box that the solid does not touch.
  [[nodiscard]] Box box() const;

 private:
  struct Rod {  ///< a tapered capsule, squeezed along `flat` by `ratio`
    Vec3 from, to;
    double from_radius, to_radius;
    Vec3 flat{0, 1, 0};
    double ratio = 1;
  };
  struct Ellipsoid {
    Vec3 centre, radii;
  };
  struct Condyle {  ///< a wheel with the outline of two circles, axis medial–lateral
    double x, half_width, slant;
    double front_y, front_radius, back_y, back_radius;
    double floor = 0;  ///< height of the line on which both circles stand
  };
  struct Section {  ///< of the shaft
    Vec3 centre;
    double width, depth;  ///< radii
  };

  [[nodiscard]] static double distance(Vec3 p, const Rod& rod);
  [[nodiscard]] static double distance(Vec3 p, const Ellipsoid& ellipsoid);
  [[nodiscard]] double distance(Vec3 p, const Condyle& condyle) const;
  [[nodiscard]] Section section(double z) const;
  [[nodiscard]] double shaft(Vec3 p) const;
  [[nodiscard]] double proximal(Vec3 p) const;
  [[nodiscard]] double distal(Vec3 p) const;
  void tabulate_shaft();
  void place_proximal();
  void place_distal();

  static constexpr double kTableTop = 1.1;  ///< of the length
  std::array<Section, 257> sections_{};
  Measures m_;
  double scale_;  ///< relative to a human femur: radii of fillets and edges
  double lean_x_ = 0, sagitta_ = 0, lateral_sagitta_ = 0, shaft_top_ = 0, head_z_ = 0;
  Vec3 head_, neck_base_;
  Rod neck_, greater_low_, greater_tip_, lesser_, crest_;
  Ellipsoid fossa_, fovea_;
  Condyle medial_, lateral_, groove_;
  std::array<Ellipsoid, 2> epicondyles_;
  Ellipsoid notch_;
};

}  // namespace osteon::phantom
