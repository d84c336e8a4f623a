// Renderers, backbones, losses and classifiers.

#include "bench/inputs.hpp"
#include "bench/work.hpp"
#include "training/first_weights.hpp"
#include "training/miner.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <torch/torch.h>

namespace osteon::bench {

namespace {

constexpr std::int64_t kXRayHeight = 96;  ///< of an AP | ML pair, which is twice as wide
constexpr std::int64_t kEmbeddingSize = 128, kImagesOfAClass = 4, kImagesOfABone = 20, kQueries = 100;

bool is_differentiable(const host::RendererHandle& renderer) {
  try {
    static_cast<void>(renderer.prepare_differentiable(bone_in_tissue(8)));
    return true;
  } catch (const Error&) {
    return false;
  }
}

Call gradient_call(const std::shared_ptr<host::RendererHandle>& renderer, std::int64_t side) {
  const auto projector = std::make_shared<host::RendererHandle::BoundDifferentiableProjector>(
      renderer->prepare_differentiable(bone_in_tissue(side)));
  const std::vector<Projection> exposures = two_exposures(side);
  return {[renderer, projector, exposures] {
            const at::Tensor motions =
                at::zeros({std::ssize(exposures), 6}, at::TensorOptions(projector->device())).requires_grad_();
            projector->project_moved(exposures, motions, {0, 0, 0}).sum().backward();
          },
          std::ssize(exposures), side * side * side};
}

Call project_call(const std::shared_ptr<host::RendererHandle>& renderer, std::int64_t side) {
  const auto projector =
      std::make_shared<host::RendererHandle::BoundProjector>(renderer->prepare(bone_in_tissue(side)));
  const std::vector<Projection> exposures = two_exposures(side);
  return {[renderer, projector, exposures] { static_cast<void>(projector->project(exposures)); }, std::ssize(exposures),
          side * side * side};
}

Call loss_call(const std::shared_ptr<host::LossHandle>& loss, std::int64_t images) {
  const std::int64_t classes = std::max<std::int64_t>(2, images / kImagesOfAClass);
  loss->prepare(classes, kEmbeddingSize);
  training::draw_loss_state(loss->state(), 1);
  const at::Tensor labels = at::arange(images, at::kLong).div(kImagesOfAClass, "floor").clamp(0, classes - 1);
  const at::Tensor rows = embeddings_of(labels, kEmbeddingSize);
  Tuples tuples;
  if (loss->uses_tuples()) {
    Random random(1, "bench: mining");
    tuples = training::mine(training::Mining::semi_hard, training::squared_distances(rows), kEmbeddingSize,
                            {labels.data_ptr<std::int64_t>(), static_cast<std::size_t>(images)}, random);
  }
  return {[loss, labels, rows, tuples] {
            const at::Tensor embeddings = rows.detach().requires_grad_();
            loss->compute(embeddings, labels, tuples).value.backward();
          },
          images, images};
}

at::Tensor gallery_labels(std::int64_t size) { return at::arange(size, at::kLong).div(kImagesOfABone, "floor"); }

}  // namespace

StandardWork renderer_work(const Subject& subject) {
  const auto renderer = subject.make<host::RendererHandle>();
  StandardWork standard{"side", {32, 64, 128}, 8, 1024, {}};
  standard.works.push_back(
      {"prepare", "voxels", "voxels", [renderer](std::int64_t side) {
         const Volume volume = bone_in_tissue(side);
         const std::int64_t voxels = volume.hounsfield.numel();
         return Call{[renderer, volume] { static_cast<void>(renderer->prepare(volume)); }, voxels, voxels};
       }});
  standard.works.push_back(
      {"project", "exposures", "voxels", [renderer](std::int64_t side) { return project_call(renderer, side); }});
  if (is_differentiable(*renderer))
    standard.works.push_back(
        {"gradient", "exposures", "voxels", [renderer](std::int64_t side) { return gradient_call(renderer, side); }});
  return standard;
}

StandardWork backbone_work(const Subject& subject) {
  const auto backbone = subject.make<host::BackboneHandle>();
  const auto network = backbone->make(1, kXRayHeight, 2 * kXRayHeight);
  training::draw_first_weights(*network, 1);
  const auto batch = [](std::int64_t images) {
    return embeddings_of(at::arange(images, at::kLong), 2 * kXRayHeight * kXRayHeight)
        .view({images, 1, kXRayHeight, 2 * kXRayHeight})
        .abs()
        .clamp(0, 1);
  };
  return {"images",
          {1, 2, 4},
          1,
          10'000,
          {{"embed", "images", "images",
            [backbone, network, batch](std::int64_t images) {
              return Call{[network, input = batch(images)] {
                            const torch::NoGradGuard no_graph;
                            network->forward(input);
                          },
                          images, images, [network] { network->eval(); }};
            }},
           {"train", "images", "images", [backbone, network, batch](std::int64_t images) {
              return Call{[network, input = batch(images)] {
                            const at::Tensor features = network->forward(input);
                            if (features.requires_grad()) features.sum().backward();
                          },
                          images, images,
                          [network] {
                            network->train();
                            network->zero_grad();
                          }};
            }}}};
}

StandardWork loss_work(const Subject& subject) {
  static_cast<void>(subject.make<host::LossHandle>());
  return {"images", {16, 64, 256}, 4, 8192, {{"step", "images", "images", [subject](std::int64_t images) {
                                                return loss_call(subject.make<host::LossHandle>(), images);
                                              }}}};
}

StandardWork classifier_work(const Subject& subject) {
  static_cast<void>(subject.make<host::ClassifierHandle>());
  return {"gallery",
          {100, 200, 400, 800},
          2 * kImagesOfABone,
          1'000'000,
          {{"fit", "embeddings", "embeddings in the gallery",
            [subject](std::int64_t size) {
              const at::Tensor labels = gallery_labels(size), rows = embeddings_of(labels, kEmbeddingSize);
              const auto classifier = subject.make<host::ClassifierHandle>();
              return Call{[classifier, labels, rows] { classifier->fit(rows, labels); }, size, size};
            }},
           {"predict", "queries", "embeddings in the gallery", [subject](std::int64_t size) {
              const at::Tensor labels = gallery_labels(size);
              const auto classifier = subject.make<host::ClassifierHandle>();
              classifier->fit(embeddings_of(labels, kEmbeddingSize), labels);
              const at::Tensor queries = unit_rows(kQueries, kEmbeddingSize, 7);
              return Call{[classifier, queries] { static_cast<void>(classifier->predict(queries)); }, kQueries, size};
            }}}};
}

}  // namespace osteon::bench
