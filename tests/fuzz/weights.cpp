// Files of weights in PyTorch's two containers and safetensors, down to the numbers of every tensor.

#include "harness.hpp"

#include "training/weights.hpp"

namespace osteon::fuzz {
namespace {

std::string read_weights(std::string_view bytes) {
  const std::filesystem::path file = put("weights.pth", bytes);
  const auto read = [&](const std::string& key) {
    return message_of([&] {
      const training::StateDict weights = training::read_state_dict(file, key);
      for (const training::StoredTensor& tensor : weights.tensors) (void)weights.read(tensor);
    });
  };
  const std::string message = read("");
  if (!message.empty() && bytes.find("state_dict") != std::string_view::npos) (void)read("state_dict");
  return message;
}

const Registered kWeights("weights", read_weights);

}  // namespace
}  // namespace osteon::fuzz
