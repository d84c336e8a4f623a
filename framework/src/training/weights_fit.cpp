// Weights of a file against a backbone; see the header.

#include "training/weights_fit.hpp"

#include <osteon/digest.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdlib>
#include <set>

namespace osteon::training {

namespace {

/// Counts of the batches that a normalisation has seen: networks of before PyTorch 0.4.1 have none, and nothing here
/// depends on them.
bool is_optional(std::string_view name) { return name.ends_with("num_batches_tracked"); }

std::vector<std::pair<std::string, at::Tensor>> tensors_of(Network& network) {
  std::vector<std::pair<std::string, at::Tensor>> result;
  for (const auto& parameter : network.named_parameters()) result.emplace_back(parameter.key(), parameter.value());
  for (const auto& buffer : network.named_buffers()) result.emplace_back(buffer.key(), buffer.value());
  return result;
}

/// What stands in front of the network's names in the file: that with which most of them are found, at least half.
std::string find_prefix(const std::set<std::string, std::less<>>& names, const StateDict& weights) {
  std::map<std::string, std::size_t> found;
  for (const StoredTensor& tensor : weights.tensors) {
    const std::string_view name = tensor.name;
    if (names.contains(name)) ++found[""];
    for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1))
      if (names.contains(name.substr(dot + 1))) ++found[std::string(name.substr(0, dot + 1))];
  }
  std::string best;
  for (const auto& [prefix, count] : found)
    if (count > found[best] || (count == found[best] && prefix.size() < best.size())) best = prefix;
  return 2 * found[best] >= names.size() ? best : "";
}

bool is_left_out(std::string_view name, const std::vector<std::string>& layers) {
  return std::ranges::any_of(layers,
                             [&](const std::string& layer) { return name == layer || name.starts_with(layer + "."); });
}

std::string listed(const char* what, const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 10;
  if (names.empty()) return "";
  std::string line = text("\n  ", what, " (", names.size(), "): ");
  for (std::size_t i = 0; i < std::min(kMost, names.size()); ++i) line += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kMost ? text(line, " and ", names.size() - kMost, " more") : line;
}

/// A first convolution of 1 channel where the file's has 3, or the other way round.
std::string channels_advice(const std::vector<std::pair<at::IntArrayRef, at::IntArrayRef>>& shapes) {
  for (const auto& [theirs, ours] : shapes) {
    if (theirs.size() != 4 || ours.size() != 4 || theirs[0] != ours[0] || theirs.slice(2) != ours.slice(2)) continue;
    if ((theirs[1] == 3 && ours[1] == 1) || (theirs[1] == 1 && ours[1] == 3))
      return text("the file's network takes images of ", theirs[1], theirs[1] == 1 ? " channel" : " channels",
                  ": set backbone.channels = ", theirs[1]);
  }
  return "";
}

/// Most layers wider or narrower by the same factor.
std::string width_advice(const std::vector<std::pair<at::IntArrayRef, at::IntArrayRef>>& shapes) {
  std::map<double, std::size_t> factors;
  for (const auto& [theirs, ours] : shapes)
    if (theirs.size() == ours.size() && !ours.empty() && ours[0] > 0 && theirs[0] != ours[0])
      ++factors[static_cast<double>(theirs[0]) / static_cast<double>(ours[0])];
  for (const auto& [factor, count] : factors)
    if (count > 1 && 2 * count > shapes.size())
      return text("the file's layers are ", factor, " times as wide as the backbone's: multiply backbone.width by ",
                  factor, " (published weights need width = 1)");
  return "";
}

std::string advice_for(const WeightsFit& fit,
                       const std::vector<std::pair<at::IntArrayRef, at::IntArrayRef>>& misshapen) {
  std::string result;
  const auto add = [&](const std::string& sentence) { result += (result.empty() ? "" : "; ") + sentence; };
  if (const std::string channels = channels_advice(misshapen); !channels.empty()) add(channels);
  if (const std::string width = width_advice(misshapen); !width.empty()) add(width);
  if (!fit.missing.empty() || !fit.unexpected.empty())
    add(fit.matches.empty() && fit.misfits.empty()
            ? "none of its names is the backbone's: it belongs to a network of another kind (backbone.plugin)"
            : "it belongs to a network of another kind or depth: see backbone.plugin and the parameters that "
              "osteon describe lists");
  if (result.empty() && !fit.misfits.empty()) add("it belongs to another network");
  return result;
}

/// Whether a number that is copied still means the same: quantised integers would become weights without their scale.
bool is_convertible(at::ScalarType from, at::ScalarType to) {
  return from == to || (c10::isFloatingType(from) && c10::isFloatingType(to)) ||
         (c10::isIntegralType(from, false) && c10::isIntegralType(to, false));
}

}  // namespace

Schema weights_schema() {
  return {
      "First weights of the backbone from a file instead of random ones; all its tensors must be there and fit. The "
      "class layer is left out, and the head starts at random.",
      {Parameter::path("path", "",
                       "PyTorch's .pth (of a state_dict) or .safetensors; scripts/fetch_weights downloads "
                       "torchvision's. Empty: random weights."),
       Parameter::text("key", "",
                       "Where a .pth holds several dictionaries of tensors: the name of one, as \"state_dict\"; "
                       "empty takes the only one.")}};
}

std::map<std::string, std::string> weights_parts(const Parameters& weights) {
  const std::filesystem::path path = weights.path("path");
  if (path.empty()) return {};
  return {{"weights.content", sha256_of_file(path)}, {"weights.key", weights.text("key")}};
}

std::string WeightsFit::complaint() const {
  if (fits()) return "";
  return listed("missing", missing) + listed("unexpected", unexpected) + listed("of another shape", misfits) +
         (advice.empty() ? "" : "\n  " + advice);
}

WeightsFit fit_weights(Network& backbone, const StateDict& weights) {
  const auto own = tensors_of(backbone);
  const std::vector<std::string> layers = backbone.left_out_layers();
  std::set<std::string, std::less<>> names;
  for (const auto& [name, tensor] : own)
    if (!is_optional(name)) names.insert(name);
  WeightsFit fit;
  fit.prefix = find_prefix(names, weights);
  std::map<std::string, const StoredTensor*, std::less<>> theirs;
  for (const StoredTensor& tensor : weights.tensors) {
    if (tensor.name.starts_with(fit.prefix)) {
      theirs.emplace(tensor.name.substr(fit.prefix.size()), &tensor);
    } else {
      fit.outside.push_back(shown(tensor.name));
    }
  }
  std::vector<std::pair<at::IntArrayRef, at::IntArrayRef>> misshapen;
  for (const auto& [name, tensor] : own) {
    const auto found = theirs.find(name);
    if (found == theirs.end()) {
      if (!is_optional(name)) fit.missing.push_back(name);
      continue;
    }
    const StoredTensor& stored = *found->second;
    theirs.erase(found);
    if (at::IntArrayRef(stored.sizes) != tensor.sizes()) {
      fit.misfits.push_back(
          text(name, " is ", shape_text(stored.sizes), " and the backbone's is ", shape_text(tensor.sizes())));
      misshapen.emplace_back(stored.sizes, tensor.sizes());
    } else if (!is_convertible(stored.type, tensor.scalar_type())) {
      fit.misfits.push_back(
          text(name, " is ", type_text(stored.type), " and the backbone's is ", type_text(tensor.scalar_type())));
    } else {
      fit.matches.push_back({&stored, tensor});
    }
  }
  for (const auto& [name, tensor] : theirs) {
    if (is_left_out(name, layers)) {
      fit.left_out.push_back(shown(name));
    } else if (!is_optional(name)) {
      fit.unexpected.push_back(shown(name));
    }
  }
  fit.advice = advice_for(fit, misshapen);
  return fit;
}

void load_backbone_weights(Network& backbone, const StateDict& weights) {
  const WeightsFit fit = fit_weights(backbone, weights);
  const auto& path = weights.file->path();
  if (!fit.fits()) throw refusal(path, "does not fit the backbone:", fit.complaint());
  const at::NoGradGuard no_graph;
  std::vector<std::string> not_finite;
  for (const WeightsFit::Match& match : fit.matches) {
    at::Tensor parameter = match.parameter;
    const at::Tensor values = weights.read(*match.stored).to(parameter.scalar_type());
    if (c10::isFloatingType(values.scalar_type()) && !at::isfinite(values).all().item<bool>())
      not_finite.push_back(shown(match.stored->name));
    parameter.copy_(values);
  }
  if (!not_finite.empty())
    throw refusal(path, "holds numbers that are infinite or no numbers:", listed("in", not_finite));
}

void load_backbone_weights(Network& backbone, const Parameters& weights) {
  const std::filesystem::path path = weights.path("path");
  const std::string& key = weights.text("key");
  if (path.empty()) return;
  load_backbone_weights(backbone, read_state_dict(path, key));
}

}  // namespace osteon::training
