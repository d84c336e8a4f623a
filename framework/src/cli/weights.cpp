#include "cli/weights_export.hpp"
#include "pipeline/runner.hpp"
#include "training/weights_fit.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <charconv>
#include <iostream>

namespace osteon::cli {

namespace {

using training::StateDict;
using training::StoredTensor;

/// Which backbone weights are held against: that of an experiment, or one named alone.
struct BackboneArguments {
  std::filesystem::path experiment;
  std::string name;
  std::vector<std::string> overrides;
};

/// "depth=50" as a value of the parameter's type.
std::pair<std::string, ParameterValue> parsed(const Schema& schema, const std::string& word) {
  const std::size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  if (equals == std::string::npos) throw Error(text("--set ", word, ": expected NAME=VALUE, as in depth=50"));
  const std::string value = word.substr(equals + 1);
  const Parameter* parameter = schema.find(name);
  if (parameter == nullptr) return {name, value};  // the check of all parameters names it
  const auto number = [&](auto result) {
    const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), result);
    if (problem != std::errc() || end != value.data() + value.size())
      throw Error(text("--set ", word, ": expected a number"));
    return result;
  };
  switch (parameter->type) {
    case Parameter::Type::integer:
      return {name, number(std::int64_t{})};
    case Parameter::Type::real:
      return {name, number(double{})};
    case Parameter::Type::flag:
      if (value != "true" && value != "false") throw Error(text("--set ", word, ": expected true or false"));
      return {name, value == "true"};
    default:
      return {name, value};
  }
}

std::shared_ptr<Network> make_backbone(const BackboneArguments& arguments, Common& common) {
  host::Registry registry(host::Registry::search_path(common.plugin_folders));
  if (!arguments.experiment.empty()) {
    const config::Plan plan =
        config::load({arguments.experiment, arguments.overrides, {}}, pipeline::sections(), registry);
    const config::PluginChoice& choice = plan.points.front().experiment.only("backbone");
    return make_network(registry.find("backbone", choice.plugin), choice.parameters);
  }
  const host::LoadedPlugin& plugin = registry.find("backbone", arguments.name);
  std::map<std::string, ParameterValue> values;
  for (const std::string& word : arguments.overrides) values.insert(parsed(plugin.schema, word));
  return make_network(plugin, Parameters(plugin.schema, values));
}

void print_names(const char* what, const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 10;
  if (names.empty()) return;
  std::cout << what << names.size() << ": ";
  for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i) std::cout << (i == 0 ? "" : ", ") << names[i];
  if (names.size() > kMost) std::cout << " and " << names.size() - kMost << " more";
  std::cout << "\n";
}

void print_contents(const StateDict& weights) {
  std::int64_t numbers = 0;
  std::size_t width = 4;
  for (const StoredTensor& tensor : weights.tensors) {
    numbers += tensor.elements();
    width = std::max(width, training::shown(tensor.name).size());
  }
  std::cout << "container   " << weights.container << "\n";
  if (!weights.key.empty()) std::cout << "key         " << weights.key << "\n";
  std::cout << "tensors     " << weights.tensors.size() << ", " << numbers << " numbers\n";
  print_names("no tensors  ", weights.others);
  for (const StoredTensor& tensor : weights.tensors) {
    const std::string name = training::shown(tensor.name);
    std::cout << "  " << name << std::string(width - name.size() + 2, ' ') << training::type_text(tensor.type) << "  "
              << training::shape_text(tensor.sizes) << "\n";
  }
}

/// Returns whether they fit.
bool print_fit(const StateDict& weights, Network& backbone) {
  const training::WeightsFit fit = training::fit_weights(backbone, weights);
  std::cout << (fit.fits() ? "fits the backbone: " : "does not fit the backbone: ") << fit.matches.size()
            << " tensors go into it\n";
  if (!fit.prefix.empty()) std::cout << "prefix      " << fit.prefix << "\n";
  print_names("left out    ", fit.left_out);
  print_names("elsewhere   ", fit.outside);
  if (!fit.fits()) std::cout << fit.complaint().substr(1) << "\n";
  return fit.fits();
}

void add_inspect(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("inspect", "List what a file of weights holds, and whether it fits a backbone");
  struct Options {
    std::filesystem::path file;
    std::string key;
    BackboneArguments backbone;
  };
  auto options = std::make_shared<Options>();
  command->add_option("FILE", options->file, "A .pth or .safetensors file")->required()->type_name("");
  command->add_option("--key", options->key, "Which dictionary of tensors, where a .pth has several")->type_name("KEY");
  auto* experiment =
      command->add_option("--experiment", options->backbone.experiment, "Hold them against this experiment's backbone")
          ->type_name("FILE");
  auto* name = command->add_option("--backbone", options->backbone.name, "Hold them against this backbone plugin")
                   ->type_name("NAME")
                   ->excludes(experiment);
  command
      ->add_option("--set", options->backbone.overrides,
                   "A parameter: depth=50 of --backbone, backbone.depth=50 of --experiment")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false)
      ->take_all();
  add_plugins_option(*command, common);
  command->callback([&common, options, experiment, name] {
    const StateDict weights = training::read_state_dict(options->file, options->key);
    print_contents(weights);
    if (experiment->count() + name->count() == 0) {
      if (!options->backbone.overrides.empty()) throw Error("--set needs --backbone or --experiment");
      return;
    }
    if (!print_fit(weights, *make_backbone(options->backbone, common))) common.exit_code = 2;
  });
}

struct ConvertOptions {
  std::filesystem::path in, out;
  std::string key, prefix;
  bool half = false;
};

at::Tensor halved(const at::Tensor& tensor, const std::string& name) {
  if (!c10::isFloatingType(tensor.scalar_type())) return tensor;
  const at::Tensor result = tensor.to(at::kHalf);
  if (at::isinf(result).any().item<bool>() && !at::isinf(tensor).any().item<bool>())
    throw Error(text("\"", training::shown(name),
                     "\" holds numbers above 65504, the largest of half precision; leave --half out"));
  return result;
}

void convert(const ConvertOptions& options) {
  const StateDict weights = training::read_state_dict(options.in, options.key);
  std::vector<training::WrittenTensor> tensors;
  bool dropped = false;
  for (const StoredTensor& stored : weights.tensors) {
    const bool drop = !options.prefix.empty() && stored.name.starts_with(options.prefix);
    dropped |= drop;
    const bool half = options.half && c10::isFloatingType(stored.type);
    tensors.push_back({drop ? stored.name.substr(options.prefix.size()) : stored.name, half ? at::kHalf : stored.type,
                       stored.sizes, [&weights, &stored, half] {
                         const at::Tensor tensor = weights.read(stored);
                         return half ? halved(tensor, stored.name) : tensor;
                       }});
  }
  if (!options.prefix.empty() && !dropped)
    throw training::refusal(options.in, "no tensor's name begins with \"", options.prefix, "\"; the first is \"",
                            training::shown(weights.tensors.front().name), "\"");
  training::write_weights(options.out, tensors);
  std::cout << "wrote " << tensors.size() << " tensors to " << options.out.string() << "\n";
}

void add_convert(CLI::App& app) {
  auto* command = app.add_subcommand("convert", "Write a file's weights as .pth or .safetensors");
  auto options = std::make_shared<ConvertOptions>();
  command->add_option("IN", options->in, "A .pth or .safetensors file")->required()->type_name("");
  command->add_option("OUT", options->out, "The new file; its ending says which format")->required()->type_name("");
  command->add_option("--key", options->key, "Which dictionary of tensors, where a .pth has several")->type_name("KEY");
  command->add_option("--drop-prefix", options->prefix, "Leave this out in front of names: module.")
      ->type_name("PREFIX");
  command->add_flag("--half", options->half, "Floating-point numbers in half precision");
  command->callback([options] { convert(*options); });
}

void add_run_export(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("export", "Write a run's trained backbone with torchvision's names, for Python");
  auto options = std::make_shared<WeightsExport>();
  command->add_option("RUN", options->run, "The run's folder, as runs/quickstart-3f9a1c")->required()->type_name("");
  command->add_option("--out", options->file, "The new file, .pth or .safetensors")->required()->type_name("FILE");
  command->add_flag("--whole", options->whole, "Backbone, head and loss, under Osteon's own names");
  add_plugins_option(*command, common);
  command->callback([&common, options] {
    for (const std::string& line : export_weights(*options, common)) std::cout << line << "\n";
  });
}

}  // namespace

void add_weights(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand("weights", "Inspect, convert and export files of weights");
  command->require_subcommand(1);
  add_inspect(*command, common);
  add_convert(*command);
  add_run_export(*command, common);
}

}  // namespace osteon::cli
