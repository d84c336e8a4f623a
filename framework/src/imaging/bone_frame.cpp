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
  const auto for_each_inside = [&](const std::function<void(Vec3, double)>& body) {
    for_each_triangle(mesh, [&](Vec3 a, Vec3 b, Vec3 c) {
      const Vec3 centre = (a + b + c) * (1.0 / 3);
      const double depth = (extent.high - dot(axis, centre)) / length;
      if (depth >= from && depth <= to) body(centre, norm(cross(b - a, c - a)) / 2);
    });
  };
  Slab result;
  double area = 0;
  for_each_inside([&](Vec3 centre, double weight) {
    area += weight;
    result.centroid = result.centroid + centre * weight;
  });
  if (area == 0) throw Error("the bone's surface has a gap along its length; is it one closed surface?");
  result.centroid = result.centroid * (1 / area);
  for_each_inside([&](Vec3 centre, double weight) {
    const Vec3 d = centre - result.centroid;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) result.scatter[i][j] += weight / area * d[i] * d[j];
  });
  return result;
}

Vec3 without(Vec3 v, Vec3 axis) { return v - axis * dot(v, axis); }

/// How far the end to which `axis` points hangs over to one side of the shaft, mm: much for the head, little for
/// condyles.
Vec3 overhang(const Mesh& bone, Vec3 axis, const Extent& extent) {
  return without(slab(bone, axis, extent, 0, 0.10).centroid - slab(bone, axis, extent, 0.40, 0.60).centroid, axis);
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

/// The perpendicular direction in which the condyles are widest. Where their depth comes near their width, the head
/// tells which of the two principal directions is meant.
Vec3 condylar_line(const Mesh& bone, Vec3 proximal, const Extent& extent, Vec3 towards_head) {
  const Slab distal = slab(bone, proximal, extent, 0.88, 1.0);
  const Vec3 u = normalised(towards_head), v = cross(proximal, u);
  const auto second_moment = [&](Vec3 a, Vec3 b) {
    double sum = 0;
    for (int i = 0; i < 3; ++i)
      for (int j = 0; j < 3; ++j) sum += a[i] * distal.scatter[i][j] * b[j];
    return sum;
  };
  // The principal directions of the 2×2 scatter lie at `angle` and 90° from it, measured from the head's direction.
  const double angle = std::atan2(2 * second_moment(u, v), second_moment(u, u) - second_moment(v, v)) / 2;
  const Vec3 widest = u * std::cos(angle) + v * std::sin(angle);
  const Vec3 other = cross(proximal, widest);
  const Vec3 line = std::abs(dot(widest, u)) >= std::abs(dot(other, u)) ? widest : other;
  return dot(line, u) >= 0 ? line : -line;
}

}  // namespace

BoneFrame find_bone_frame(const Mesh& bone, Side side) {
  bone.check();
  BoneFrame frame;
  frame.origin = solid_centroid(bone);
  Vec3 axis = long_axis(bone, frame.origin);
  const Extent extent = extent_along(bone, axis);
  const bool by_patient = std::abs(axis.z) > 0.5;
  if (by_patient ? axis.z < 0
                 : norm(overhang(bone, axis, extent)) < norm(overhang(bone, -axis, {-extent.high, -extent.low})))
    axis = -axis;
  frame.proximal = axis;
  const Extent along = extent_along(bone, axis);
  frame.length = along.high - along.low;
  frame.medial = condylar_line(bone, axis, along, overhang(bone, axis, along));
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
