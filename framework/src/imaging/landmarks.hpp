#pragma once

// The landmarks of a femur that fix its axes: the femoral head as a sphere (its centre is the hip's), the two points on
// which the posterior condyles rest when the bone lies on a table, and the widest points of the distal end, which are
// close to the epicondyles.

#include <osteon/mesh.hpp>

#include <optional>
#include <span>

namespace osteon::imaging {

struct Sphere {
  Vec3 centre;
  double radius = 0;
};

/// The sphere that fits most of `points`, with a radius between the bounds: random samples of four (Fischler & Bolles,
/// Commun. ACM 24, 1981; always the same ones), then least squares. Nothing when the points that fit are few or cover
/// less than about a third of the sphere.
[[nodiscard]] std::optional<Sphere> fit_sphere(std::span<const Vec3> points, double least_radius,
                                               double largest_radius);

/// The points of the mesh whose depth below its proximal end is `from` to `to`, as shares of its length.
[[nodiscard]] std::vector<Vec3> points_between(const Mesh& bone, Vec3 proximal, double from, double to);

struct Condyles {
  Vec3 medial_rest, lateral_rest;  ///< where the condyles touch the table
  Vec3 medial;                     ///< unit, along the posterior condylar line, perpendicular to the long axis
  Vec3 centre;                     ///< between the widest points: the knee's
};

/// From the points of the distal end, a first guess of the medial direction and the side that is posterior.
[[nodiscard]] std::optional<Condyles> find_condyles(std::span<const Vec3> distal, Vec3 proximal, Vec3 medial,
                                                    Vec3 posterior, double length);

}  // namespace osteon::imaging
