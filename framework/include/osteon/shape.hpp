#pragma once

#include <osteon/mesh.hpp>
#include <osteon/plugin.hpp>
#include <osteon/renderer.hpp>

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace osteon {

/// The two exposures of an X-ray pair, in the coordinates of the bone's own frame. Both have the same size; the pair's
/// image shows AP on the left, ML on the right.
struct PairExposures {
  Projection ap, ml;
};

/// Known bones: a mesh each, X-ray pairs of them and the embeddings of these. Meshes are in the bone's own frame (x
/// medial, y anterior, z proximal, origin at the solid's centroid), both sides alike (right ones mirrored), mm.
struct ShapeGallery {
  std::vector<Mesh> meshes;
  at::Tensor embeddings;                 ///< float32 `[N, d]`
  at::Tensor bone;                       ///< int64 `[N]`: which mesh an embedding belongs to
  at::Tensor images;                     ///< uint8 `[N, H, W]`: the pairs, AP | ML
  std::vector<PairExposures> exposures;  ///< `[N]`, as they were: with pose and scale error
  at::Tensor line_integrals;             ///< float32 `[256]`: what a grey value stands for, as below

  // For a method that tries itself on bones that it knows.
  std::vector<PairExposures> told;   ///< `[N]`, as one would have been told of them: see `ShapeQuery::exposures`
  std::vector<std::int64_t> person;  ///< of each mesh; both sides of a person have the same number
  double scale_error = 0;            ///< as `ShapeQuery::scale_error`
};

/// X-ray pairs of one bone whose shape is asked for.
struct ShapeQuery {
  at::Tensor embeddings;  ///< float32 `[Q, d]`
  at::Tensor images;      ///< uint8 `[Q, H, W]`
  /// `[Q]`, as one is told: the nominal views at the pixel spacing that the image carries. How the bone was really
  /// turned, and by how much it appears larger or smaller, is for the method to find.
  std::vector<PairExposures> exposures;
  at::Tensor line_integrals;  ///< float32 `[256]`: what a grey value stands for, minus the logarithm of the beam's rest
  double scale_error =
      0;  ///< standard deviation of a view's scale, relative, as the radiographs' calibration states it
};

struct ShapePrediction {
  Mesh mesh;                           ///< in the bone's own frame, both sides alike (right ones mirrored)
  std::optional<std::int64_t> chosen;  ///< index of the gallery bone, where the method picks one
  double residual = std::numeric_limits<double>::quiet_NaN();  ///< mm, RMS in the images; NaN where nothing is fitted
  double expected_error = std::numeric_limits<double>::quiet_NaN();  ///< mm, RMS of the surface; NaN: not estimated
  std::vector<PairExposures> exposures;  ///< `[Q]`, as fitted; empty where the method fits none
  /// Surfaces drawn from what the method thinks possible, for intervals; with the triangles of `mesh`. Empty where it
  /// does not say.
  std::vector<Mesh> draws;
};

/// Which 3D shape does an X-ray pair show?
class OSTEON_API Shape : public Plugin {
 public:
  ~Shape() override;

  virtual void fit(const ShapeGallery& gallery) = 0;
  /// One shape for the bone, from all of the query's images together. Several threads ask at once.
  [[nodiscard]] virtual ShapePrediction predict(const ShapeQuery& query) const = 0;
  /// How near the method's model can come to a known surface: what no X-ray can help it beyond. Nothing where the
  /// method has no such bound, or none of its own.
  [[nodiscard]] virtual std::optional<Mesh> ceiling(const Mesh& truth) const;
  /// What was learnt, as arrays with names, for other programs to read. Empty where the method keeps no model.
  [[nodiscard]] virtual std::vector<std::pair<std::string, at::Tensor>> arrays() const;
};

}  // namespace osteon
