#pragma once

// What surrounds a femur: a round thigh of muscle and fat about along the bone, the part of the hip socket above the
// head, the tibial plateau below the condyles, the kneecap before them. Each neighbour is a simple solid from which the
// bone, grown by the joint's gap, is cut out: so it fits the bone of whatever shape and never touches it. Girth, axis
// and length of the thigh are drawn for each acquisition and don't know the bone, or a network would learn the thigh.

#include <osteon/mesh.hpp>
#include <osteon/random.hpp>

namespace osteon::voxeliser {

/// Where a long bone's parts are, from its vertices.
struct Landmarks {
  Vec3 centre;        ///< mean of the vertices
  Vec3 along;         ///< unit, longest axis, towards the patient's head
  Vec3 medial;        ///< unit, across `along`: from the axis to the mass of the proximal end
  Vec3 anterior;      ///< unit, across `along`: away from the condyles' backs
  double low, high;   ///< extent along `along` from `centre`, mm
  double reach;       ///< largest distance of a vertex from the axis, mm
  Vec3 head;          ///< middle of the medial part of the proximal end
  Vec3 knee;          ///< middle of the distal end
  double knee_front;  ///< how far the distal end reaches forwards of `knee`, mm
};

[[nodiscard]] Landmarks find_landmarks(const Mesh& bone);

class Thigh {
 public:
  /// `gap`: least distance of a neighbour from the bone, mm; `scale` as in `Settings`.
  Thigh(const Landmarks& landmarks, double scale, double gap, Random& random);

  /// About the signed distance to the nearest neighbouring bone, given the distance from the femur.
  [[nodiscard]] float neighbour(Vec3 point, float distance_from_bone) const;
  /// Whether a neighbour may lie between these heights along the axis.
  [[nodiscard]] bool has_neighbours(double from, double to) const;

  [[nodiscard]] Vec3 centre() const { return centre_; }                        ///< a point of the thigh's axis
  [[nodiscard]] Vec3 axis() const { return axis_; }                            ///< unit
  [[nodiscard]] double half_length() const { return half_length_; }            ///< scanned on each side of `centre`, mm
  [[nodiscard]] double radius() const { return radius_; }                      ///< of the skin, mm
  [[nodiscard]] double muscle_radius() const { return radius_ - fat_layer_; }  ///< mm
  [[nodiscard]] double muscle() const { return muscle_; }                      ///< HU
  [[nodiscard]] double fat() const { return fat_; }                            ///< HU
  [[nodiscard]] double shell() const { return shell_; }                        ///< mm, of the neighbours' cortex
  [[nodiscard]] const Landmarks& landmarks() const { return marks_; }

 private:
  Landmarks marks_;
  double scale_, gap_;
  Vec3 centre_, axis_;
  double half_length_, radius_, fat_layer_, muscle_, fat_, shell_;
  Vec3 socket_, socket_axis_, plateau_, kneecap_;
};

}  // namespace osteon::voxeliser
