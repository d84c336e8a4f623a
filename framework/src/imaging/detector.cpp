#include "imaging/detector.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::imaging {

namespace {

/// A rectangle in an image, in told mm at the isocentre from the image's middle.
struct Rectangle {
  double left, right, low, high;

  /// How far outside the point lies; 0 inside.
  [[nodiscard]] double outside(double x, double y) const {
    return std::hypot(std::max({0.0, left - x, x - right}), std::max({0.0, low - y, y - high}));
  }
};

Rectangle detector(const Parameters& views) {
  constexpr double kWithout = std::numeric_limits<double>::infinity();
  const auto& shift = views.reals("detector_shift");
  const double width = views.real("detector_width"), height = views.real("detector_height");
  const double across = magnification(views), along = is_slot_scan(views) ? 1 : across;
  const auto edge = [&](double size, double centre, double larger, double sign) {
    return size > 0 ? (centre + sign * size / 2) / larger : sign * kWithout;
  };
  return {edge(width, shift[0], across, -1), edge(width, shift[0], across, 1), edge(height, shift[1], along, -1),
          edge(height, shift[1], along, 1)};
}

/// Middles and areas of some 2,000 triangles.
struct Patches {
  std::vector<Vec3> middle;
  std::vector<double> area;
};

Patches patches_of(const Mesh& mesh) {
  const auto* vertex = mesh.vertices.data_ptr<float>();
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  const std::int64_t count = mesh.triangles.size(0), step = std::max<std::int64_t>(1, count / 2000);
  Patches patches;
  for (std::int64_t t = 0; t < count; t += step) {
    Vec3 p[3];
    for (std::int64_t i = 0; i < 3; ++i) {
      const float* v = vertex + 3 * static_cast<std::int64_t>(corner[3 * t + i]);
      p[i] = {v[0], v[1], v[2]};
    }
    patches.middle.push_back((p[0] + p[1] + p[2]) * (1.0 / 3));
    patches.area.push_back(norm(cross(p[1] - p[0], p[2] - p[0])) / 2);
  }
  return patches;
}

/// Share of the bone outside, and how far away its nearest part is.
struct Cut {
  double share = 0, nearest = 0;
};

Cut cut_of(const Patches& bone, const ViewAxes& view, const Rectangle& field, const Rectangle& detector) {
  double area = 0, outside = 0, nearest = std::numeric_limits<double>::infinity();
  const Rectangle true_field{field.left * view.spacing, field.right * view.spacing, field.low * view.spacing,
                             field.high * view.spacing};
  for (std::size_t i = 0; i < bone.middle.size(); ++i) {
    const auto [x, y] = view.shadow(bone.middle[i]);
    const double distance = std::max(true_field.outside(x, y), detector.outside(x, y));
    area += bone.area[i];
    if (distance > 0) outside += bone.area[i];
    nearest = std::min(nearest, distance);
  }
  return {outside / area, nearest};
}

}  // namespace

void cut_to_detector(at::Tensor& pixels, const BoneFrame& frame, const Parameters& views) {
  if (views.real("detector_width") == 0 && views.real("detector_height") == 0) return;
  const Rectangle edge = detector(views);
  const double spacing = pixel_spacing(frame, views);
  const std::int64_t height = pixels.size(1), half = pixels.size(2) / 2;
  // The first and the number of pixels inside, along one direction.
  const auto inside = [&](std::int64_t count, double low, double high) {
    std::int64_t first = count, last = -1;
    for (std::int64_t i = 0; i < count; ++i) {
      const double x = (static_cast<double>(i) - (static_cast<double>(count) - 1) / 2) * spacing;
      if (x < low || x > high) continue;
      first = std::min(first, i);
      last = i;
    }
    return std::pair{first, std::max<std::int64_t>(0, last - first + 1)};
  };
  const auto [first_column, columns] = inside(half, edge.left, edge.right);
  const auto [first_row, rows] = inside(height, -edge.high, -edge.low);
  at::Tensor exposed = at::zeros_like(pixels);
  if (columns > 0 && rows > 0)
    for (const std::int64_t left : {std::int64_t{0}, half}) {
      const auto part = [&, first_row = first_row, rows = rows, first_column = first_column,
                         columns = columns](const at::Tensor& of) {
        return of.narrow(1, first_row, rows).narrow(2, left + first_column, columns);
      };
      part(exposed).copy_(part(pixels));
    }
  pixels = exposed;
}

std::string note_truncation(std::vector<ImageRow>& rows, std::span<const Pose> poses, const Mesh& bone,
                            const BoneFrame& frame, const Parameters& views) {
  const Patches patches = patches_of(bone);
  const auto height = static_cast<double>(views.integer("height"));
  const auto half = static_cast<double>(views.integer("height") / 2);
  const Rectangle field{-half / 2, half / 2, -height / 2, height / 2}, edge = detector(views);
  std::int64_t missed = 0;
  double farthest = 0;
  std::string where;
  std::vector<std::array<double, 2>> share(poses.size());
  for (std::size_t i = 0; i < poses.size(); ++i)
    for (const Plane plane : {Plane::ap, Plane::ml}) {
      const Cut cut = cut_of(patches, view_axes(frame, plane, poses[i], views), field, edge);
      share[i][plane == Plane::ap ? 0 : 1] = cut.share;
      if (cut.share < 1) continue;
      ++missed;
      if (cut.nearest <= farthest) continue;
      farthest = cut.nearest;
      const Angles angles = angles_of(poses[i], plane);
      where = text(plane == Plane::ap ? "AP" : "ML", " at axial ", angles.axial, "°, tilt ", angles.tilt,
                   "°, in-plane ", angles.in_plane, "°");
    }
  for (ImageRow& row : rows) {
    row.ap_cut = share[static_cast<std::size_t>(row.pose)][0];
    row.ml_cut = share[static_cast<std::size_t>(row.pose)][1];
  }
  if (missed == 0) return "";
  return text("the detector misses the bone in ", missed, " of ", 2 * poses.size(), " views, by up to ",
              std::round(farthest * 10) / 10, " mm at the isocentre (", where,
              "); see views.detector_shift, detector_width, detector_height and field_of_view");
}

}  // namespace osteon::imaging
