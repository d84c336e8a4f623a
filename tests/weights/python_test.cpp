// Both ways between Osteon and Python's torchvision: the same weights make the same features.

#include "pipeline/command.hpp"
#include "training/weights_fit.hpp"
#include "weights/support.hpp"

namespace osteon::training {
namespace {

using test::Workplace;

/// Debian's Python: the one on the path may be another, without PyTorch.
bool python_has_torchvision() {
  static const bool has = std::system("/usr/bin/python3 -c 'import torchvision' > /dev/null 2>&1") == 0;
  return has;
}

#define NEEDS_TORCHVISION \
  if (!python_has_torchvision()) GTEST_SKIP() << "/usr/bin/python3 has no torchvision (python3-torchvision)"

std::string script(const std::string& name) {
  return "/usr/bin/python3 " + std::string(OSTEON_SOURCE_DIR) + "/tests/weights/" + name + ".py ";
}

std::shared_ptr<Network> resnet18(std::int64_t channels) {
  const auto network = test::make<host::BackboneHandle>("backbone", "resnet", {{"channels", channels}}).make(1, 96, 64);
  network->eval();
  return network;
}

at::Tensor features_file(const fs::path& file) {
  std::string bytes = read_file(file);
  return at::from_blob(bytes.data(), {1, static_cast<std::int64_t>(bytes.size() / 4)}, at::kFloat).clone();
}

/// A network with weights that no other has, and an image; both in `folder` for Python.
std::shared_ptr<Network> drawn_network(std::int64_t channels, const fs::path& folder, const std::string& name,
                                       at::Tensor& image) {
  torch::manual_seed(5);
  auto network = resnet18(channels);
  std::vector<WrittenTensor> tensors;
  {
    const at::NoGradGuard no_graph;
    for (auto& item : network->named_parameters()) item.value().copy_(at::rand_like(item.value()) * 0.1 - 0.04);
    for (auto& item : network->named_buffers())
      if (item.value().scalar_type() == at::kFloat) item.value().copy_(at::rand_like(item.value()) + 0.5);
  }
  for (const auto& item : network->named_parameters()) tensors.push_back(written(item.key(), item.value()));
  for (const auto& item : network->named_buffers()) tensors.push_back(written(item.key(), item.value()));
  write_weights(folder / name, tensors);
  image = at::rand({1, 1, 96, 64});
  write_weights(folder / "image.safetensors", std::vector{written("image", image)});
  return network;
}

TEST(Python, WritesWeightsThatMakeTheSameFeaturesHere) {
  NEEDS_TORCHVISION;
  const Workplace place;
  const auto wrote = place.shell(script("python_writes") + ".");
  ASSERT_EQ(wrote.code, 0) << wrote.err;
  const StateDict image = read_state_dict(place.folder() / "image.safetensors");
  const at::NoGradGuard no_graph;
  for (const auto& [file, container, prefix, key] :
       {std::tuple("resnet18-zip.pth", "zip (PyTorch 1.6 or newer)", "", ""),
        std::tuple("resnet18-legacy.pth", "legacy (before PyTorch 1.6)", "module.", "state_dict")}) {
    SCOPED_TRACE(file);
    const StateDict weights = read_state_dict(place.folder() / file);
    EXPECT_EQ(weights.container, container);
    EXPECT_EQ(weights.key, key);
    EXPECT_EQ(weights.tensors.size(), 122U);
    const auto network = resnet18(3);
    EXPECT_EQ(fit_weights(*network, weights).prefix, prefix);
    EXPECT_EQ(fit_weights(*network, weights).left_out, (std::vector<std::string>{"fc.bias", "fc.weight"}));
    load_backbone_weights(*network, weights);
    const at::Tensor ours = network->forward(read(image, "image")), theirs = read(image, "features");
    EXPECT_LT((ours - theirs).abs().max().item<float>(), 1e-4) << theirs.abs().max();
    EXPECT_GT(theirs.abs().max().item<float>(), 0.1);
  }
}

TEST(Python, LoadsStrictlyWhatIsWrittenHereAndMakesTheSameFeatures) {
  NEEDS_TORCHVISION;
  const at::NoGradGuard no_graph;
  for (const char* name : {"ours.pth", "ours.safetensors"}) {
    SCOPED_TRACE(name);
    const Workplace place;
    at::Tensor image;
    const auto network = drawn_network(3, place.folder(), name, image);
    const auto loaded = place.shell(script("python_loads") + name + " image.safetensors features.bin");
    ASSERT_EQ(loaded.code, 0) << loaded.err;
    const at::Tensor ours = network->forward(image), theirs = features_file(place.folder() / "features.bin");
    EXPECT_LT((ours - theirs).abs().max().item<float>(), 1e-4 * ours.abs().max().item<float>());
  }
}

TEST(Python, RefusesNothingOfOurFilesInItsRestrictedReader) {
  NEEDS_TORCHVISION;
  const Workplace place;
  write_weights(place.folder() / "w.pth",
                std::vector{written("w", numbers({2, 3})), written("h", at::ones({2}, at::kHalf))});
  const auto loaded = place.shell(
      "/usr/bin/python3 -c \"import torch; w = torch.load('w.pth', weights_only=True); print(w['w'].tolist(), "
      "w['h'].dtype)\"");
  EXPECT_EQ(loaded.out, "[[-0.375, -0.25, -0.125], [0.0, 0.125, 0.25]] torch.float16\n") << loaded.err;
}

}  // namespace
}  // namespace osteon::training
