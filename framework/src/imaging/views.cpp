#include "imaging/views.hpp"

#include <osteon/error.hpp>

#include <cmath>

namespace osteon::imaging {

namespace {

/// Share of the image's height that a bone's length fills when each bone is framed by itself. At an in-plane angle of
/// 21° it then still fits the half image.

/// The axes of a view without pose, as columns (right, up, towards the source) in (medial, anterior, proximal).
Mat3 axes_of(Plane plane) {
  if (plane == Plane::ap) return {{{1, 0, 0}, {0, 0, 1}, {0, 1, 0}}};
  return {{{0, -1, 0}, {0, 0, 1}, {1, 0, 0}}};
}

/// The rotation of the bone, in coordinates (right, up, towards the source).
Mat3 pose_rotation(const Angles& angles) {
  return rotation({0, 0, 1}, radians(angles.in_plane)) * rotation({1, 0, 0}, radians(angles.tilt)) *
         rotation({0, 1, 0}, radians(angles.axial));
}

/// The bone's frame in axes that another `proximal` and an approximate `medial` direction give.
BoneFrame with_axes(BoneFrame frame, Vec3 proximal, Vec3 medial) {
  const double handed = determinant({{frame.medial, frame.anterior, frame.proximal}}) < 0 ? 1 : -1;
  frame.proximal = normalised(proximal);
  frame.medial = normalised(medial - frame.proximal * dot(medial, frame.proximal));
  frame.anterior = cross(frame.medial, frame.proximal) * handed;
  return frame;
}

void require_source_outside(const BoneFrame& frame, double distance, bool slot) {
  // A tilted bone reaches up to half its length towards the source; a slot scan has its source beside the bone.
  if (distance >= (slot ? 0.25 : 0.6) * frame.length) return;
  throw Error(text("views.source_detector - views.object_detector = ", distance,
                   " mm puts the source into or beside a bone of ", std::round(frame.length),
                   " mm; choose at least its length, or views.geometry = \"parallel\""));
}

}  // namespace

BoneFrame viewed_frame(const BoneFrame& frame, const Parameters& views) {
  BoneFrame axes = frame;
  const std::string& choice = views.text("axes");
  if (choice == "patient") {
    const bool right = determinant({{frame.medial, frame.anterior, frame.proximal}}) < 0;
    axes = with_axes(frame, {0, 0, 1}, {right ? 1.0 : -1.0, 0, 0});
  } else if (choice == "mechanical") {
    if (!frame.hip_centre || !frame.knee_centre)
      throw Error(text("views.axes = \"mechanical\" needs the centres of hip and knee, and the bone's ",
                       frame.hip_centre ? "condyles were" : "femoral head was",
                       " not found; use \"shaft\" or \"patient\""));
    axes = with_axes(frame, *frame.hip_centre - *frame.knee_centre, frame.medial);
  }
  const Angles offset{views.real("axial_offset"), views.real("tilt_offset"), views.real("in_plane_offset")};
  // Turning the bone by R is turning its axes, as the views see them, by R⁻¹.
  const Mat3 ap = axes_of(Plane::ap), turned = ap * transposed(pose_rotation(offset)) * transposed(ap);
  const auto in_patient = [from = axes](Vec3 v) {
    return from.medial * v.x + from.anterior * v.y + from.proximal * v.z;
  };
  axes.medial = in_patient(turned.column[0]);
  axes.anterior = in_patient(turned.column[1]);
  axes.proximal = in_patient(turned.column[2]);
  return axes;
}

double pixel_spacing(const BoneFrame& frame, const Parameters& views) {
  const auto height = static_cast<double>(views.integer("height"));
  const double field = views.real("field_of_view");
  if (views.text("scaling") == "framed") return frame.length / kFramedShare / height;
  if (field < frame.length / 2)
    throw Error(text("the image's height shows ", field, " mm, less than half of this bone (", std::round(frame.length),
                     " mm long): set views.field_of_view to about ", std::ceil(frame.length / 0.8 / 10) * 10,
                     ", or views.scaling = \"framed\""));
  return field / height;
}

double source_isocentre(const Parameters& views) {
  const double detector = views.real("source_detector"), object = views.real("object_detector");
  if (detector <= object)
    throw Error(text("views.object_detector = ", object, " mm puts the bone behind the source, which is ", detector,
                     " mm (views.source_detector) from the detector"));
  return detector - object;
}

double magnification(const Parameters& views) {
  if (views.text("geometry") == "parallel") return 1;
  return views.real("source_detector") / source_isocentre(views);
}

bool is_slot_scan(const Parameters& views) { return views.text("geometry") == "slot"; }

std::pair<double, double> ViewAxes::shadow(Vec3 point) const {
  const Vec3 offset = point - isocentre;
  const double x = dot(offset, right), y = dot(offset, up);
  if (distance == 0) return {x, y};
  const double larger = distance / (distance - dot(offset, towards_source));
  return {x * larger, slot ? y : y * larger};
}

ViewAxes view_axes(const BoneFrame& bone, Plane plane, const Pose& pose, const Parameters& views) {
  const BoneFrame frame = viewed_frame(bone, views);
  ViewAxes view;
  view.isocentre = frame.origin;
  view.slot = is_slot_scan(views);
  if (views.text("geometry") != "parallel") {
    view.distance = source_isocentre(views);
    require_source_outside(frame, view.distance, view.slot);
  }
  // Turning the bone by R is turning the view by R⁻¹. A rigid pair has one R, given in the AP view's axes.
  const Mat3 axes = axes_of(plane);
  const Mat3 given_in = views.text("pairing") == "rigid" ? axes_of(Plane::ap) : axes;
  const Mat3 turned = given_in * transposed(pose_rotation(angles_of(pose, plane))) * transposed(given_in) * axes;
  const auto in_patient = [&](Vec3 v) { return frame.medial * v.x + frame.anterior * v.y + frame.proximal * v.z; };
  view.right = in_patient(turned.column[0]);
  view.up = in_patient(turned.column[1]);
  view.towards_source = in_patient(turned.column[2]);
  view.spacing = pixel_spacing(frame, views) / (plane == Plane::ap ? pose.ap_scale : pose.ml_scale);
  return view;
}

namespace {

Projection projection_of(const ViewAxes& view, const Parameters& views) {
  // Of parallel rays only the direction counts; the pixels are placed behind the bone in any case.
  const double distance = view.distance > 0 ? view.distance : 1000;
  const bool parallel = view.distance == 0;
  Projection result;
  result.parallel = parallel;
  result.rows = views.integer("height");
  result.columns = result.rows / 2;
  result.source = view.isocentre + view.towards_source * distance;
  result.direction = -view.towards_source;
  result.column_step = view.right * (view.spacing * (parallel ? 1 : 2));
  result.row_step = -view.up * (view.spacing * (parallel || view.slot ? 1 : 2));
  result.first_pixel = view.isocentre - view.towards_source * distance -
                       result.column_step * ((static_cast<double>(result.columns) - 1) / 2) -
                       result.row_step * ((static_cast<double>(result.rows) - 1) / 2);
  return result;
}

}  // namespace

Projection projection(const BoneFrame& frame, Plane plane, const Pose& pose, const Parameters& views) {
  return projection_of(view_axes(frame, plane, pose, views), views);
}

Projection in_bone_frame(const Projection& projection, const BoneFrame& frame) {
  const auto vector = [&](Vec3 v) {
    return Vec3{dot(v, frame.medial), dot(v, frame.anterior), dot(v, frame.proximal)};
  };
  Projection result = projection;
  result.source = vector(projection.source - frame.origin);
  result.first_pixel = vector(projection.first_pixel - frame.origin);
  result.direction = vector(projection.direction);
  result.row_step = vector(projection.row_step);
  result.column_step = vector(projection.column_step);
  return result;
}

Projection told_projection(Plane plane, double pixel_spacing, const Parameters& views) {
  const Mat3 axes = axes_of(plane);
  ViewAxes view;
  view.right = axes.column[0];
  view.up = axes.column[1];
  view.towards_source = axes.column[2];
  view.slot = is_slot_scan(views);
  if (views.text("geometry") != "parallel") view.distance = source_isocentre(views);
  view.spacing = pixel_spacing;
  return projection_of(view, views);
}

}  // namespace osteon::imaging
