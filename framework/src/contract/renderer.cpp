// What a renderer promises (osteon/renderer.hpp).

#include "contract/kind.hpp"

#include <osteon/renderer.hpp>

#include <ATen/Functions.h>

#include <cmath>

namespace osteon::contract {

namespace {

constexpr std::int64_t kPixelRows = 9, kPixelColumns = 7;
constexpr double kCube = 20;  ///< mm

/// A volume of 1 mm voxels about the origin.
Volume volume_of(std::array<std::int64_t, 3> size, std::int16_t hounsfield) {
  Grid grid;
  grid.size = size;
  const auto middle = [](std::int64_t n) { return -(static_cast<double>(n) - 1) / 2; };
  grid.origin = {middle(size[0]), middle(size[1]), middle(size[2])};
  return {at::full({size[2], size[1], size[0]}, hounsfield, at::kShort), grid};
}

/// A cube in air.
Volume cube_of(std::int16_t hounsfield) {
  Volume volume = volume_of({40, 40, 40}, -1000);
  volume.hounsfield.slice(0, 10, 30).slice(1, 10, 30).slice(2, 10, 30).fill_(hounsfield);
  return volume;
}

/// Along y through the origin, which the middle pixel sees.
Projection exposure(bool is_parallel, double source = -500, double shift = 0) {
  Projection p;
  p.parallel = is_parallel;
  p.direction = {0, 1, 0};
  p.source = {shift, source, 0};
  p.rows = kPixelRows;
  p.columns = kPixelColumns;
  p.column_step = {1, 0, 0};
  p.row_step = {0, 0, -1};
  p.first_pixel = {shift - (kPixelColumns - 1) / 2.0, 100, (kPixelRows - 1) / 2.0};
  return p;
}

std::vector<Projection> both_exposures() { return {exposure(true), exposure(false)}; }

class RendererInUse final : public Subject {
 public:
  RendererInUse(std::unique_ptr<Renderer> renderer, std::uint64_t seed)
      : renderer_(std::move(renderer)),
        volumes_{cube_of(seed == 1 ? 700 : 300), cube_of(40)},
        projector_(renderer_->prepare(volumes_[0])) {}

  std::string use(int input) override {
    Digest digest;
    add_to(digest, projector_->project(both_exposures()));
    if (input == 1) add_to(digest, renderer_->prepare(volumes_[1])->project(both_exposures()));
    return digest.hex();
  }

 private:
  std::unique_ptr<Renderer> renderer_;
  std::array<Volume, 2> volumes_;
  std::unique_ptr<Projector> projector_;
};

std::unique_ptr<Subject> renderer_subject(const Candidate& candidate, const Parameters& values, std::uint64_t seed) {
  return std::make_unique<RendererInUse>(candidate.make<Renderer>(values), seed);
}

std::string renderer_outputs(const Candidate& candidate) {
  const auto renderer = candidate.make<Renderer>();
  const Volume water = cube_of(0);
  const std::string before = digest_of(water.hounsfield);
  const auto projector = renderer->prepare(water);
  expect(projector != nullptr, "a cube of water", "a projector", "none");
  const at::Tensor integrals = projector->project(both_exposures());
  const std::string what = "line integrals of 2 exposures of 9 rows and 7 columns";
  const bool is_right = integrals.defined() && integrals.scalar_type() == at::kFloat && integrals.is_contiguous() &&
                        integrals.sizes() == at::IntArrayRef({2, kMaterials, kPixelRows, kPixelColumns});
  expect(is_right, what, "contiguous Float [2, 2, 9, 7]", described(integrals));
  expect(all_finite(integrals), what, "finite numbers", "others");
  const double least = integrals.min().item<double>();
  expect(least >= 0, what, "none below 0", text(least));
  expect(digest_of(water.hounsfield) == before, "the volume", "to be left as it is", "that it has written into it");
  for (const int view : {0, 1}) {
    const double chord = integrals[view][0][kPixelRows / 2][kPixelColumns / 2].item<double>();
    expect(std::abs(chord - kCube) < 0.2,
           text("water along a ray through a cube of 20 mm, ", view == 0 ? "parallel beam" : "perspective"), "20 mm",
           text(chord, " mm"));
  }
  expect(integrals.select(1, 1).max().item<double>() == 0, "bone in a cube of water", "none",
         text(integrals.select(1, 1).max().item<double>(), " mm"));
  return "float32 [V, 2, rows, columns], not negative; 20 mm of water are 20 mm";
}

void expect_sound_integrals(const Renderer& renderer, const std::string& what, const Volume& volume,
                            const Projection& exposed, bool is_nothing) {
  (void)answers_or_refuses(what, [&] {
    const at::Tensor integrals = renderer.prepare(volume)->project(std::vector<Projection>{exposed});
    expect(all_finite(integrals), what, "finite numbers", "others");
    const double largest = integrals.abs().max().item<double>();
    expect(!is_nothing || largest == 0, what, "0", text(largest, " mm"));
  });
}

std::string renderer_degenerate(const Candidate& candidate) {
  const auto renderer = candidate.make<Renderer>();
  expect_sound_integrals(*renderer, "a volume of air", volume_of({40, 40, 40}, -1000), exposure(true), true);
  expect_sound_integrals(*renderer, "rays that miss the volume", cube_of(700), exposure(true, -500, 500), true);
  expect_sound_integrals(*renderer, "a volume of one voxel", volume_of({1, 1, 1}, 700), exposure(false), false);
  expect_sound_integrals(*renderer, "a volume of one slice", volume_of({40, 40, 1}, 700), exposure(true), false);
  expect_sound_integrals(*renderer, "a focal spot inside the volume", cube_of(700), exposure(false, 0), false);
  expect_sound_integrals(*renderer, "the lowest value of int16", volume_of({20, 20, 20}, -32768), exposure(true), true);
  expect_sound_integrals(*renderer, "the highest value of int16", volume_of({20, 20, 20}, 32767), exposure(true),
                         false);
  return "finite in 7 volumes and exposures, 0 in air";
}

std::string renderer_gradient(const Candidate& candidate) {
  const auto renderer = candidate.make<Renderer>();
  const bool says_so = candidate.plugin().schema.summary.find("differentiable") != std::string::npos;
  const Volume volume = cube_of(700);
  std::unique_ptr<DifferentiableProjector> projector;
  try {
    projector = renderer->prepare_differentiable(volume);
  } catch (const Error& error) {
    expect(!says_so, "a plugin whose summary says \"differentiable\"", "a projector with gradients", error.what());
    throw NotForThisKind{"this one is not differentiable, and does not say so"};
  }
  expect(says_so, "the summary of a plugin with gradients", "the word \"differentiable\"", "none");
  expect(projector != nullptr, "a cube", "a projector with gradients", "none");
  const std::vector<Projection> views = both_exposures();
  const at::Tensor still = projector->project(views);
  at::Tensor fractions = projector->fractions();
  fractions.set_requires_grad(true);
  // Off the symmetric pose, where the sum over the picture changes with every motion.
  const at::Tensor motions = at::full({2, 6}, 0.05, fractions.options().requires_grad(false)).set_requires_grad(true);
  const at::Tensor moved = projector->project_moved(views, motions, {1, 2, 3});
  expect(moved.requires_grad(), "line integrals of a moved volume", "a graph", "none");
  const at::Tensor weights = at::arange(moved.numel(), moved.options().requires_grad(false)).view(moved.sizes());
  (moved * weights).sum().backward();
  for (const auto& [name, gradient] : {std::pair("the gradient of the pose", motions.grad()),
                                       std::pair("the gradient of the volume", fractions.grad())}) {
    expect(gradient.defined(), name, "one", "none");
    expect(all_finite(gradient), name, "finite numbers", "others");
    expect(gradient.abs().sum().item<double>() > 0, name, "another than 0", "0 everywhere");
  }
  const at::NoGradGuard no_graph;
  const at::Tensor unmoved = projector->project_moved(views, at::zeros_like(motions), {0, 0, 0}).cpu().to(at::kFloat);
  const double apart = (unmoved - still.cpu()).abs().max().item<double>();
  expect(apart < 0.05, "a motion of 0", "the line integrals of `project`", text("up to ", apart, " mm beside them"));
  return "of pose and volume: finite, not 0";
}

}  // namespace

KindContract renderer_contract() {
  return {renderer_subject,  renderer_outputs, renderer_degenerate, nothing_declared_of_threads,
          renderer_gradient, nothing_is_kept};
}

}  // namespace osteon::contract
