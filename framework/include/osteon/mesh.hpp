#pragma once

#include <osteon/geometry.hpp>

#include <ATen/core/Tensor.h>

#include <string>

namespace osteon {

/// A triangle surface in millimetres (patient coordinates, unless a function says that it is in a bone's own frame).
/// Seen from outside, the corners of a triangle run counter-clockwise.
struct OSTEON_API Mesh {
  at::Tensor vertices;   ///< float32 `[N, 3]`, contiguous, CPU
  at::Tensor triangles;  ///< int32 `[M, 3]`, contiguous, CPU: indices into `vertices`

  /// Throws `Error` on wrong types or shapes, on indices outside, and on coordinates that are not finite.
  void check() const;
};

struct Box {
  Vec3 low, high;
  [[nodiscard]] double diagonal() const { return norm(high - low); }
};

OSTEON_API Box bounding_box(const Mesh& mesh);

/// Area of the surface in mm².
OSTEON_API double surface_area(const Mesh& mesh);

/// Signed volume in mm³ (divergence theorem); negative for a closed surface turned inside out.
OSTEON_API double enclosed_volume(const Mesh& mesh);

/// Centroid of the enclosed solid, mm. The surface must be closed.
OSTEON_API Vec3 solid_centroid(const Mesh& mesh);

/// The surface with every vertex mapped; triangles are turned over when the map mirrors, so outside stays outside.
OSTEON_API Mesh transformed(const Mesh& mesh, const Affine& map);

/// Number of edges that do not belong to exactly two triangles running in opposite directions; 0 for a closed,
/// consistently oriented surface.
OSTEON_API std::int64_t open_edges(const Mesh& mesh);

/// Throws `Error`, naming `what`, unless the surface is closed and oriented outwards; the message says which and how to
/// repair it.
OSTEON_API void require_closed(const Mesh& mesh, const std::string& what);

}  // namespace osteon
