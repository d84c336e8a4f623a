#include "host/handles.hpp"

#include "host/crash_guard.hpp"
#include "host/stop.hpp"

#include <ATen/Functions.h>

#include <cmath>
#include <set>

namespace osteon::host {

namespace {

void require(bool holds, const std::string& what) {
  if (!holds) throw failure(what);
}

bool finite(const at::Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

/// The shape of the line integrals of some exposures.
std::vector<std::int64_t> shape_of(std::span<const Projection> projections) {
  require(!projections.empty(), "no exposure was asked for");
  const Projection& first = projections.front();
  for (const Projection& p : projections)
    require(p.rows == first.rows && p.columns == first.columns, "all exposures must have the same rows and columns");
  return {static_cast<std::int64_t>(projections.size()), kMaterials, first.rows, first.columns};
}

/// A label map of a volume, or none.
void require_mask_of(const Volume& volume, const at::Tensor& mask) {
  require(!mask.defined() || (mask.scalar_type() == at::kByte && mask.sizes() == volume.hounsfield.sizes() &&
                              mask.is_contiguous() && mask.device().is_cpu()),
          "the bone mask must be a uint8 CPU tensor of the volume's shape");
}

void require_sound(const Radiograph& radiograph) {
  const at::Tensor& pixels = radiograph.intensity;
  require(pixels.defined() && pixels.dim() == 2 && pixels.numel() > 0 && pixels.scalar_type() == at::kFloat &&
              pixels.is_contiguous() && pixels.device().is_cpu(),
          "a radiograph must be a contiguous float32 CPU tensor [H, W]");
  require(finite(pixels), "a radiograph's pixels are not finite");
  require(radiograph.pixel_spacing >= 0 && std::isfinite(radiograph.pixel_spacing),
          "a radiograph's spacing must be 0 or above");
}

}  // namespace

Handle::Handle(const LoadedPlugin& plugin, Parameters parameters)
    : plugin_(&plugin), parameters_(std::move(parameters)) {
  guard([this] { object_ = plugin_->descriptor->create(parameters_); });
  if (!object_) throw failure(id() + ": the plugin made no object");
}

std::map<std::string, std::string> Handle::ingredients() const {
  const std::string kind = plugin_->descriptor->kind;
  std::map<std::string, std::string> parts{{kind + ".plugin", name()}, {kind + ".build", plugin_->build_id}};
  for (const auto& [parameter, value] : parameters_.canonical()) parts[kind + "." + parameter] = value;
  return parts;
}

void Handle::guard(const std::function<void()>& body) const {
  const PluginCall call(plugin_->descriptor->kind, plugin_->descriptor->name);
  try {
    body();
  } catch (const Error& e) {
    throw e.within(id());
  } catch (const c10::Error& e) {
    throw failure(text(id(), ": LibTorch: ", e.what_without_backtrace()));
  } catch (const std::bad_alloc&) {
    throw failure(id() + ": out of memory");
  } catch (const std::exception& e) {
    throw failure(text(id(), ": ", e.what()));
  }
}

template <class Kind>
Kind& Handle::as() const {
  auto* object = dynamic_cast<Kind*>(object_.get());
  if (object == nullptr) throw failure("the plugin's class does not implement the interface of its kind");
  return *object;
}

void SourceHandle::keep_secret(const std::string& salt) const {
  guard([&] { as<Source>().keep_secret(salt); });
}

std::vector<SpecimenInfo> SourceHandle::specimens() const {
  std::vector<SpecimenInfo> list;
  guard([&] {
    list = as<Source>().specimens();
    require(!list.empty(), "the source has no specimen");
    std::set<std::string> ids;
    for (const SpecimenInfo& specimen : list) {
      require(ids.insert(specimen.id).second, "two specimens are called \"" + specimen.id + "\"");
      require(!specimen.subject.empty(), "specimen \"" + specimen.id + "\" has no subject");
      require(specimen.acquisitions > 0, "specimen \"" + specimen.id + "\" has no acquisition");
    }
  });
  return list;
}

std::vector<std::string> SourceHandle::notices() const {
  std::vector<std::string> notices;
  guard([&] { notices = as<Source>().notices(); });
  return notices;
}

std::string SourceHandle::content_digest(const SpecimenInfo& specimen, int acquisition) const {
  std::string digest;
  guard([&] { digest = as<Source>().content_digest(specimen, acquisition); });
  return digest;
}

Acquisition SourceHandle::acquire(const SpecimenInfo& specimen, int acquisition) const {
  Acquisition result;
  guard([&] {
    result = as<Source>().acquire(specimen, acquisition);
    if (result.radiographs) {
      require(!result.volume.hounsfield.defined() && !result.truth && !result.bone_mask.defined(),
              "an acquisition is a volume or a pair of radiographs, not both");
      require_sound(result.radiographs->ap);
      require_sound(result.radiographs->ml);
      return;
    }
    result.volume.check();
    require(result.volume.grid == result.volume.grid.canonical(), "the volume's grid is not canonical");
    if (result.truth) result.truth->check();
    require_mask_of(result.volume, result.bone_mask);
  });
  return result;
}

std::vector<std::string> FormatHandle::endings() const {
  std::vector<std::string> endings;
  guard([&] { endings = as<Format>().endings(); });
  return endings;
}

Radiograph FormatHandle::read_radiograph(const std::filesystem::path& path) const {
  Radiograph radiograph;
  guard([&] {
    radiograph = as<Format>().read_radiograph(path);
    require_sound(radiograph);
  });
  return radiograph;
}

Volume FormatHandle::read_volume(const std::filesystem::path& path) const {
  Volume volume;
  guard([&] {
    volume = as<Format>().read_volume(path);
    volume.check();
  });
  return volume;
}

Mesh FormatHandle::read_mesh(const std::filesystem::path& path) const {
  Mesh mesh;
  guard([&] {
    mesh = as<Format>().read_mesh(path);
    mesh.check();
  });
  return mesh;
}

void FormatHandle::write_volume(const Volume& volume, const VolumeLabel& label,
                                const std::filesystem::path& path) const {
  guard([&] {
    volume.check();
    as<Format>().write_volume(volume, label, path);
  });
}

void FormatHandle::write_mesh(const Mesh& mesh, const std::filesystem::path& path) const {
  guard([&] {
    mesh.check();
    as<Format>().write_mesh(mesh, path);
  });
}

Mesh SurfaceHandle::extract(const Volume& volume, const at::Tensor& bone_mask) const {
  Mesh mesh;
  guard([&] {
    require_mask_of(volume, bone_mask);
    mesh = as<Surface>().extract(volume, bone_mask);
    require_closed(mesh, "the extracted surface");
  });
  return mesh;
}

RendererHandle::BoundProjector RendererHandle::prepare(const Volume& volume) const {
  std::unique_ptr<Projector> projector;
  guard([&] {
    projector = as<Renderer>().prepare(volume);
    require(projector != nullptr, "the renderer made no projector");
  });
  return {*this, std::move(projector)};
}

RendererHandle::BoundDifferentiableProjector RendererHandle::prepare_differentiable(const Volume& volume) const {
  std::unique_ptr<DifferentiableProjector> projector;
  guard([&] {
    projector = as<Renderer>().prepare_differentiable(volume);
    require(projector != nullptr, "the renderer made no projector");
  });
  return {*this, std::move(projector)};
}

at::Tensor RendererHandle::project(Projector& projector, std::span<const Projection> projections) const {
  at::Tensor integrals;
  guard([&] {
    const auto shape = shape_of(projections);
    integrals = projector.project(projections);
    require(integrals.sizes() == at::IntArrayRef(shape) && integrals.scalar_type() == at::kFloat,
            "line integrals must be float32 [views, materials, rows, columns]");
    require(finite(integrals), "line integrals are not finite");
  });
  return integrals;
}

at::Tensor RendererHandle::BoundProjector::project(std::span<const Projection> projections) const {
  return renderer_->project(*projector_, projections);
}

at::Tensor RendererHandle::BoundDifferentiableProjector::project(std::span<const Projection> projections) const {
  return renderer_->project(*projector_, projections);
}

at::Tensor RendererHandle::BoundDifferentiableProjector::project_moved(std::span<const Projection> projections,
                                                                       const at::Tensor& motions, Vec3 centre) const {
  at::Tensor integrals;
  renderer_->guard([&] {
    const auto shape = shape_of(projections);
    require(motions.dim() == 2 && motions.size(0) == shape.front() && motions.size(1) == 6 &&
                at::isFloatingType(motions.scalar_type()),
            "motions must be floating numbers [views, 6]");
    if (!finite(motions)) throw Error("a motion of the bone is not finite: the fit has diverged; take smaller steps");
    integrals = projector_->project_moved(projections, motions, centre);
    require(integrals.sizes() == at::IntArrayRef(shape) && at::isFloatingType(integrals.scalar_type()),
            "line integrals must be floating numbers [views, materials, rows, columns]");
    require(integrals.requires_grad() || !motions.requires_grad() || !at::GradMode::is_enabled(),
            "the line integrals have lost their graph");
    require(finite(integrals), "line integrals are not finite");
  });
  return integrals;
}

at::Tensor RendererHandle::BoundDifferentiableProjector::fractions() const {
  at::Tensor fractions;
  renderer_->guard([&] {
    fractions = projector_->fractions();
    require(fractions.dim() == 4 && fractions.size(0) == kMaterials && fractions.is_leaf(),
            "material fractions must be a leaf [materials, K, J, I]");
  });
  return fractions;
}

std::shared_ptr<Network> BackboneHandle::make(std::int64_t channels, std::int64_t height, std::int64_t width) const {
  std::shared_ptr<Network> network;
  guard([&] {
    network = as<Backbone>().make(channels, height, width);
    require(network != nullptr && network->features() > 0, "the backbone made no network");
    require(!network->left_out_layers().empty() || network->parameters().empty(),
            "a backbone with weights must name the class layer that it leaves out");
  });
  return network;
}

void LossHandle::prepare(std::int64_t classes, std::int64_t embedding_size) const {
  guard([&] { as<Loss>().prepare(classes, embedding_size); });
}

LossValue LossHandle::compute(const at::Tensor& embeddings, const at::Tensor& labels, const Tuples& tuples) const {
  LossValue loss;
  guard([&] {
    loss = as<Loss>().compute(embeddings, labels, tuples);
    require(loss.value.defined() && loss.value.dim() == 0, "a loss must be a scalar");
    require(loss.value.requires_grad() || !embeddings.requires_grad(), "the loss has lost its graph");
  });
  return loss;
}

bool LossHandle::uses_tuples() const {
  bool uses = true;
  guard([&] { uses = as<Loss>().uses_tuples(); });
  return uses;
}

at::Tensor LossHandle::class_scores(const at::Tensor& embeddings) const {
  at::Tensor scores;
  guard([&] {
    scores = as<Loss>().class_scores(embeddings);
    require(!scores.defined() || (scores.dim() == 2 && scores.size(0) == embeddings.size(0)),
            "class scores must be [N, classes]");
  });
  return scores;
}

std::map<std::string, at::Tensor> LossHandle::state() const {
  std::map<std::string, at::Tensor> state;
  guard([&] { state = as<Loss>().state(); });
  return state;
}

double LossHandle::margin() const {
  double margin = -1;
  guard([&] { margin = as<Loss>().margin(); });
  return margin;
}

void ClassifierHandle::fit(const at::Tensor& embeddings, const at::Tensor& labels) const {
  guard([&] { as<Classifier>().fit(embeddings, labels); });
}

Prediction ClassifierHandle::predict(const at::Tensor& queries) const {
  Prediction prediction;
  guard([&] {
    prediction = as<Classifier>().predict(queries);
    require(prediction.labels.dim() == 1 && prediction.labels.size(0) == queries.size(0) &&
                prediction.labels.scalar_type() == at::kLong,
            "predicted labels must be int64 [Q]");
    require(prediction.scores.dim() == 1 && prediction.scores.size(0) == queries.size(0) &&
                prediction.scores.scalar_type() == at::kFloat && !prediction.scores.isnan().any().item<bool>(),
            "scores must be float32 [Q], none of them NaN");
  });
  return prediction;
}

void ShapeHandle::fit(const ShapeGallery& gallery) const {
  guard([&] { as<Shape>().fit(gallery); });
}

ShapePrediction ShapeHandle::predict(const ShapeQuery& query) const {
  ShapePrediction prediction;
  guard([&] {
    prediction = as<Shape>().predict(query);
    prediction.mesh.check();
    require(prediction.exposures.empty() || std::ssize(prediction.exposures) == query.images.size(0),
            "fitted exposures must be one pair for each image of the query, or none");
  });
  return prediction;
}

std::optional<Mesh> ShapeHandle::ceiling(const Mesh& truth) const {
  std::optional<Mesh> nearest;
  guard([&] {
    nearest = as<Shape>().ceiling(truth);
    if (nearest) nearest->check();
  });
  return nearest;
}

std::vector<std::pair<std::string, at::Tensor>> ShapeHandle::arrays() const {
  std::vector<std::pair<std::string, at::Tensor>> arrays;
  guard([&] {
    arrays = as<Shape>().arrays();
    for (const auto& [name, values] : arrays)
      require(!name.empty() && values.defined() && values.device().is_cpu(),
              "an array needs a name and numbers on the CPU");
  });
  return arrays;
}

std::set<Need> MetricHandle::needs() const {
  std::set<Need> needs;
  guard([&] { needs = as<Metric>().needs(); });
  return needs;
}

MetricResult MetricHandle::evaluate(const Evidence::Contents& contents) const {
  MetricResult result;
  guard([&] {
    auto& metric = as<Metric>();
    result = metric.evaluate(Evidence(contents, metric.needs()));
    for (const MetricValue& value : result.values)
      require(!value.table.empty() && !value.row.empty(), "a figure needs a table and a row");
  });
  return result;
}

void ReporterHandle::report(const Event& event) const {
  guard([&] { as<Reporter>().report(event); });
}

}  // namespace osteon::host
