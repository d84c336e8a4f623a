// Reading what Python wrote: containers, types, nesting, views.

#include "weights/support.hpp"

namespace osteon::training {
namespace {

/// The network of most fixtures.
void expect_state(const StateDict& weights, at::ScalarType type, const std::string& prefix = "") {
  EXPECT_EQ(names(weights), (std::vector<std::string>{prefix + "conv.weight", prefix + "conv.bias",
                                                      prefix + "bn.running_mean", prefix + "bn.num_batches_tracked"}));
  expect_equal(read(weights, prefix + "conv.weight"), numbers({4, 3, 3, 2}, type), "conv.weight");
  expect_equal(read(weights, prefix + "conv.bias"), numbers({4}, type), "conv.bias");
  expect_equal(read(weights, prefix + "bn.running_mean"), numbers({4}, type), "bn.running_mean");
  expect_equal(read(weights, prefix + "bn.num_batches_tracked"), at::scalar_tensor(7, at::kLong), "count");
}

TEST(ReadWeights, KnowsTheThreeContainersByTheirContent) {
  const auto container = [](const char* name) { return read_state_dict(fixture(name)).container; };
  EXPECT_EQ(container("zip.pth"), "zip (PyTorch 1.6 or newer)");
  EXPECT_EQ(container("legacy.pth"), "legacy (before PyTorch 1.6)");
  EXPECT_EQ(container("plain.safetensors"), "safetensors");
  for (const char* name : {"zip.pth", "legacy.pth", "plain.safetensors", "protocol4.pth"}) {
    SCOPED_TRACE(name);
    expect_state(read_state_dict(fixture(name)), at::kFloat);
  }
}

TEST(ReadWeights, KeepsTheTypeAsStored) {
  expect_state(read_state_dict(fixture("half.pth")), at::kHalf);
  expect_state(read_state_dict(fixture("half.safetensors")), at::kHalf);
  expect_state(read_state_dict(fixture("bfloat16.pth")), at::kBFloat16);
  expect_state(read_state_dict(fixture("double.pth")), at::kDouble);
  const StateDict integers = read_state_dict(fixture("types.pth"));
  for (const auto& [name, type] : std::map<std::string, at::ScalarType>{
           {"int64", at::kLong}, {"int32", at::kInt}, {"int16", at::kShort}, {"int8", at::kChar}})
    expect_equal(read(integers, name), numbers({5}, type), name);
  const StateDict bytes = read_state_dict(fixture("bytes.pth"));
  expect_equal(read(bytes, "uint8"), at::arange(5, at::kByte), "uint8");
  expect_equal(read(bytes, "bool"), at::tensor({1, 0}, at::kByte).to(at::kBool), "bool");
}

TEST(ReadWeights, FindsTheOnlyDictionaryOfTensors) {
  const StateDict weights = read_state_dict(fixture("nested.pth"));
  EXPECT_EQ(weights.key, "state_dict");
  expect_state(weights, at::kFloat);
  expect_state(read_state_dict(fixture("nested.pth"), "state_dict"), at::kFloat);
  EXPECT_EQ(read_state_dict(fixture("zip.pth")).key, "");
}

TEST(ReadWeights, AsksWhichOfSeveralDictionaries) {
  EXPECT_EQ(refused(fixture("two_sets.pth")),
            "two_sets.pth: holds 2 sets of weights: \"model\", \"ema.model\"; name one with --key, or with key = in "
            "[weights]");
  EXPECT_EQ(refused(fixture("two_sets.pth"), "emma"),
            "two_sets.pth: no tensors under the key \"emma\"; they stand under \"model\", \"ema.model\"");
  expect_state(read_state_dict(fixture("two_sets.pth"), "model"), at::kFloat);
  expect_state(read_state_dict(fixture("two_sets.pth"), "ema.model"), at::kHalf);
  EXPECT_EQ(refused(fixture("zip.pth"), "model"),
            "zip.pth: no key \"model\": its tensors stand in no dictionary of their own; leave key out");
  EXPECT_EQ(refused(fixture("plain.safetensors"), "model"),
            "plain.safetensors: no key \"model\": a .safetensors file holds one set of weights");
}

TEST(ReadWeights, KeepsPrefixes) { expect_state(read_state_dict(fixture("prefixed.pth")), at::kFloat, "module."); }

TEST(ReadWeights, ReadsParametersAndSaysWhatIsNoTensor) {
  const StateDict weights = read_state_dict(fixture("parameters.pth"));
  expect_equal(read(weights, "weight"), numbers({2, 3}), "weight");
  EXPECT_EQ(weights.others, std::vector<std::string>{"note"});
}

TEST(ReadWeights, FollowsStridesOffsetsAndSharedStorages) {
  const at::Tensor whole = numbers({4, 6});
  const StateDict strided = read_state_dict(fixture("strided.pth"));
  expect_equal(read(strided, "turned"), whole.t(), "turned");
  expect_equal(read(strided, "part"), whole.slice(0, 1, 3).slice(1, 2, 5), "part");
  expect_equal(read(strided, "row"), whole[2], "row");
  expect_equal(read(strided, "repeated"), numbers({3}).unsqueeze(0).expand({4, 3}), "repeated");
  expect_equal(read(strided, "last"), numbers({2, 3, 2, 2}), "last");
  expect_equal(read(strided, "empty"), at::empty({0, 5}), "empty");
  const StateDict shared = read_state_dict(fixture("shared.pth"));
  expect_equal(read(shared, "encoder"), whole, "encoder");
  expect_equal(read(shared, "decoder"), whole, "decoder");
}

TEST(ReadWeights, ReadsTensorsOfPyTorchBefore04) {
  const StateDict weights = read_state_dict(fixture("old.pth"));
  expect_equal(read(weights, "weight"), numbers({2, 3}), "weight");
  expect_equal(read(weights, "viewed"), numbers({10}).slice(0, 5, 9).view({2, 2}), "viewed");
}

TEST(ReadWeights, SaysWhatAFileIsThatHoldsNone) {
  EXPECT_EQ(refused(fixture("tensor.pth")),
            "tensor.pth: holds a single tensor; expected the dictionary of a network's: model.state_dict()");
  EXPECT_EQ(refused(fixture("no_weights.pth")),
            "no_weights.pth: holds no weights: expected a dictionary of tensors, as model.state_dict() makes it");
  EXPECT_EQ(refused(fs::path(OSTEON_SOURCE_DIR) / "README.md"),
            "README.md: no file of weights: expected PyTorch's .pth (written by torch.save) or .safetensors");
  EXPECT_EQ(refused(fixture("nothing.pth")), "nothing.pth: cannot read: No such file or directory");
  EXPECT_EQ(refused(fixture("")), ": no file; expected a .pth or .safetensors file of weights");
}

}  // namespace
}  // namespace osteon::training
