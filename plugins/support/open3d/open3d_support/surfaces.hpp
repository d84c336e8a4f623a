#pragma once

// How far two surfaces lie apart, how one is laid onto the other, and what several have in common.

#include "open3d_support/closest_points.hpp"

#include <osteon/mesh.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace osteon::open3d_support {

/// `count` points spread evenly over the area of a surface: the surface is laid out triangle after triangle, cut into
/// `count` strips of equal area, and one point is drawn in each. The same seed and index give the same points.
std::vector<Vec3> sample_surface(const Mesh& mesh, std::int64_t count, std::uint64_t seed, std::uint64_t index = 0);

/// SHA-256 of vertices and triangles: the name of a mesh in `memoised`.
std::string digest_of(const Mesh& mesh);

/// Distances in mm from points of one surface to the triangles of the other.
struct DirectedDistance {
  double rms = 0, mean = 0;
  double percentile_95 = 0;  ///< that 95 % of the points do not exceed
  double max = 0;            ///< over the samples, if there are any, and the vertices
};

struct SurfaceDistance {
  DirectedDistance a_to_b, b_to_a;
  double rms = 0;        ///< root of the mean of both directed mean squares
  double mean = 0;       ///< mean of both directed means, the average symmetric distance (ASD)
  double hd95 = 0;       ///< the larger of both directed 95th percentiles
  double hausdorff = 0;  ///< the larger of both directed maxima
};

/// `samples` points each way. Throws `Error` for unsound meshes or fewer than one sample.
SurfaceDistance surface_distance(const Mesh& a, const Mesh& b, std::int64_t samples = 100'000, std::uint64_t seed = 0);

/// The same with surfaces made ready before, `b` moved by `b_to_a` first: a rotation, a translation and one scale. All
/// distances are mm where `a` lies.
SurfaceDistance surface_distance(const ClosestPoints& a, const ClosestPoints& b, const Affine& b_to_a,
                                 std::int64_t samples, std::uint64_t seed);

/// The same from the vertices of either surface, each counting alike whatever area it stands for, as mesh programs have
/// it that "sample vertices". Vertices that no triangle uses count too.
SurfaceDistance vertex_surface_distance(const ClosestPoints& a, const ClosestPoints& b, const Affine& b_to_a);

/// float32 `[N]`: mm from each vertex of `from` to the surface `to`.
at::Tensor vertex_distances(const Mesh& from, const Mesh& to);
at::Tensor vertex_distances(const Mesh& from, const ClosestPoints& to);

/// The rotation and translation (never a reflection) that lays `moving` onto `fixed` with the least symmetric RMS
/// distance. Starts: where it stands, and the four right-handed ways to lay principal axes onto principal axes together
/// with quarter turns about the longest one; the most promising are refined by Levenberg–Marquardt steps on closest
/// points of both directions (the symmetric form of iterative closest points; Besl & McKay 1992, Chen & Medioni 1992).
/// Nothing is trimmed. Deterministic.
Affine align_rigid(const Mesh& moving, const Mesh& fixed);
Affine align_rigid(const ClosestPoints& moving, const ClosestPoints& fixed);

/// The rotation, translation and scale (never a reflection) that lays `moving` onto `fixed` with the least symmetric
/// RMS distance, in mm of `fixed`: the rigid alignment of a copy that spreads as widely about its centre, then the same
/// steps with the scale free.
Affine align_similarity(const ClosestPoints& moving, const ClosestPoints& fixed);

/// How many times longer a similarity makes what it maps.
double scale_of(const Affine& similarity);

/// Improves `start` to the affine map that lays `moving` onto `fixed` with the least symmetric RMS distance, by the
/// same steps.
Affine align_affine(const ClosestPoints& moving, const ClosestPoints& fixed, const Affine& start);

/// At most so many triangles, by quadric error metrics (Garland & Heckbert, SIGGRAPH 1997).
Mesh simplified(const Mesh& mesh, std::int64_t triangles);

/// The bone of median bounding box, a template for all.
const Mesh& of_median_size(std::span<const Mesh> meshes);

/// The inverse of a rotation with a translation.
Affine inverse_rigid(const Affine& map);

/// Mean surface of bones without known correspondence, an approximation: the bone of median length is the template; it
/// is brought onto every bone by a rigid map, then an affine one, then by the smoothed displacement to the closest
/// points (three passes of Laplacian smoothing of the displacement field); the correspondents, taken back into the
/// template's frame by the inverse of the rigid map, are averaged; a second round starts from that mean. The result has
/// the template's triangles. Throws `Error` when there is no mesh.
Mesh mean_shape(std::span<const Mesh> meshes);

}  // namespace osteon::open3d_support
