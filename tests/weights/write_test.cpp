// Writing .pth and .safetensors: what is read back is what was written, complete or not at all.

#include "weights/support.hpp"

#include <sys/resource.h>

#include <csignal>

namespace osteon::training {
namespace {

std::vector<WrittenTensor> of_every_type() {
  std::vector<WrittenTensor> tensors;
  for (const at::ScalarType type :
       {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kInt, at::kShort, at::kChar})
    tensors.push_back(written(type_text(type), numbers({3, 5}, type)));
  tensors.push_back(written("uint8", at::arange(7, at::kByte)));
  tensors.push_back(written("bool", at::tensor({1, 0, 1}, at::kByte).to(at::kBool)));
  tensors.push_back(written("scalar", at::scalar_tensor(3.5)));
  tensors.push_back(written("empty", at::empty({0, 4})));
  tensors.push_back(written("turned", numbers({3, 5}).t()));
  tensors.push_back(written("a \"name\" with signs: µ/€", numbers({2})));
  return tensors;
}

class WriteWeights : public testing::TestWithParam<const char*> {
 protected:
  [[nodiscard]] fs::path file() const { return place_.path() / (std::string("w") + GetParam()); }
  test::TemporaryFolder place_;
};

TEST_P(WriteWeights, GivesBackWhatItWasGiven) {
  const auto tensors = of_every_type();
  write_weights(file(), tensors);
  const StateDict weights = read_state_dict(file());
  EXPECT_EQ(weights.tensors.size(), tensors.size());
  for (const WrittenTensor& tensor : tensors) expect_equal(read(weights, tensor.name), tensor.read(), tensor.name);
  EXPECT_FALSE(fs::exists(file().string() + ".partial"));
  const std::string once = read_file(file());
  write_weights(file(), tensors);
  EXPECT_EQ(read_file(file()), once) << "the same weights give the same bytes";
}

TEST_P(WriteWeights, LetsNumbersBeMapped) {
  write_weights(file(), of_every_type());
  for (const StoredTensor& tensor : read_state_dict(file()).tensors)
    EXPECT_EQ(tensor.first % c10::elementSize(tensor.type), 0U) << tensor.name;
}

TEST_P(WriteWeights, AFullDiskLeavesThePreviousFile) {
  write_weights(file(), std::vector{written("w", numbers({2}))});
  const std::string before = read_file(file());
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ::getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit small{4096, limit.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  const std::string message = message_of([&] {
    write_weights(file(), std::vector{written("w", numbers({100, 100}))});
  });
  ::setrlimit(RLIMIT_FSIZE, &limit);
  std::signal(SIGXFSZ, ignored);
  EXPECT_EQ(message, std::string("w") + GetParam() + ": cannot write: File too large");
  EXPECT_EQ(read_file(file()), before);
  EXPECT_FALSE(fs::exists(file().string() + ".partial"));
}

TEST_P(WriteWeights, RefusesTwoTensorsOfOneName) {
  EXPECT_EQ(message_of([&] {
              write_weights(file(), std::vector{written("w", numbers({2})), written("w", numbers({3}))});
            }),
            std::string("w") + GetParam() + ": two tensors are named \"w\"; leave --drop-prefix out");
  EXPECT_FALSE(fs::exists(file()));
}

INSTANTIATE_TEST_SUITE_P(Format, WriteWeights, testing::Values(".pth", ".safetensors"),
                         [](const auto& format) { return std::string(format.param + 1); });

TEST(WriteWeights, RefusesOtherEndings) {
  EXPECT_EQ(message_of([] { write_weights("w.onnx", std::vector{written("w", numbers({2}))}); }),
            "w.onnx: ends in \".onnx\"; weights are written as .pth or .safetensors");
}

}  // namespace
}  // namespace osteon::training
