// What a backbone promises (osteon/backbone.hpp).

#include "contract/kind.hpp"
#include "training/first_weights.hpp"

#include <osteon/backbone.hpp>

#include <ATen/Functions.h>

#include <algorithm>

namespace osteon::contract {

namespace {

constexpr std::int64_t kBatch = 3;

at::Tensor images_of(std::int64_t size, std::uint64_t seed) {
  return unit_rows(kBatch, size * size, seed)
      .mul(static_cast<double>(size) / 4)
      .add(0.5)
      .clamp(0, 1)
      .view({kBatch, 1, size, size});
}

/// The smallest square that the backbone takes, of those that are tried.
std::int64_t image_size(const Backbone& backbone) {
  for (const std::int64_t size : {32, 48, 64, 96, 128, 224}) try {
      if (backbone.make(1, size, size) != nullptr) return size;
    } catch (const Error&) {  // too small for it
    }
  return 299;
}

std::shared_ptr<Network> network_of(const Backbone& backbone, std::int64_t size, std::uint64_t seed) {
  std::shared_ptr<Network> network = backbone.make(1, size, size);
  expect(network != nullptr, text("a network for images of ", size, " × ", size), "one", "none");
  training::draw_first_weights(*network, seed);
  return network;
}

at::Tensor answer_of(Network& network, const at::Tensor& images) {
  const at::NoGradGuard no_graph;
  network.eval();
  return network.forward(images);
}

class BackboneInUse final : public Subject {
 public:
  BackboneInUse(std::unique_ptr<Backbone> backbone, std::uint64_t seed)
      : backbone_(std::move(backbone)), size_(image_size(*backbone_)), network_(network_of(*backbone_, size_, seed)) {}

  std::string use(int input) override {
    return digest_of(answer_of(*network_, images_of(size_, 30 + static_cast<std::uint64_t>(input))));
  }

 private:
  std::unique_ptr<Backbone> backbone_;
  std::int64_t size_;
  std::shared_ptr<Network> network_;
};

std::unique_ptr<Subject> backbone_subject(const Candidate& candidate, const Parameters& values, std::uint64_t seed) {
  return std::make_unique<BackboneInUse>(candidate.make<Backbone>(values), seed);
}

bool is_in_group(const std::string& name, const std::vector<std::string>& groups) {
  return std::ranges::any_of(groups, [&](const std::string& group) { return name.starts_with(group); });
}

std::string backbone_outputs(const Candidate& candidate) {
  const auto backbone = candidate.make<Backbone>();
  const std::int64_t size = image_size(*backbone);
  const auto network = network_of(*backbone, size, 1);
  const at::Tensor images = images_of(size, 30);
  const std::string before = digest_of(images);
  const at::Tensor features = answer_of(*network, images);
  const std::string what = text("features of ", kBatch, " images of ", size, " × ", size);
  expect(features.dim() == 2 && features.size(0) == kBatch && features.size(1) == network->features() &&
             features.scalar_type() == at::kFloat,
         what, text("Float [", kBatch, ", ", network->features(), "]"), described(features));
  expect(all_finite(features), what, "finite numbers", "others");
  expect(digest_of(images) == before, "the images", "to be left as they are", "that it has written into them");
  const at::NoGradGuard no_graph;
  const at::Tensor maps = network->maps(images);
  expect(maps.dim() == 4 && maps.size(0) == kBatch, "maps", text("[", kBatch, ", M, h, w]"), described(maps));
  expect(digest_of(network->pool(maps)) == digest_of(features), "the pooled maps", "the features", "others");
  const auto groups = network->layer_groups();
  for (const auto& parameter : network->named_parameters())
    expect(is_in_group(parameter.key(), groups), text("parameter \"", parameter.key(), "\""), "a layer group", "none");
  expect(network->named_modules().find(network->last_convolution()) != nullptr, "the last convolution",
         "the name of a submodule", "\"" + network->last_convolution() + "\"");
  expect(!network->left_out_layers().empty() || network->parameters().empty(), "a network with weights",
         "the name of the class layer that it leaves out", "none");
  return text("float32 [N, ", network->features(), "] of images of ", size, " × ", size, "; every weight in one of ",
              groups.size(), " layer groups");
}

std::string backbone_degenerate(const Candidate& candidate) {
  const auto backbone = candidate.make<Backbone>();
  const std::int64_t size = image_size(*backbone);
  expect_refusal("images without rows", [&] { (void)backbone->make(1, 0, size); });
  const std::string what = "images of one pixel";
  (void)answers_or_refuses(what, [&] {
    const auto network = network_of(*backbone, 1, 1);
    expect(all_finite(answer_of(*network, at::ones({2, 1, 1, 1}))), what, "finite features", "others");
  });
  const auto network = network_of(*backbone, size, 1);
  for (const double grey : {0.0, 1.0}) {
    const at::Tensor images = at::full({2, 1, size, size}, grey);
    expect(all_finite(answer_of(*network, images)), text("images that are all ", grey), "finite features", "others");
  }
  // In training a batch of equal images has no deviation to be normalised by.
  network->train();
  const at::Tensor features = network->forward(at::full({2, 1, size, size}, 0.5));
  expect(all_finite(features), "equal images in training", "finite features", "others");
  expect(all_finite(answer_of(*network, images_of(size, 30))), "features after a batch of equal images",
         "finite numbers", "others");
  return "black, white, equal and too small images";
}

std::string backbone_gradient(const Candidate& candidate) {
  const auto backbone = candidate.make<Backbone>();
  const std::int64_t size = image_size(*backbone);
  const auto network = network_of(*backbone, size, 1);
  network->train();
  const at::Tensor images = images_of(size, 30).requires_grad_();
  const at::Tensor features = network->forward(images);
  (features * unit_rows(kBatch, features.size(1), 31)).sum().backward();
  const auto expect_gradient = [](const at::Tensor& gradient, const std::string& what) {
    expect(gradient.defined(), what, "one", "none");
    expect(all_finite(gradient), what, "finite numbers", "others");
  };
  expect_gradient(images.grad(), "the gradient of the images");
  expect(images.grad().abs().sum().item<double>() > 0, "the gradient of the images", "another than 0", "0 everywhere");
  if (network->parameters().empty()) return "of the images: finite, not 0; it has no weights";
  // Some biases have none (a normalisation takes them off), but no group of layers may stand still.
  const auto groups = network->layer_groups();
  std::map<std::string, double> size_of_group;
  for (const auto& parameter : network->named_parameters()) {
    expect_gradient(parameter.value().grad(), text("the gradient of \"", parameter.key(), "\""));
    for (const std::string& group : groups)
      if (parameter.key().starts_with(group))
        size_of_group[group] += parameter.value().grad().abs().sum().item<double>();
  }
  for (const auto& [group, sum] : size_of_group)
    expect(sum > 0, text("the gradient of layer group \"", group, "\""), "another than 0", "0 everywhere");
  return text("of images and ", size_of_group.size(), " layer groups: finite, not 0");
}

std::string backbone_state(const Candidate& candidate) {
  const auto backbone = candidate.make<Backbone>();
  const std::int64_t size = image_size(*backbone);
  const auto trained = network_of(*backbone, size, 1), loaded = network_of(*backbone, size, 2);
  const at::Tensor images = images_of(size, 30);
  trained->train();
  {
    const at::NoGradGuard no_graph;  // statistics of normalisation are state too
    (void)trained->forward(images);
    (void)trained->forward(images_of(size, 32));
  }
  const at::Tensor expected = answer_of(*trained, images);
  if (digest_of(answer_of(*trained, images)) != digest_of(expected))
    throw NotRun{"its answers do not repeat themselves (see determinism)"};
  {
    const at::NoGradGuard no_graph;
    auto parameters = loaded->named_parameters();
    auto buffers = loaded->named_buffers();
    for (const auto& parameter : trained->named_parameters()) parameters[parameter.key()].copy_(parameter.value());
    for (const auto& buffer : trained->named_buffers()) buffers[buffer.key()].copy_(buffer.value());
  }
  const at::Tensor found = answer_of(*loaded, images);
  expect(digest_of(found) == digest_of(expected),
         "features after parameters and buffers were saved and copied into another network", "the same bits",
         text("others, up to ", (found - expected).abs().max().item<double>(), " beside them"));
  return text(trained->named_parameters().size(), " parameters and ", trained->named_buffers().size(),
              " buffers saved and copied back: the same features");
}

}  // namespace

std::string backbone_devices(const Candidate& candidate) {
  const auto backbone = candidate.make<Backbone>();
  const std::int64_t size = image_size(*backbone);
  const auto network = network_of(*backbone, size, 1);
  const at::Tensor expected = answer_of(*network, images_of(size, 30));
  network->to(at::kCUDA);
  const at::Tensor found = answer_of(*network, images_of(size, 30).to(at::kCUDA));
  expect(found.is_cuda(), "features of images on CUDA", "some on CUDA", text("some on ", found.device()));
  const double apart = (found.cpu() - expected).abs().max().item<double>(), scale = expected.abs().max().item<double>();
  expect(apart <= 0.01 * scale + 1e-4, "features of images on CUDA", "those of the CPU within 1 %",
         text("others, up to ", apart, " beside them"));
  return "CUDA gives what the CPU gives";
}

KindContract backbone_contract() {
  return {backbone_subject,  backbone_outputs, backbone_degenerate, nothing_declared_of_threads,
          backbone_gradient, backbone_state};
}

}  // namespace osteon::contract
