#pragma once

#include <osteon/mesh.hpp>
#include <osteon/plugin.hpp>

#include <optional>
#include <vector>

namespace osteon {

/// Known bones: a mesh each, and the embeddings of images of them. Meshes are in the bone's own frame (x medial,
/// y anterior, z proximal, origin at the solid's centroid), both sides alike (right ones mirrored), mm.
struct ShapeGallery {
  std::vector<Mesh> meshes;
  at::Tensor embeddings;  ///< float32 `[N, d]`
  at::Tensor bone;        ///< int64 `[N]`: which mesh an embedding belongs to
};

/// X-ray pairs of one bone whose shape is asked for.
struct ShapeQuery {
  at::Tensor embeddings;  ///< float32 `[Q, d]`
  at::Tensor images;      ///< uint8 `[Q, H, W]`
};

struct ShapePrediction {
  Mesh mesh;                           ///< in the bone's own frame, both sides alike (right ones mirrored)
  std::optional<std::int64_t> chosen;  ///< index of the gallery bone, where the method picks one
};

/// Which 3D shape does an X-ray pair show?
class OSTEON_API Shape : public Plugin {
 public:
  ~Shape() override;

  virtual void fit(const ShapeGallery& gallery) = 0;
  /// One shape for the bone, from all of the query's images together.
  [[nodiscard]] virtual ShapePrediction predict(const ShapeQuery& query) const = 0;
};

}  // namespace osteon
