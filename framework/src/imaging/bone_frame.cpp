// The long axis from the second moments of the solid (signed tetrahedra; Mirtich, J. Graphics Tools 1(2), 1996), the
// medial direction from area-weighted moments of the surface of the distal end.

#include "imaging/bone_frame.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>

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
          std::sqrt((mean + half_difference) / std::max(mean - half_difference, 1e-12))};
}

constexpr double kEnd = 0.12;  ///< share of the length that counts as an end: head and trochanters, or condyles

/// Does `axis` point to the proximal end? Head, neck and trochanter make a long outline (1.7 to 2.1 times as long as
/// wide by standard deviations in 21 human femurs), condyles a rounder one (1.2 to 1.4).
bool points_to_head(const Mesh& bone, Vec3 axis, const Extent& extent) {
  return outline(slab(bone, axis, extent, 0, kEnd), axis).ratio >
         outline(slab(bone, axis, extent, 1 - kEnd, 1), axis).ratio;
}

/// From the shaft's centre line, extended, to the middle of the proximal end: roughly towards the head.
Vec3 towards_head(const Mesh& bone, Vec3 proximal, const Extent& extent) {
  const Vec3 upper = slab(bone, proximal, extent, 0.3, 0.4).centroid;
  const Vec3 shaft = upper - slab(bone, proximal, extent, 0.6, 0.7).centroid;
  const Vec3 end = slab(bone, proximal, extent, 0, 0.1).centroid - upper;
  return without(end - shaft * (dot(end, proximal) / dot(shaft, proximal)), proximal);
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

/// The perpendicular direction in which the condyles are widest, on the head's side. In humans it is within 40° of the
/// head's direction; where it is further than 60° from it, the condyles are deeper than wide (as in some quadrupeds),
/// and the other principal direction is meant.
Vec3 medial_direction(const Mesh& bone, Vec3 proximal, const Extent& extent) {
  const Vec3 head = towards_head(bone, proximal, extent);
  Vec3 line = outline(slab(bone, proximal, extent, 1 - kEnd, 1), proximal).widest;
  if (std::abs(dot(line, head)) < 0.5 * norm(head)) line = cross(proximal, line);
  return dot(line, head) >= 0 ? line : -line;
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
  frame.medial = medial_direction(bone, axis, extent);
  // A right femur in LPS: medial +x, proximal +z, anterior -y = medial × proximal.
  frame.anterior = cross(frame.medial, frame.proximal);
  if (side == Side::left || (side == Side::unknown && frame.anterior.y > 0)) frame.anterior = -frame.anterior;
  return frame;
}

Mesh in_bone_frame(const Mesh& bone, const BoneFrame& frame) {
  const Mat3 to_frame = transposed({{frame.medial, frame.anterior, frame.proximal}});
  return transformed(bone, {to_frame, -(to_frame * frame.origin)});
}

}  // namespace osteon::imaging
