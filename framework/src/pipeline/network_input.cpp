#include "pipeline/network_input.hpp"

#include "imaging/upright.hpp"
#include "pipeline/stages.hpp"

#include <ATen/Functions.h>

namespace osteon::pipeline {

NetworkInput network_input_of(const Parameters& training) {
  return {training.flag("upright"), training.text("planes")};
}

bool is_as_rendered(const NetworkInput& input) { return !input.is_upright && input.planes == "both"; }

at::Tensor as_seen(const at::Tensor& pairs, const NetworkInput& input) {
  at::Tensor seen = input.is_upright ? imaging::upright(pairs, kViews) : pairs;
  if (input.planes == "both") return seen;
  if (!input.is_upright) seen = pairs.clone();  // what was rendered stays
  const std::int64_t half = seen.size(2) / kViews;
  seen.narrow(2, input.planes == "ap" ? half : 0, half).zero_();
  return seen;
}

std::map<std::string, std::string> network_input_parts(const Parameters& training) {
  const auto all = training.canonical();
  std::map<std::string, std::string> parts;
  for (const char* name : {"upright", "planes"}) parts[std::string("training.") + name] = all.at(name);
  return parts;
}

}  // namespace osteon::pipeline
