// What Inception networks are made of.

#include "blocks.hpp"

#include "convnet/convnet.hpp"

#include <torch/nn/functional/pooling.h>

namespace osteon::inception {

namespace {

nn::Conv2d convolution(std::int64_t in, std::int64_t out, const Unit& unit) {
  nn::Conv2dOptions options(in, out, {unit.height, unit.width});
  options.stride(unit.stride).bias(false);
  if (unit.padded && unit.stride == 1) options.padding({unit.height / 2, unit.width / 2});
  return nn::Conv2d(options);
}

torch::Tensor pooled(const torch::Tensor& maps, Pooling pooling) {
  if (pooling == Pooling::none) return maps;
  if (pooling == Pooling::maximum) return halved(maps);
  return nn::functional::avg_pool2d(
      maps, nn::functional::AvgPool2dFuncOptions(3).stride(1).padding(1).count_include_pad(pooling == Pooling::mean));
}

UnitModule added(nn::Module& block, std::int64_t in, const Unit& unit, double width) {
  const std::size_t dot = unit.name.find('.');
  if (dot == std::string::npos) return block.register_module(unit.name, UnitModule(in, unit, width));
  const std::string name = unit.name.substr(0, dot);
  const auto children = block.named_children();
  const std::shared_ptr<nn::Module> branch =
      children.contains(name) ? children[name] : block.register_module(name, std::make_shared<nn::Module>(name));
  return branch->register_module(unit.name.substr(dot + 1), UnitModule(in, unit, width));
}

}  // namespace

torch::Tensor halved(const torch::Tensor& maps) {
  return nn::functional::max_pool2d(maps, nn::functional::MaxPool2dFuncOptions(3).stride(2));
}

UnitModuleImpl::UnitModuleImpl(std::int64_t in, const Unit& unit, double width)
    : conv_(register_module("conv", convolution(in, convnet::scaled(unit.channels, width), unit))),
      bn_(register_module("bn",
                          nn::BatchNorm2d(nn::BatchNorm2dOptions(convnet::scaled(unit.channels, width)).eps(0.001)))) {}

JoinedBranches::JoinedBranches(nn::Module& block, std::int64_t in, const Branches& branches, double width) {
  for (const Branch& branch : branches) {
    Way way{branch.pooling, {}, {}};
    std::int64_t channels = in;
    for (const Unit& unit : branch.units) {
      way.units.push_back(added(block, channels, unit, width));
      channels = way.units.back()->channels();
    }
    for (const Unit& unit : branch.ends) {
      way.ends.push_back(added(block, channels, unit, width));
      channels_ += way.ends.back()->channels();
    }
    if (branch.ends.empty()) channels_ += channels;
    ways_.push_back(std::move(way));
  }
}

torch::Tensor JoinedBranches::forward(const torch::Tensor& input) {
  std::vector<torch::Tensor> parts;
  for (Way& way : ways_) {
    torch::Tensor maps = pooled(input, way.pooling);
    for (UnitModule& unit : way.units) maps = unit->forward(maps);
    for (UnitModule& unit : way.ends) parts.push_back(unit->forward(maps));
    if (way.ends.empty()) parts.push_back(maps);
  }
  return at::cat(parts, 1);
}

ResidualImpl::ResidualImpl(std::int64_t in, const Branches& branches, double scale, double width, bool linear)
    : branches_(*this, in, branches, width),
      conv2d_(register_module("conv2d", nn::Conv2d(nn::Conv2dOptions(branches_.channels(), in, 1)))),
      scale_(scale),
      linear_(linear) {}

torch::Tensor ResidualImpl::forward(const torch::Tensor& input) {
  torch::Tensor sum = at::add(input, conv2d_(branches_.forward(input)), scale_);
  return linear_ ? sum : sum.relu_();
}

}  // namespace osteon::inception
