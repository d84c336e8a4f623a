#pragma once

#include <osteon/materials.hpp>
#include <osteon/plugin.hpp>
#include <osteon/volume.hpp>

#include <memory>
#include <span>

namespace osteon {

/// One X-ray exposure, all of it in patient coordinates (mm): where the rays start and where each pixel's centre lies.
/// How it came from angles and distances is the framework's business (imaging/views.hpp), not a renderer's.
struct Projection {
  bool parallel = false;
  Vec3 source;       ///< the focal spot; unused when parallel
  Vec3 direction;    ///< unit direction of the beam; unused in perspective
  Vec3 first_pixel;  ///< centre of pixel (row 0, column 0)
  Vec3 row_step;     ///< from a pixel to the one below it
  Vec3 column_step;  ///< from a pixel to the one right of it
  std::int64_t rows = 0, columns = 0;
};

/// A volume made ready for projection.
class OSTEON_API Projector {
 public:
  Projector() = default;
  Projector(const Projector&) = delete;
  Projector& operator=(const Projector&) = delete;
  virtual ~Projector();

  /// Line integrals of the material fractions (`material_fractions`) along each ray, in mm: float32
  /// `[V, kMaterials, rows, columns]`, contiguous, finite, never negative. All projections have the same rows and
  /// columns. Outside the grid there is air: a voxel's value is spread by the renderer's own interpolation, which
  /// falls to 0 at most one voxel beyond the outermost voxel centres. Uses the host's threads itself.
  [[nodiscard]] virtual at::Tensor project(std::span<const Projection> projections) = 0;
};

/// A projector that is differentiable with respect to the volume and to the bone's pose, for fitting.
class OSTEON_API DifferentiableProjector : public Projector {
 public:
  ~DifferentiableProjector() override;

  /// As `project`, with the volume moved before each exposure; source and detector stay. `motions` float `[V, 6]`: a
  /// rotation vector (axis times angle in radians, patient coordinates) about `centre`, then a translation in mm.
  /// Returns `[V, kMaterials, rows, columns]` on `device()`, of the type of `fractions()`, with a graph when `motions`
  /// or `fractions()` require a gradient and gradients are enabled.
  [[nodiscard]] virtual at::Tensor project_moved(std::span<const Projection> projections, const at::Tensor& motions,
                                                 Vec3 centre) = 0;

  /// The material fractions that are projected: a leaf `[kMaterials, K, J, I]` on `device()`. Ask it for a gradient, or
  /// write into it without one, to fit the volume.
  [[nodiscard]] virtual at::Tensor fractions() = 0;
  [[nodiscard]] virtual at::Device device() const = 0;
};

/// Volume + exposures → line integrals.
class OSTEON_API Renderer : public Plugin {
 public:
  ~Renderer() override;

  [[nodiscard]] virtual std::unique_ptr<Projector> prepare(const Volume& volume) const = 0;
  /// Throws `Error` unless the plugin overrides it; a plugin that does says "differentiable" in its summary.
  [[nodiscard]] virtual std::unique_ptr<DifferentiableProjector> prepare_differentiable(const Volume& volume) const;
};

}  // namespace osteon
