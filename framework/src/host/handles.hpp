#pragma once

// The host's side of each call into a plugin: adds "kind/name" to whatever is thrown, and checks shapes, types and
// finiteness where that is cheap.

#include "host/registry.hpp"

#include <osteon/backbone.hpp>
#include <osteon/classifier.hpp>
#include <osteon/format.hpp>
#include <osteon/loss.hpp>
#include <osteon/metric.hpp>
#include <osteon/renderer.hpp>
#include <osteon/reporter.hpp>
#include <osteon/shape.hpp>
#include <osteon/source.hpp>
#include <osteon/surface.hpp>

#include <functional>

namespace osteon::host {

/// Makes a plugin object and keeps what the cache keys need to know of it.
class Handle {
 public:
  Handle(const LoadedPlugin& plugin, Parameters parameters);
  Handle(Handle&&) = default;
  virtual ~Handle() = default;

  [[nodiscard]] std::string id() const { return plugin_->id(); }
  [[nodiscard]] std::string name() const { return plugin_->descriptor->name; }
  [[nodiscard]] const LoadedPlugin& plugin() const { return *plugin_; }
  [[nodiscard]] const Parameters& parameters() const { return parameters_; }

  /// "renderer.plugin", "renderer.build" and one entry a parameter that is part of a key.
  [[nodiscard]] std::map<std::string, std::string> ingredients() const;

 protected:
  /// Runs `body`; an `Error` or `std::exception` that leaves it says which plugin it came from.
  void guard(const std::function<void()>& body) const;

  template <class Kind>
  Kind& as() const;

 private:
  const LoadedPlugin* plugin_;
  Parameters parameters_;
  std::unique_ptr<Plugin> object_;
};

class SourceHandle : public Handle {
 public:
  using Handle::Handle;
  void keep_secret(const std::string& salt) const;
  [[nodiscard]] std::vector<SpecimenInfo> specimens() const;  ///< ids are unique, subjects not empty
  [[nodiscard]] std::vector<std::string> notices() const;
  [[nodiscard]] std::string content_digest(const SpecimenInfo& specimen, int acquisition) const;
  [[nodiscard]] Acquisition acquire(const SpecimenInfo& specimen, int acquisition) const;
};

class FormatHandle : public Handle {
 public:
  using Handle::Handle;
  [[nodiscard]] std::vector<std::string> endings() const;
  [[nodiscard]] Radiograph read_radiograph(const std::filesystem::path& path) const;
  [[nodiscard]] Volume read_volume(const std::filesystem::path& path) const;
  [[nodiscard]] Mesh read_mesh(const std::filesystem::path& path) const;
  void write_volume(const Volume& volume, const VolumeLabel& label, const std::filesystem::path& path) const;
  void write_mesh(const Mesh& mesh, const std::filesystem::path& path) const;
};

class SurfaceHandle : public Handle {
 public:
  using Handle::Handle;
  /// Closed and outward, or an `Error`.
  [[nodiscard]] Mesh extract(const Volume& volume, const at::Tensor& bone_mask = {}) const;
};

class RendererHandle : public Handle {
 public:
  using Handle::Handle;
  /// A volume made ready by the plugin. Valid while the handle is.
  class BoundProjector {
   public:
    BoundProjector(const RendererHandle& renderer, std::unique_ptr<Projector> projector)
        : renderer_(&renderer), projector_(std::move(projector)) {}
    [[nodiscard]] at::Tensor project(std::span<const Projection> projections) const;

   private:
    const RendererHandle* renderer_;
    std::unique_ptr<Projector> projector_;
  };
  [[nodiscard]] BoundProjector prepare(const Volume& volume) const;

  /// The same with gradients; the arguments and results are those of `DifferentiableProjector`.
  class BoundDifferentiableProjector {
   public:
    BoundDifferentiableProjector(const RendererHandle& renderer, std::unique_ptr<DifferentiableProjector> projector)
        : renderer_(&renderer), projector_(std::move(projector)) {}
    [[nodiscard]] at::Tensor project(std::span<const Projection> projections) const;
    /// `motions` must be finite, floating, `[V, 6]`.
    [[nodiscard]] at::Tensor project_moved(std::span<const Projection> projections, const at::Tensor& motions,
                                           Vec3 centre) const;
    [[nodiscard]] at::Tensor fractions() const;
    [[nodiscard]] at::Device device() const { return projector_->device(); }

   private:
    const RendererHandle* renderer_;
    std::unique_ptr<DifferentiableProjector> projector_;
  };
  [[nodiscard]] BoundDifferentiableProjector prepare_differentiable(const Volume& volume) const;

 private:
  [[nodiscard]] at::Tensor project(Projector& projector, std::span<const Projection> projections) const;
};

class BackboneHandle : public Handle {
 public:
  using Handle::Handle;
  [[nodiscard]] std::shared_ptr<Network> make(std::int64_t channels, std::int64_t height, std::int64_t width) const;
};

class LossHandle : public Handle {
 public:
  using Handle::Handle;
  void prepare(std::int64_t classes, std::int64_t embedding_size) const;
  /// Checks that the value is a scalar with a graph; finiteness is the trainer's to check.
  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& labels, const Tuples& tuples) const;
  [[nodiscard]] bool uses_tuples() const;
  /// `[N, classes]`, or undefined.
  [[nodiscard]] at::Tensor class_scores(const at::Tensor& embeddings) const;
  [[nodiscard]] std::map<std::string, at::Tensor> state() const;
  [[nodiscard]] double margin() const;
};

class ClassifierHandle : public Handle {
 public:
  using Handle::Handle;
  void fit(const at::Tensor& embeddings, const at::Tensor& labels) const;
  [[nodiscard]] Prediction predict(const at::Tensor& queries) const;
};

class ShapeHandle : public Handle {
 public:
  using Handle::Handle;
  void fit(const ShapeGallery& gallery) const;
  [[nodiscard]] ShapePrediction predict(const ShapeQuery& query) const;
  [[nodiscard]] std::optional<Mesh> ceiling(const Mesh& truth) const;
  [[nodiscard]] std::vector<std::pair<std::string, at::Tensor>> arrays() const;
};

class MetricHandle : public Handle {
 public:
  using Handle::Handle;
  [[nodiscard]] std::set<Need> needs() const;
  /// Hands over a view of `contents` that allows what the metric declared and nothing else.
  [[nodiscard]] MetricResult evaluate(const Evidence::Contents& contents) const;
};

class ReporterHandle : public Handle {
 public:
  using Handle::Handle;
  void report(const Event& event) const;
};

}  // namespace osteon::host
