#include "imaging/views.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <cmath>

namespace osteon::imaging {

namespace {

using Choices = std::vector<std::string>;

/// Share of the image's height that a bone's length fills when each bone is framed by itself. At an in-plane angle of
/// 21° it then still fits the half image.
constexpr double kFramedShare = 0.85;

/// -range, -range + step, … up to range.
std::vector<double> angles(double range, double step) {
  std::vector<double> result;
  for (int i = 0; - range + i * step <= range + 1e-9; ++i) result.push_back(-range + i * step);
  return result;
}

/// The axes of a view without pose, as columns (right, up, towards the source) in (medial, anterior, proximal).
Mat3 view_axes(Plane plane) {
  if (plane == Plane::ap) return {{{1, 0, 0}, {0, 0, 1}, {0, 1, 0}}};
  return {{{0, -1, 0}, {0, 0, 1}, {1, 0, 0}}};
}

/// The rotation of the bone, in coordinates (right, up, towards the source).
Mat3 pose_rotation(const Pose& pose) {
  return rotation({0, 0, 1}, radians(pose.in_plane)) * rotation({1, 0, 0}, radians(pose.tilt)) *
         rotation({0, 1, 0}, radians(pose.axial));
}

}  // namespace

Schema views_schema() {
  return {
      "Poses of the bone and the geometry of the exposures; the grid of angles is the study's (Čavojská et al., 2020).",
      {
          Parameter::real("axial_range", 21, "Rotation about the bone's long axis, from minus this to this.")
              .unit("degrees")
              .at_least(0)
              .at_most(180),
          Parameter::real("axial_step", 3, "Step of the axial angle.").unit("degrees").above(0).at_most(360),
          Parameter::real("in_plane_range", 21, "Rotation about the beam, from minus this to this.")
              .unit("degrees")
              .at_least(0)
              .at_most(180),
          Parameter::real("in_plane_step", 3, "Step of the in-plane angle.").unit("degrees").above(0).at_most(360),
          Parameter::reals("tilts", {0.0}, "Angles of the proximal end towards the source, each with the whole grid.")
              .unit("degrees")
              .at_least(-60)
              .at_most(60)
              .length_at_least(1),
          Parameter::text("pairing", "per_view",
                          "per_view turns the bone alike before the AP and the 90° turned ML exposure (the study's); "
                          "rigid takes both of one pose, from two sources at 90°.")
              .one_of(Choices{"per_view", "rigid"}),
          Parameter::text("geometry", "perspective", "A point source, or parallel rays.")
              .one_of(Choices{"perspective", "parallel"}),
          Parameter::real(
              "source_isocentre", 900,
              "From the point source to the bone's centroid. (The detector's distance changes nothing: pixels "
              "are measured at the isocentre.)")
              .unit("mm")
              .above(0)
              .at_most(100000),
          Parameter::integer("height", 128,
                             "Pixels of an image's height and width; the AP and ML halves are half as wide.")
              .unit("pixels")
              .at_least(16)
              .at_most(4096),
          Parameter::text(
              "scaling", "world",
              "world gives all bones one size of a pixel; framed lets each bone's length fill 85 % of the height.")
              .one_of(Choices{"world", "framed"}),
          Parameter::real("field_of_view", 560,
                          "What the image's height shows at the isocentre when scaling is world; 560 suits human "
                          "femurs, 140 a cat's.")
              .unit("mm")
              .above(0)
              .at_most(2000),
          Parameter::integer("query_poses", 16, "Random poses of each bone's query acquisition.")
              .at_least(1)
              .at_most(100000),
          Parameter::real("query_axial", 21, "Axial angles of queries are drawn from minus this to this.")
              .unit("degrees")
              .at_least(0)
              .at_most(180),
          Parameter::real("query_in_plane", 21, "In-plane angles of queries are drawn from minus this to this.")
              .unit("degrees")
              .at_least(0)
              .at_most(180),
          Parameter::real("query_tilt", 5, "Tilts of queries are drawn from minus this to this.")
              .unit("degrees")
              .at_least(0)
              .at_most(60),
      }};
}

std::vector<Pose> gallery_poses(const Parameters& views) {
  const auto axial = angles(views.real("axial_range"), views.real("axial_step"));
  const auto in_plane = angles(views.real("in_plane_range"), views.real("in_plane_step"));
  std::vector<Pose> poses;
  for (const double a : axial)
    for (const double t : views.reals("tilts"))
      for (const double p : in_plane) poses.push_back({a, t, p});
  return poses;
}

std::vector<Pose> query_poses(const Parameters& views, std::uint64_t seed, std::string_view specimen) {
  const double axial = views.real("query_axial"), tilt = views.real("query_tilt");
  const double in_plane = views.real("query_in_plane");
  Random random(seed, "query poses", std::stoull(sha256(specimen).substr(0, 16), nullptr, 16));
  std::vector<Pose> poses(static_cast<std::size_t>(views.integer("query_poses")));
  for (Pose& pose : poses) {
    pose.axial = random.uniform(-axial, axial);
    pose.tilt = random.uniform(-tilt, tilt);
    pose.in_plane = random.uniform(-in_plane, in_plane);
  }
  return poses;
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

Projection projection(const BoneFrame& frame, Plane plane, const Pose& pose, const Parameters& views) {
  const double distance = views.real("source_isocentre");
  Projection result;
  result.parallel = views.text("geometry") == "parallel";
  if (!result.parallel && distance < 0.6 * frame.length)
    throw Error(text("views.source_isocentre = ", distance, " mm puts the source into or beside a bone of ",
                     std::round(frame.length), " mm; choose at least its length, or views.geometry = \"parallel\""));
  result.rows = views.integer("height");
  result.columns = result.rows / 2;

  // Turning the bone by R is turning the view by R⁻¹. A rigid pair has one R, given in the AP view's axes.
  const Mat3 axes = view_axes(plane);
  const Mat3 given_in = views.text("pairing") == "rigid" ? view_axes(Plane::ap) : axes;
  const Mat3 turned = given_in * transposed(pose_rotation(pose)) * transposed(given_in) * axes;
  const auto in_patient = [&](Vec3 v) { return frame.medial * v.x + frame.anterior * v.y + frame.proximal * v.z; };
  const Vec3 right = in_patient(turned.column[0]), up = in_patient(turned.column[1]);
  const Vec3 towards_source = in_patient(turned.column[2]);

  const double spacing = pixel_spacing(frame, views) * (result.parallel ? 1 : 2);
  result.source = frame.origin + towards_source * distance;
  result.direction = -towards_source;
  result.column_step = right * spacing;
  result.row_step = -up * spacing;
  result.first_pixel = frame.origin - towards_source * distance -
                       result.column_step * ((static_cast<double>(result.columns) - 1) / 2) -
                       result.row_step * ((static_cast<double>(result.rows) - 1) / 2);
  return result;
}

}  // namespace osteon::imaging
