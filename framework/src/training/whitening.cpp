#include "training/whitening.hpp"

#include "training/runtime.hpp"

#include <osteon/parallel.hpp>

#include <ATen/ATen.h>

#include <algorithm>

namespace osteon::training {

namespace {

/// An orthonormal basis of the columns' span.
at::Tensor orthonormal(const at::Tensor& columns) { return std::get<0>(at::linalg_qr(columns, "reduced")); }

/// float `[n, components]`, orthonormal columns: the directions in which the centred rows vary most, most first.
at::Tensor principal_directions(const at::Tensor& centred, std::int64_t components, std::uint64_t seed) {
  constexpr std::int64_t kOversampling = 16;
  constexpr int kIterations = 4;  // enough for spectra that fall as slowly as those of images
  const std::int64_t width = std::min({components + kOversampling, centred.size(0), centred.size(1)});
  at::Tensor start = at::empty({centred.size(1), width}, at::kFloat);
  Random random(seed, "whitening's subspace");
  for (std::int64_t i = 0; i < start.numel(); ++i) start.data_ptr<float>()[i] = static_cast<float>(random.normal());
  at::Tensor basis = orthonormal(start);
  for (int i = 0; i < kIterations; ++i) basis = orthonormal(centred.t().matmul(orthonormal(centred.matmul(basis))));
  // Rotated so that its columns are the principal directions in order.
  const at::Tensor seen = centred.matmul(basis).to(at::kDouble);
  const at::Tensor rotation = std::get<1>(at::linalg_eigh(seen.t().matmul(seen))).flip({1});
  return basis.matmul(rotation.narrow(1, 0, components).to(at::kFloat));
}

/// double `[k, k]`: mean outer product of what rows differ by from their class's mean.
at::Tensor scatter_within(const at::Tensor& rows, const at::Tensor& labels) {
  at::Tensor scatter = at::zeros({rows.size(1), rows.size(1)}, at::kDouble);
  const std::int64_t classes = labels.max().item<std::int64_t>() + 1;
  for (std::int64_t c = 0; c < classes; ++c) {
    const at::Tensor own = rows.index_select(0, labels.eq(c).nonzero().flatten()).to(at::kDouble);
    if (own.size(0) == 0) continue;
    const at::Tensor differences = own - own.mean(0, true);
    scatter += differences.t().matmul(differences);
  }
  return scatter / static_cast<double>(rows.size(0));
}

/// Changed copy number `copy` of the images, each from a stream of its own.
ChangeImages augmented(const Augmentation& augmentation, const Data& data, std::uint64_t seed, std::int64_t copy) {
  return [=, &augmentation, &data](at::Tensor& images, std::span<const std::int64_t> rows) {
    at::Tensor changed = at::empty_like(images);
    const ImageLayout layout{images.size(1), images.size(2), data.views};
    const std::int64_t bytes = layout.height * layout.width;
    const auto* in = images.data_ptr<std::uint8_t>();
    auto* out = changed.data_ptr<std::uint8_t>();
    parallel_for(0, images.size(0), 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const std::int64_t stream = copy * data.pixels.count() + rows[static_cast<std::size_t>(i)];
        augmentation.apply(in + i * bytes, out + i * bytes, layout,
                           Random(seed, "whitening", static_cast<std::uint64_t>(stream)));
      }
    });
    images = changed;
  };
}

}  // namespace

Whitening whitening_of(const at::Tensor& features, const at::Tensor& labels, std::int64_t dimensions, double shrinkage,
                       std::uint64_t seed) {
  const at::Tensor mean = features.mean(0), centred = features - mean;
  const std::int64_t components = std::min({dimensions, features.size(1), features.size(0) - 1});
  const at::Tensor directions = principal_directions(centred, components, seed);
  at::Tensor within = scatter_within(centred.matmul(directions), labels);
  const auto variance = within.diagonal().mean().item<double>();
  if (!(variance > 0))
    throw Error(
        "head.whitening: the training images of every bone are all alike, so there is nothing to overlook; give the "
        "views more poses or set [augment]");
  within = (1 - shrinkage) * within + shrinkage * variance * at::eye(components, at::kDouble);
  const auto [values, vectors] = at::linalg_eigh(within);
  // Directions in which the images of a bone never differ would count without bound.
  constexpr double kLeast = 1e-9;
  const at::Tensor scale = values.clamp_min(kLeast * variance).rsqrt();
  const at::Tensor weight = (scale.unsqueeze(1) * vectors.t()).to(at::kFloat).matmul(directions.t());
  Whitening whitening{mean, at::zeros({dimensions, features.size(1)})};
  whitening.weight.narrow(0, 0, components).copy_(weight);
  return whitening;
}

void fit_whitening(FingerprintNetwork& network, const Data& data, const Parameters& head, const Parameters& training,
                   const Parameters& augment) {
  if (!head.flag("whitening")) return;
  const ThreadScope threads(resolved_threads(training));
  const at::NoGradGuard no_graph;
  const auto seed = static_cast<std::uint64_t>(training.integer("seed"));
  const Augmentation augmentation(augment);
  const std::int64_t copies = augmentation.changes_nothing() ? 0 : head.integer("whitening_copies");
  const at::Tensor labels = data.labels.index_select(0, at::tensor(data.training, at::kLong));
  std::vector<at::Tensor> features{embed(network, data.pixels, data.training, training, {})}, classes{labels};
  for (std::int64_t copy = 0; copy < copies; ++copy) {
    features.push_back(
        embed_changed(network, data.pixels, data.training, training, augmented(augmentation, data, seed, copy), {}));
    classes.push_back(labels);
  }
  const Whitening whitening = whitening_of(at::cat(features), at::cat(classes), head.integer("dimensions"),
                                           head.real("whitening_shrinkage"), seed);
  network.set_whitening(whitening.mean, whitening.weight);
}

}  // namespace osteon::training
