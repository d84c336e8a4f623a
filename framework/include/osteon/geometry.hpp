#pragma once

// Points, directions and voxel grids. Right-handed patient coordinates in millimetres: LPS, as DICOM and ITK have it
// (x towards the patient's left, y towards the back, z towards the head). Angles are radians.

#include <osteon/export.hpp>

#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace osteon {

struct Vec3 {
  double x = 0, y = 0, z = 0;

  double& operator[](int axis) { return axis == 0 ? x : axis == 1 ? y : z; }
  double operator[](int axis) const { return axis == 0 ? x : axis == 1 ? y : z; }
  bool operator==(const Vec3&) const = default;
};

inline Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vec3 operator-(Vec3 a) { return {-a.x, -a.y, -a.z}; }
inline Vec3 operator*(Vec3 a, double s) { return {a.x * s, a.y * s, a.z * s}; }
inline Vec3 operator*(double s, Vec3 a) { return a * s; }
inline double dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec3 cross(Vec3 a, Vec3 b) { return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x}; }
inline double norm(Vec3 a) { return std::sqrt(dot(a, a)); }
inline Vec3 normalised(Vec3 a) { return a * (1.0 / norm(a)); }

/// A 3×3 matrix, kept as its columns.
struct Mat3 {
  Vec3 column[3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

  bool operator==(const Mat3&) const = default;
};

inline Vec3 operator*(const Mat3& m, Vec3 v) { return m.column[0] * v.x + m.column[1] * v.y + m.column[2] * v.z; }
inline Mat3 operator*(const Mat3& a, const Mat3& b) { return {{a * b.column[0], a * b.column[1], a * b.column[2]}}; }
inline Mat3 transposed(const Mat3& m) {
  return {{{m.column[0].x, m.column[1].x, m.column[2].x},
           {m.column[0].y, m.column[1].y, m.column[2].y},
           {m.column[0].z, m.column[1].z, m.column[2].z}}};
}
inline double determinant(const Mat3& m) { return dot(m.column[0], cross(m.column[1], m.column[2])); }

/// The rotation by `angle` radians about the unit vector `axis`, counter-clockwise seen against it (Rodrigues).
inline Mat3 rotation(Vec3 axis, double angle) {
  const double c = std::cos(angle), s = std::sin(angle);
  Mat3 result;
  for (int i = 0; i < 3; ++i) {
    Vec3 e{};
    e[i] = 1;
    result.column[i] = e * c + cross(axis, e) * s + axis * (dot(axis, e) * (1 - c));
  }
  return result;
}

/// x ↦ `linear`·x + `offset`.
struct Affine {
  Mat3 linear;
  Vec3 offset;
};

inline Vec3 operator*(const Affine& a, Vec3 v) { return a.linear * v + a.offset; }

inline constexpr double radians(double degrees) { return degrees * std::numbers::pi / 180; }
inline constexpr double degrees(double radians) { return radians * 180 / std::numbers::pi; }

/// Where the voxels of a volume lie. Voxel (i, j, k) has its centre at origin + direction·(i·sx, j·sy, k·sz).
struct OSTEON_API Grid {
  std::array<std::int64_t, 3> size{};  ///< voxels along i, j, k
  Vec3 spacing{1, 1, 1};               ///< mm between voxel centres, each above 0
  Vec3 origin;                         ///< centre of voxel (0, 0, 0), mm
  Mat3 direction;                      ///< columns: unit directions of i, j, k; orthonormal, determinant +1

  [[nodiscard]] Vec3 to_patient(Vec3 index) const;
  [[nodiscard]] Vec3 to_index(Vec3 point) const;
  [[nodiscard]] Vec3 centre() const;

  /// The same grid with its numbers at the precision that DICOM's decimal strings carry (spacing 1e-6 mm, origin
  /// 1e-4 mm, cosines 1e-10, the third direction the cross product of the others). Every source ends with it, so that
  /// a volume written as DICOM and read again has the same grid to the last bit.
  [[nodiscard]] Grid canonical() const;

  /// Throws `Error` when a size or spacing is not positive or the direction is no right-handed rotation (1e-4).
  void check() const;

  bool operator==(const Grid&) const = default;
};

}  // namespace osteon
