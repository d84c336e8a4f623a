// renderer/torch: line integrals by Joseph's method in LibTorch operations, differentiable
//
// P. M. Joseph, IEEE Transactions on Medical Imaging 1(3), 192-196, 1982: the same samples and the same interpolation
// as `joseph`, which is faster on the CPU. Use this one on a GPU, and wherever something is fitted to an X-ray: it is
// differentiable with respect to the pose of the bone and to the volume (`DifferentiableProjector`). Where a ray is
// equally long along two axes of the grid, the axis that is stepped along changes and the integral with it, by less
// than the error of interpolation: there the gradient is that of one side.
//
// Rays and poses are computed in double precision, samples in `precision`. Samples are made in pieces of `memory` and
// made once more for the gradient instead of being kept, so a graph keeps only a few hundred bytes for each pixel. A
// second derivative is not available. Memory: the whole volume, 8 bytes a voxel (16 with fp64), once more when the
// volume's gradient is asked for, and `memory`.
//
// Cost on the CPU: 0.92 s for a projection of 200 × 200 × 400 voxels at 0.4 mm onto 400 × 800 pixels with two
// threads, 1.0 s with one (`osteon-benchmarks --benchmark_filter=ProjectLimb`; `joseph` takes 0.1 s). LibTorch's
// threads wait for one another after every operation: where other programs want the same cores it took 3 to 7 s. No GPU
// was at hand.
//
// A value of `device` that gives another device gives other last bits, so it is part of a cache key; "auto" is the same
// key on every machine. Gradients of the volume on a GPU differ from call to call in their last bits.
//
//     [renderer]
//     plugin = "torch"
//     device = "auto"
//     precision = "fp32"
//     memory = 64

#include "line_integrals.hpp"
#include "rays.hpp"

#include <osteon/parallel.hpp>
#include <osteon/renderer.hpp>

#include <ATen/Functions.h>
#include <torch/cuda.h>

#include <algorithm>

namespace osteon {

namespace {

/// Bytes that the geometry of one ray takes while it is computed.
constexpr std::int64_t kBytesPerRay = 1024;

at::Device device_named(const std::string& name) {
  if (name == "cpu" || (name == "auto" && !torch::cuda::is_available())) return at::kCPU;
  if (!torch::cuda::is_available())
    throw Error(
        "device = \"cuda\", but LibTorch finds no CUDA device here; take device = \"auto\" or \"cpu\", or a LibTorch "
        "that "
        "was built with CUDA on a machine with a GPU");
  return {at::kCUDA, 0};
}

/// Voxels in HU → material fractions `[kMaterials, K, J, I]`, as `material_fractions` defines them.
template <class Number>
at::Tensor fractions_of(const at::Tensor& hounsfield) {
  at::Tensor fractions = at::empty({kMaterials, hounsfield.size(0), hounsfield.size(1), hounsfield.size(2)},
                                   c10::CppTypeToScalarType<Number>::value);
  auto* water = fractions.data_ptr<Number>();
  auto* bone = water + hounsfield.numel();
  const auto* from = hounsfield.data_ptr<std::int16_t>();
  parallel_for(0, hounsfield.numel(), 1 << 16, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const MaterialFractions f = material_fractions(from[i]);
      water[i] = static_cast<Number>(f.water);
      bone[i] = static_cast<Number>(f.bone);
    }
  });
  return fractions;
}

struct Options {
  at::Device device = at::kCPU;
  at::ScalarType type = at::kFloat;
  std::int64_t bytes = 0;
};

class TorchProjector final : public DifferentiableProjector {
 public:
  TorchProjector(const Volume& volume, const Options& options)
      : grid_(volume.grid),
        options_(options),
        fractions_((options.type == at::kDouble ? fractions_of<double>(volume.hounsfield)
                                                : fractions_of<float>(volume.hounsfield))
                       .to(options.device)) {}

  at::Tensor project(std::span<const Projection> projections) override {
    const at::NoGradGuard no_graph;
    return integrals(projections, {}, {}).to(at::kCPU, at::kFloat);
  }
  at::Tensor project_moved(std::span<const Projection> projections, const at::Tensor& motions, Vec3 centre) override {
    return integrals(projections, motions, centre);
  }
  at::Tensor fractions() override { return fractions_; }
  [[nodiscard]] at::Device device() const override { return options_.device; }

 private:
  [[nodiscard]] at::Tensor integrals(std::span<const Projection> projections, const at::Tensor& motions,
                                     Vec3 centre) const {
    const auto exposures = torch_renderer::exposures_in_volume(projections, grid_, motions, centre, options_.device);
    const auto views = static_cast<std::int64_t>(projections.size());
    const std::int64_t pixels = exposures.rows * exposures.columns;
    const std::int64_t pixels_at_once = std::clamp<std::int64_t>(options_.bytes / kBytesPerRay, 1, pixels);
    const std::int64_t views_at_once = std::clamp<std::int64_t>(options_.bytes / (kBytesPerRay * pixels), 1, views);
    std::vector<at::Tensor> by_views;
    for (std::int64_t view = 0; view < views; view += views_at_once) {
      const std::int64_t views_here = std::min(views_at_once, views - view);
      std::vector<at::Tensor> by_pixels;
      for (std::int64_t pixel = 0; pixel < pixels; pixel += pixels_at_once) {
        throw_if_stopped();
        const std::int64_t pixels_here = std::min(pixels_at_once, pixels - pixel);
        const auto rays = torch_renderer::rays_of(exposures, view, views_here, pixel, pixels_here);
        by_pixels.push_back(torch_renderer::line_integrals(fractions_, rays, grid_.spacing, options_.bytes)
                                .reshape({kMaterials, views_here, pixels_here}));
      }
      by_views.push_back(at::cat(by_pixels, 2).transpose(0, 1));
    }
    return at::cat(by_views).reshape({views, kMaterials, exposures.rows, exposures.columns});
  }

  Grid grid_;
  Options options_;
  at::Tensor fractions_;
};

class TorchRenderer final : public Renderer {
 public:
  static Schema schema() {
    return {
        "Line integrals as joseph's in LibTorch operations, on CPU or CUDA, differentiable with respect to pose and "
        "volume.",
        {Parameter::text("device", "auto", "Where rays are sampled; auto takes a CUDA device when there is one.")
             .one_of({"auto", "cpu", "cuda"}),
         Parameter::text("precision", "fp32", "Of the volume and the samples.").one_of({"fp32", "fp64"}),
         Parameter::integer("memory", 64, "For samples at one time; more is faster on a GPU.")
             .unit("MB")
             .at_least(1)
             .at_most(1 << 20)
             .not_in_key()}};
  }
  explicit TorchRenderer(const Parameters& parameters)
      : options_{device_named(parameters.text("device")),
                 parameters.text("precision") == "fp64" ? at::kDouble : at::kFloat,
                 parameters.integer("memory") * 1'000'000} {}

  [[nodiscard]] std::unique_ptr<Projector> prepare(const Volume& volume) const override {
    return prepare_differentiable(volume);
  }
  [[nodiscard]] std::unique_ptr<DifferentiableProjector> prepare_differentiable(const Volume& volume) const override {
    volume.check();
    return std::make_unique<TorchProjector>(volume, options_);
  }

 private:
  Options options_;
};

}  // namespace

OSTEON_PLUGIN(renderer, torch, "0.1.0", TorchRenderer)

}  // namespace osteon
