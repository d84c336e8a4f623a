// Grad-CAM.

#include "training/grad_cam.hpp"

#include "training/runtime.hpp"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include <array>

namespace osteon::training {

namespace {

/// Cividis at eleven places (Nuñez, Anderton, Renslow, PLOS ONE 2018): from dark blue to yellow, the same to people who
/// see red and green alike.
constexpr std::array<std::array<float, 3>, 11> kCividis = {{{0, 34, 78},
                                                            {8, 51, 112},
                                                            {53, 69, 108},
                                                            {79, 87, 108},
                                                            {102, 105, 112},
                                                            {125, 124, 120},
                                                            {148, 142, 119},
                                                            {174, 163, 113},
                                                            {200, 184, 102},
                                                            {229, 207, 82},
                                                            {254, 232, 56}}};

/// float `[H, W]` in 0 … 1 → `[H, W, 3]` in 0 … 255.
at::Tensor coloured(const at::Tensor& heat) {
  at::Tensor table = at::empty({static_cast<std::int64_t>(kCividis.size()), 3}, at::kFloat);
  for (std::size_t i = 0; i < kCividis.size(); ++i)
    for (std::size_t c = 0; c < 3; ++c) table.data_ptr<float>()[3 * i + c] = kCividis[i][c];
  const at::Tensor place = heat.clamp(0, 1) * static_cast<double>(kCividis.size() - 1);
  const at::Tensor below = place.floor().clamp_max(static_cast<double>(kCividis.size() - 2));
  const at::Tensor index = below.to(at::kLong).flatten(), share = (place - below).flatten().unsqueeze(1);
  const at::Tensor colours = table.index_select(0, index) * (1 - share) + table.index_select(0, index + 1) * share;
  return colours.view({heat.size(0), heat.size(1), 3});
}

}  // namespace

at::Tensor grad_cam(FingerprintNetwork& network, const at::Tensor& pixels, const Score& score, at::Device device) {
  network.to(device);
  network.eval();
  at::Tensor maps;
  {
    const at::NoGradGuard no_graph;
    maps = network.maps(pixels.unsqueeze(0).to(device)).to(at::kFloat);
  }
  maps = maps.detach().set_requires_grad(true);
  const at::AutoGradMode with_graph(true);
  const at::Tensor value = score(network.reduce(network.backbone().pool(maps)));
  const at::Tensor gradient = torch::autograd::grad({value}, {maps}).front();
  const at::NoGradGuard no_graph;
  const at::Tensor heat = (gradient.mean({2, 3}, true) * maps).sum(1).clamp_min(0)[0].cpu();
  const auto most = heat.max().item<float>();
  return most > 0 ? (heat / most).contiguous() : heat.contiguous();
}

at::Tensor overlay(const at::Tensor& pixels, const at::Tensor& heat) {
  const at::Tensor grey = pixels.to(at::kFloat).unsqueeze(2).expand({pixels.size(0), pixels.size(1), 3});
  const at::Tensor large = at::upsample_bilinear2d(heat.unsqueeze(0).unsqueeze(0), pixels.sizes(), false)[0][0];
  // Half of each: the bone stays visible under its heat, and cold black stays dark blue.
  const at::Tensor blended = 0.5 * grey + 0.5 * coloured(large);
  return at::cat({grey, blended}, 1).round().clamp(0, 255).to(at::kByte).contiguous();
}

}  // namespace osteon::training
