#pragma once

// What a bone's surface draws in an X-ray: not its outline alone. Where rays graze a surface, the thickness along them
// starts or ends with a vertical slope (it goes with the root of the distance), so the far condyle, the lesser
// trochanter, or a head before its socket are edges within the bone and within others. A model of the shape knows where
// its folds lie; across each of them an edge is looked for (Cootes et al., "Active shape models", CVIU 61, 1995).

#include "shape_model/camera.hpp"

#include <ATen/core/Tensor.h>

#include <array>
#include <optional>
#include <vector>

namespace osteon::shape_model {

/// A piece of the curve on a surface where rays graze it, within one triangle.
struct Fold {
  std::array<std::int32_t, 3> vertices{};
  Eigen::Vector3d weights;        ///< of the vertices in the piece's middle
  Eigen::Vector2d place, normal;  ///< in the image; towards where the solid ends
  double length = 0;              ///< mm, in the image
};

/// `points` and `normals` in the view's axes.
[[nodiscard]] std::vector<Fold> folds_of(const Points& points, const Points& normals, const Connections& connections,
                                         const Camera& camera);

/// An X-ray's slopes, to be asked for edges.
class Edges {
 public:
  Edges() = default;
  /// `picture` float32 `[H, W]` of line integrals. `near`: nothing will be asked for from afar (7 mm), nor placed,
  /// which spares most of the work.
  Edges(const at::Tensor& picture, const Camera& camera, bool near = false);

  /// How far from a place along `normal` the line integral falls most steeply, mm, from −reach to reach; what lies
  /// near is preferred. Nothing where it does not fall. From afar blurred edges are looked for, which are the large
  /// ones.
  [[nodiscard]] std::optional<double> find(const Eigen::Vector2d& place, const Eigen::Vector2d& normal,
                                           double reach) const;

  struct Placed {
    Eigen::Vector2d shift = Eigen::Vector2d::Zero();  ///< mm
    double agreement = -1;                            ///< 1 where every fold lies on a steep slope of its direction
  };
  /// Where folds, shifted in the image by up to `furthest` mm, agree best with the slopes: to about 5 mm, over all
  /// shifts at once by correlation (a generalised Hough transform).
  [[nodiscard]] Placed place(const std::vector<Fold>& folds, double furthest) const;

 private:
  void add_coarse_directions();

  std::vector<at::Tensor> slopes_;  ///< of each blur: float32 `[2, H, W]`, mm⁻¹, to the right and up
  double pixel_ = 1, column_ = 0, row_ = 0;
  at::Tensor directions_;  ///< of slopes, on a coarse grid: float32 `[2, ⌈H / pool⌉, ⌈W / pool⌉]`
  std::int64_t pool_ = 1;
};

/// How edges lie beside a template's folds, and how far they may be trusted, as X-rays of known bones show at each
/// vertex. The steepest place is not where rays graze: a blurred √ rises later; and a sharp fold is a faint edge.
struct EdgeOffsets {
  Eigen::VectorXd mean, deviation;  ///< mm, along a fold's normal

  [[nodiscard]] bool known() const { return mean.size() > 0; }
};

class EdgeStatistics {
 public:
  explicit EdgeStatistics(Eigen::Index vertices);
  /// An X-ray of a bone whose place in the view is known.
  void add(const Edges& edges, const Camera& camera, const Points& points, const Connections& connections);
  /// A vertex that was seldom a fold's is taken to be like all.
  [[nodiscard]] EdgeOffsets offsets() const;

 private:
  Eigen::ArrayXd length_, sum_, squares_;
};

}  // namespace osteon::shape_model
