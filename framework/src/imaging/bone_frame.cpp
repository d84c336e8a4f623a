// The long axis from the second moments of the solid (signed tetrahedra; Mirtich, J. Graphics Tools 1(2), 1996), the
// medial direction from the posterior condyles, starting where area-weighted moments of the distal end point.

#include "imaging/bone_frame.hpp"

#include "imaging/landmarks.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <optional>
#include <span>

namespace osteon::imaging {

namespace {

using Symmetric = std::array<std::array<double, 3>, 3>;

struct Eigen {
  Vec3 values;   ///< in no order
  Mat3 vectors;  ///< columns
};

/// Eigenvalues and vectors of a symmetric matrix by Jacobi's rotations.
Eigen eigen(Symmetric m) {
  Mat3 v;
  for (int sweep = 0; sweep < 50; ++sweep) {
    for (const auto& [p, q] : {std::pair{0, 1}, {0, 2}, {1, 2}}) {
      if (m[p][q] == 0) continue;
      const double theta = (m[q][q] - m[p][p]) / (2 * m[p][q]);
      const double t = (theta >= 0 ? 1 : -1) / (std::abs(theta) + std::sqrt(theta * theta + 1));
      const double c = 1 / std::sqrt(t * t + 1), s = t * c;
      for (auto& row : m) {
        const double a = row[p], b = row[q];
        row[p] = c * a - s * b;
        row[q] = s * a + c * b;
      }
      for (int k = 0; k < 3; ++k) {
        const double a = m[p][k], b = m[q][k];
        m[p][k] = c * a - s * b;
        m[q][k] = s * a + c * b;
      }
      const Vec3 a = v.column[p], b = v.column[q];
      v.column[p] = a * c - b * s;
      v.column[q] = a * s + b * c;
    }
  }
  return {{m[0][0], m[1][1], m[2][2]}, v};
}

/// One triangle after the other, as corners.
void for_each_triangle(const Mesh& mesh, const std::function<void(Vec3, Vec3, Vec3)>& body) {
  const auto* vertex = mesh.vertices.data_ptr<float>();
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  const auto point = [&](std::int64_t i) {
    const float* p = vertex + 3 * static_cast<std::int64_t>(corner[i]);
    return Vec3{p[0], p[1], p[2]};
  };
  for (std::int64_t i = 0; i < mesh.triangles.numel(); i += 3) body(point(i), point(i + 1), point(i + 2));
}

/// Second central moments of the enclosed solid, mm⁵.
Symmetric solid_moments(const Mesh& mesh, Vec3 centroid) {
  Symmetric moments{};
  for_each_triangle(mesh, [&](Vec3 a, Vec3 b, Vec3 c) {
    a = a - centroid, b = b - centroid, c = c - centroid;
    const Vec3 sum = a + b + c;
    const double volume = dot(a, cross(b, c)) / 120;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) moments[i][j] += volume * (a[i] * a[j] + b[i] * b[j] + c[i] * c[j] + sum[i] * sum[j]);
  });
  return moments;
}

/// The part of the surface between two fractions of the bone's length, counted from the end to which `axis` points.
struct Slab {
  Vec3 centroid;
  Symmetric scatter{};
};

struct Extent {
  double low = std::numeric_limits<double>::infinity(), high = -low;
};

Extent extent_along(const Mesh& mesh, Vec3 axis) {
  Extent extent;
  const auto* p = mesh.vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < mesh.vertices.numel(); i += 3) {
    const double t = dot(axis, {p[i], p[i + 1], p[i + 2]});
    extent.low = std::min(extent.low, t);
    extent.high = std::max(extent.high, t);
  }
  return extent;
}

Slab slab(const Mesh& mesh, Vec3 axis, const Extent& extent, double from, double to) {
  const double length = extent.high - extent.low;
  const auto for_each_inside = [&](const std::function<void(const std::array<Vec3, 4>&, double)>& body) {
    for_each_triangle(mesh, [&](Vec3 a, Vec3 b, Vec3 c) {
      const Vec3 centre = (a + b + c) * (1.0 / 3);
      const double depth = (extent.high - dot(axis, centre)) / length;
      if (depth >= from && depth <= to) body({centre, a, b, c}, norm(cross(b - a, c - a)) / 2);
    });
  };
  Slab result;
  double area = 0;
  for_each_inside([&](const std::array<Vec3, 4>& points, double weight) {
    area += weight;
    result.centroid = result.centroid + points[0] * weight;
  });
  if (area == 0) throw Error("the bone's surface has a gap along its length; is it one closed surface?");
  result.centroid = result.centroid * (1 / area);
  // The second moment of a triangle is that of a mass of 3/4 at its centroid and 1/12 at each corner.
  for_each_inside([&](const std::array<Vec3, 4>& points, double weight) {
    for (std::size_t which = 0; which < 4; ++which) {
      const Vec3 d = points[which] - result.centroid;
      const double mass = (which == 0 ? 0.75 : 1.0 / 12) * weight / area;
      for (int i = 0; i < 3; ++i)
        for (int j = 0; j < 3; ++j) result.scatter[i][j] += mass * d[i] * d[j];
    }
  });
  return result;
}

Vec3 without(Vec3 v, Vec3 axis) { return v - axis * dot(v, axis); }

/// Principal second moments of a slab's outline about the long axis.
struct Outline {
  Vec3 widest;       ///< unit, perpendicular to the axis
  double ratio = 1;  ///< of the standard deviations along `widest` and across it
  double width = 0;  ///< standard deviation along `widest`, mm
};

Outline outline(const Slab& slab, Vec3 axis) {
  const Vec3 u = normalised(without(std::abs(axis.x) < 0.7 ? Vec3{1, 0, 0} : Vec3{0, 1, 0}, axis)), v = cross(axis, u);
  const auto moment = [&](Vec3 a, Vec3 b) {
    double sum = 0;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) sum += a[i] * slab.scatter[i][j] * b[j];
    return sum;
  };
  const double uu = moment(u, u), vv = moment(v, v), uv = moment(u, v);
  const double angle = std::atan2(2 * uv, uu - vv) / 2;
  const double mean = (uu + vv) / 2, half_difference = std::hypot((uu - vv) / 2, uv);
  return {u * std::cos(angle) + v * std::sin(angle),
          std::sqrt((mean + half_difference) / std::max(mean - half_difference, 1e-12)),
          std::sqrt(mean + half_difference)};
}

constexpr double kEnd = 0.12;  ///< share of the length that counts as an end: head and trochanters, or condyles

/// Does `axis` point to the proximal end? Head, neck and trochanter make a long outline (1.7 to 2.1 times as long as
/// wide by standard deviations in 21 human femurs), condyles a rounder one (1.2 to 1.4).
bool points_to_head(const Mesh& bone, Vec3 axis, const Extent& extent) {
  return outline(slab(bone, axis, extent, 0, kEnd), axis).ratio >
         outline(slab(bone, axis, extent, 1 - kEnd, 1), axis).ratio;
}

/// The shaft's centre line, from two slabs of the middle.
struct ShaftLine {
  Vec3 point, direction;  ///< the direction has length 1 along the long axis

  /// From the line to `p`, perpendicular to the long axis.
  [[nodiscard]] Vec3 offset(Vec3 p, Vec3 proximal) const {
    return without(p - point - direction * dot(p - point, proximal), proximal);
  }
};

ShaftLine shaft_line(const Mesh& bone, Vec3 proximal, const Extent& extent) {
  const Vec3 upper = slab(bone, proximal, extent, 0.3, 0.4).centroid;
  const Vec3 shaft = upper - slab(bone, proximal, extent, 0.6, 0.7).centroid;
  return {upper, shaft * (1 / dot(shaft, proximal))};
}

Vec3 long_axis(const Mesh& bone, Vec3 centroid) {
  const Eigen principal = eigen(solid_moments(bone, centroid));
  int longest = 0;
  for (int i = 1; i < 3; ++i)
    if (principal.values[i] > principal.values[longest]) longest = i;
  double second = 0;
  for (int i = 0; i < 3; ++i)
    if (i != longest) second = std::max(second, principal.values[i]);
  const double elongation = std::sqrt(principal.values[longest] / std::max(second, 1e-12));
  // A sphere has 1, a box three times as long as wide 3; femurs have 6 and more.
  if (!(elongation > 2.5))
    throw Error(
        text("the surface is no long bone: it is ", elongation,
             " times as long as wide (by its moments), and a femur more than 2.5 times; is it cut off, or does it "
             "hold more than one bone?"));
  return normalised(principal.vectors.column[longest]);
}

/// Everything that is known of one bone while its axes are sought.
struct Search {
  const Mesh& bone;
  Vec3 proximal;
  Extent extent;
  ShaftLine shaft;
  double shaft_width;  ///< standard deviation of the mid-shaft's outline

  [[nodiscard]] double length() const { return extent.high - extent.low; }
};

/// From the shaft's line to the head: the centre of its sphere, or else the middle of the proximal end. Nothing when
/// there is no head.
struct Head {
  std::optional<Sphere> sphere;
  std::optional<Vec3> direction;
};

Head find_head(const Search& search) {
  const Slab top = slab(search.bone, search.proximal, search.extent, 0, 0.1);
  const Vec3 towards = search.shaft.offset(top.centroid, search.proximal);
  Head head;
  std::vector<Vec3> points;
  for (const Vec3& p : points_between(search.bone, search.proximal, 0, 0.2))
    if (dot(search.shaft.offset(p, search.proximal), towards) > 0) points.push_back(p);
  // The head's radius is 1.6 (cats) to 2.5 times (people) the deviation of the shaft's outline, however much of the
  // bone there is.
  head.sphere = fit_sphere(points, 1.2 * search.shaft_width, 3.2 * search.shaft_width);
  if (head.sphere) {
    const Vec3 offset = search.shaft.offset(head.sphere->centre, search.proximal);
    // A rounded cut of the shaft lies on its line.
    if (norm(offset) > search.shaft_width) head.direction = offset;
  }
  if (!head.direction) {
    head.sphere.reset();
    if (norm(towards) > 1.2 * search.shaft_width) head.direction = towards;
  }
  return head;
}

/// The direction in which the condyles are widest, without sign. In humans it is within 40° of the head's direction;
/// where it is further than 60° from it, the condyles are deeper than wide (as in some quadrupeds), and the other
/// principal direction is meant.
Vec3 widest_direction(const Search& search, const Outline& condyles, const Head& head) {
  const Vec3 line = condyles.widest;
  if (head.direction && std::abs(dot(line, *head.direction)) < 0.5 * norm(*head.direction))
    return cross(search.proximal, line);
  return line;
}

/// The direction, perpendicular to `medial`, in which the condyles stand out from the shaft's line: backwards. Nothing
/// when they stand out alike.
std::optional<Vec3> backwards(const Search& search, std::span<const Vec3> distal, Vec3 medial) {
  const Vec3 direction = cross(medial, search.proximal);
  double low = 0, high = 0;
  for (const Vec3& p : distal) {
    const double reach = dot(search.shaft.offset(p, search.proximal), direction);
    low = std::min(low, reach);
    high = std::max(high, reach);
  }
  if (std::abs(high + low) < 0.1 * (high - low)) return std::nullopt;
  return high > -low ? direction : -direction;
}

Side side_of(Vec3 medial, Vec3 anterior, Vec3 proximal) {
  return determinant({{medial, anterior, proximal}}) > 0 ? Side::left : Side::right;
}

/// Medial without a head: towards the body's midline, in patient coordinates.
Vec3 medial_by_patient(Vec3 line, Side side, Vec3 proximal) {
  if (side == Side::unknown || std::abs(proximal.z) < 0.5)
    throw Error(
        "the femoral head is missing, so that nothing tells medial from lateral; name the bone's side and let it lie "
        "along the patient's axis, or use a volume that shows the head");
  return (line.x > 0) == (side == Side::right) ? line : -line;
}

void find_directions(const Search& search, Side side, BoneFrame& frame) {
  const Head head = find_head(search);
  if (head.sphere) {
    frame.hip_centre = head.sphere->centre;
    frame.head_radius = head.sphere->radius;
  }
  const Vec3 proximal = search.proximal;
  const Outline end = outline(slab(search.bone, proximal, search.extent, 1 - kEnd, 1), proximal);
  const bool has_condyles = end.width > 1.5 * search.shaft_width;
  if (!has_condyles && !head.direction)
    throw Error("neither a femoral head nor condyles stand out from the shaft: is the bone cut off at both ends?");
  Vec3 medial = has_condyles ? widest_direction(search, end, head) : normalised(*head.direction);
  if (head.direction) {
    if (dot(medial, *head.direction) < 0) medial = -medial;
  } else {
    medial = medial_by_patient(medial, side, proximal);
  }
  frame.found_by = has_condyles ? "the condyles' width" : "the femoral head alone, for the condyles are missing";
  std::optional<Vec3> back;
  if (has_condyles) {
    const auto distal = points_between(search.bone, proximal, 1 - kEnd, 1);
    back = backwards(search, distal, medial);
    const auto condyles =
        back ? find_condyles(distal, proximal, medial, *back, search.length()) : std::optional<Condyles>();
    if (condyles) {
      medial = condyles->medial;
      frame.knee_centre = condyles->centre;
      frame.found_by = "the posterior condyles";
    }
  }
  if (has_condyles) {
    frame.found_by += head.sphere      ? " and the femoral head's sphere"
                      : head.direction ? " and the side of the proximal end"
                                       : " and the patient's axes, for the femoral head is missing";
  }
  frame.medial = medial;
  frame.anterior = cross(medial, proximal);  // of a right femur: medial +x, proximal +z, anterior -y
  if (back && head.direction)
    frame.side_by_shape = side_of(medial, dot(frame.anterior, *back) < 0 ? frame.anterior : -frame.anterior, proximal);
  frame.side = side != Side::unknown ? side : frame.side_by_shape;
  if (frame.side == Side::unknown) frame.side = frame.anterior.y > 0 ? Side::left : Side::right;
  if (frame.side == Side::left) frame.anterior = -frame.anterior;
}

}  // namespace

BoneFrame find_bone_frame(const Mesh& bone, Side side) {
  bone.check();
  BoneFrame frame;
  frame.origin = solid_centroid(bone);
  Vec3 axis = long_axis(bone, frame.origin);
  const bool by_patient = std::abs(axis.z) > 0.5;
  if (by_patient ? axis.z < 0 : !points_to_head(bone, axis, extent_along(bone, axis))) axis = -axis;
  const Extent extent = extent_along(bone, axis);
  frame.proximal = axis;
  frame.length = extent.high - extent.low;
  const double shaft_width = outline(slab(bone, axis, extent, 0.4, 0.6), axis).width;
  find_directions({bone, axis, extent, shaft_line(bone, axis, extent), shaft_width}, side, frame);
  return frame;
}

Mesh in_bone_frame(const Mesh& bone, const BoneFrame& frame) {
  const Mat3 to_frame = transposed({{frame.medial, frame.anterior, frame.proximal}});
  return transformed(bone, {to_frame, -(to_frame * frame.origin)});
}

}  // namespace osteon::imaging
