#include "cli/weights_export.hpp"

#include "host/handles.hpp"
#include "pipeline/opened.hpp"
#include "pipeline/runner.hpp"
#include "pipeline/stored_model.hpp"
#include "training/weights_fit.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>
#include <torch/nn/modules/conv.h>

#include <optional>

namespace osteon::cli {

namespace {

namespace fs = std::filesystem;
using Tensors = std::map<std::string, at::Tensor>;

/// Linear class weights and biases of the embeddings, where the model has them and its embeddings are the backbone's
/// features: the class layer as torchvision has it.
struct ClassLayer {
  at::Tensor weight, bias;
};
std::optional<ClassLayer> class_layer(const Tensors& tensors, const Parameters& head, Network& backbone) {
  const auto weight = tensors.find("loss.weight"), bias = tensors.find("loss.bias");
  if (head.integer("pairs") != 0 || weight == tensors.end() || bias == tensors.end()) return std::nullopt;
  if (weight->second.dim() != 2 || weight->second.size(1) != backbone.features() || bias->second.dim() != 1 ||
      bias->second.size(0) != weight->second.size(0))
    return std::nullopt;
  return ClassLayer{weight->second, bias->second};
}

/// "features.0" → "features[0]": how Python reaches a submodule.
std::string python_path(const std::string& name) {
  std::string result, part;
  std::istringstream parts(name);
  while (std::getline(parts, part, '.')) {
    const bool number = !part.empty() && std::isdigit(static_cast<unsigned char>(part.front())) != 0;
    result += number ? "[" + part + "]" : (result.empty() ? "" : ".") + part;
  }
  return result;
}

/// The first convolution when it takes one channel, as Python makes it; torchvision's takes three.
std::string stem_line(Network& network) {
  for (const auto& module : network.named_modules("", false)) {
    const auto* convolution = module.value()->as<torch::nn::Conv2d>();
    if (convolution == nullptr) continue;
    const auto& o = convolution->options;
    if (o.in_channels() != 1) return "";
    const auto pair = [](const auto& size) { return text("(", size->at(0), ", ", size->at(1), ")"); };
    // Unqualified: the variant is LibTorch's own in 1.13 and the standard library's in 2.x.
    const auto* padding = get_if<torch::ExpandingArray<2>>(&o.padding());
    return text("model.", python_path(module.key()), " = torch.nn.Conv2d(1, ", o.out_channels(),
                ", kernel_size=", pair(o.kernel_size()), ", stride=", pair(o.stride()),
                padding == nullptr ? "" : ", padding=" + pair(*padding), o.bias() ? ")" : ", bias=False)");
  }
  return "";
}

/// The name of the network in Python, by the convention of its packages: name and depth, then version, then "_bn".
std::string python_name(const config::PluginChoice& choice) {
  const auto& values = choice.parameters.values();
  std::string name = choice.plugin;
  if (const auto depth = values.find("depth"); depth != values.end()) name += to_text(depth->second);
  if (const auto version = values.find("version"); version != values.end())
    if (const auto* word = std::get_if<std::string>(&version->second)) name += "_" + *word;
  if (const auto norm = values.find("batch_norm"); norm != values.end() && norm->second == ParameterValue(true))
    name += "_bn";
  return name;
}

bool is_pooled(const config::PluginChoice& choice) {
  const auto found = choice.parameters.values().find("features");
  return found != choice.parameters.values().end() && found->second == ParameterValue(std::string("pooled"));
}

/// What makes the network in Python and gives it the file's weights.
std::vector<std::string> python_lines(const config::PluginChoice& choice, Network& network,
                                      const std::optional<ClassLayer>& classes, const fs::path& file) {
  const auto& values = choice.parameters.values();
  if (const auto width = values.find("width"); width != values.end() && width->second != ParameterValue(1.0))
    return {text("Python's ready-made networks have width = 1 and this one ", to_text(width->second),
                 ": build it there with narrower layers of the same names")};
  const std::vector<std::string> left_out = network.left_out_layers();
  const std::string layer = left_out.empty() ? "" : left_out.front(), name = python_name(choice);
  const bool torchvision = layer == "fc" || layer.starts_with("classifier");
  const bool auxiliary = std::ranges::any_of(left_out, [](const std::string& each) { return each.starts_with("Aux"); });
  std::vector<std::string> lines = {
      torchvision ? "import torch, torchvision" : "import torch, timm",
      torchvision ? "model = torchvision.models." + name + (auxiliary ? "(aux_logits=False, init_weights=False)" : "()")
                  : "model = timm.create_model(\"" + name + "\")"};
  if (const std::string stem = stem_line(network); !stem.empty()) lines.push_back(stem);
  if (layer == "classifier" && is_pooled(choice)) lines.push_back("model.avgpool = torch.nn.AdaptiveAvgPool2d(1)");
  if (!layer.empty())
    lines.push_back(
        text("model.", python_path(layer), " = torch.nn.",
             classes ? text("Linear(", classes->weight.size(1), ", ", classes->weight.size(0), ")") : "Identity()"));
  const std::string path = file.filename().string();
  lines.push_back(file.extension() == ".safetensors"
                      ? "model.load_state_dict(safetensors.torch.load_file(\"" + path + "\"))"
                      : "model.load_state_dict(torch.load(\"" + path + "\"))");
  if (file.extension() == ".safetensors") lines.front() += ", safetensors.torch";
  return lines;
}

}  // namespace

std::shared_ptr<Network> make_network(const host::LoadedPlugin& plugin, const Parameters& parameters) {
  constexpr std::int64_t kSize = 299;  // the largest that a network of the study asks for
  return host::BackboneHandle(plugin, parameters).make(1, kSize, kSize);
}

std::vector<std::string> export_weights(const WeightsExport& request, Common& common) {
  const store::Artifact model = pipeline::stored_model(request.run).artifact;
  host::Registry registry(host::Registry::search_path(common.plugin_folders));
  const config::Plan plan = config::load({request.run / "experiment.toml", {}, {}}, pipeline::sections(), registry);
  const config::Experiment& experiment = plan.points.front().experiment;
  const config::PluginChoice& choice = experiment.only("backbone");
  const auto network = make_network(registry.find("backbone", choice.plugin), choice.parameters);
  if (!request.whole && network->parameters().empty())
    throw Error(text("backbone/", choice.plugin, " has no weights; export the head too, with --whole"));
  const std::optional<ClassLayer> classes = class_layer(model.tensors, experiment.sections.at("head"), *network);
  constexpr std::string_view kNetwork = "network.", kBackbone = "network.backbone.";
  std::vector<training::WrittenTensor> tensors;
  for (const auto& [name, tensor] : model.tensors) {
    if (request.whole) {
      tensors.push_back(training::written(name.starts_with(kNetwork) ? name.substr(kNetwork.size()) : name, tensor));
    } else if (name.starts_with(kBackbone)) {
      tensors.push_back(training::written(name.substr(kBackbone.size()), tensor));
    }
  }
  if (!request.whole && classes) {
    const std::string layer = network->left_out_layers().front();
    tensors.push_back(training::written(layer + ".weight", classes->weight));
    tensors.push_back(training::written(layer + ".bias", classes->bias));
  }
  if (request.file.has_parent_path()) pipeline::make_folder(request.file.parent_path());
  training::write_weights(request.file, tensors);
  std::vector<std::string> told = {text("wrote ", tensors.size(), " tensors to ", request.file.string())};
  if (request.whole) {
    told.push_back("the network's parts begin with backbone., reductions., whitening_ and loss.");
    return told;
  }
  told.push_back("in Python:");
  for (const std::string& line : python_lines(choice, *network, classes, request.file)) told.push_back("  " + line);
  return told;
}

}  // namespace osteon::cli
