// The poses of an acquisition: the study's grid, or drawn ones, with the errors of position that clinical pairs have.

#include "imaging/views.hpp"

#include <osteon/digest.hpp>
#include <osteon/random.hpp>

#include <algorithm>

namespace osteon::imaging {

namespace {

/// -range, -range + step, … up to range.
std::vector<double> angles(double range, double step) {
  std::vector<double> result;
  for (int i = 0; - range + i * step <= range + 1e-9; ++i) result.push_back(-range + i * step);
  return result;
}

std::vector<Pose> grid(const Parameters& views) {
  const auto axial = angles(views.real("axial_range"), views.real("axial_step"));
  const auto in_plane = angles(views.real("in_plane_range"), views.real("in_plane_step"));
  std::vector<Pose> poses;
  for (const double a : axial)
    for (const double t : views.reals("tilts"))
      for (const double p : in_plane) poses.push_back({a, t, p});
  return poses;
}

std::uint64_t stream_of(std::string_view specimen) { return std::stoull(sha256(specimen).substr(0, 16), nullptr, 16); }

std::vector<Pose> drawn(const Parameters& views, double tilt, std::int64_t count, Random random) {
  const double axial = views.real("drawn_axial");
  const double in_plane = views.real("drawn_in_plane");
  const bool each_view = views.text("drawn") == "view";
  std::vector<Pose> poses(static_cast<std::size_t>(count));
  for (Pose& pose : poses) {
    pose.axial = random.uniform(-axial, axial);
    pose.tilt = random.uniform(-tilt, tilt);
    pose.in_plane = random.uniform(-in_plane, in_plane);
    // Drawn in any case, so that AP has the same angles either way.
    const double ml_tilt = random.uniform(-tilt, tilt), ml_in_plane = random.uniform(-in_plane, in_plane);
    if (!each_view) continue;
    pose.ml_tilt_more = ml_tilt - pose.tilt;
    pose.ml_in_plane_more = ml_in_plane - pose.in_plane;
  }
  return poses;
}

/// What a radiographer doesn't control: the angle between AP and ML, and the scale of each image.
void disturb(std::vector<Pose>& poses, const Parameters& views, Random random) {
  const double spread = views.real("ap_ml_spread"), deviation = views.real("scale_error") / 100;
  const double shorter = views.real("ap_shorter") / 100;
  const auto scale = [&] { return 1 + deviation * std::clamp(random.normal(), -3.0, 3.0); };
  for (Pose& pose : poses) {
    pose.ml_axial_more = random.uniform(-spread, spread);
    pose.ap_scale = (1 - shorter) * scale();
    pose.ml_scale = scale();
  }
}

std::vector<Pose> poses_of(const Parameters& views, bool from_grid, double tilt, std::int64_t count, bool disturbed,
                           const std::string& purpose, std::uint64_t seed, std::string_view specimen) {
  const std::uint64_t stream = stream_of(specimen);
  auto poses = from_grid ? grid(views) : drawn(views, tilt, count, Random(seed, purpose, stream));
  if (disturbed) disturb(poses, views, Random(seed, purpose + ": errors", stream));
  return poses;
}

}  // namespace

Pose pose_of(const ImageRow& row) {
  return {row.axial,
          row.tilt,
          row.in_plane,
          row.ml_axial - row.axial,
          row.ml_tilt - row.tilt,
          row.ml_in_plane - row.in_plane,
          row.ap_scale,
          row.ml_scale};
}

Angles angles_of(const Pose& pose, Plane plane) {
  if (plane == Plane::ap) return {pose.axial, pose.tilt, pose.in_plane};
  return {pose.axial + pose.ml_axial_more, pose.tilt + pose.ml_tilt_more, pose.in_plane + pose.ml_in_plane_more};
}

std::vector<Pose> gallery_poses(const Parameters& views, std::uint64_t seed, std::string_view specimen) {
  return poses_of(views, views.text("gallery") == "grid", views.real("gallery_tilt"), views.integer("gallery_poses"),
                  views.text("errors_in") == "all", "gallery poses", seed, specimen);
}

std::vector<Pose> query_poses(const Parameters& views, std::uint64_t seed, std::string_view specimen) {
  return poses_of(views, views.text("queries") == "grid", views.real("drawn_tilt"), views.integer("query_poses"), true,
                  "query poses", seed, specimen);
}

}  // namespace osteon::imaging
