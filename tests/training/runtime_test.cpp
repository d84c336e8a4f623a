// training.precision = "auto": what it chooses, and that choosing it by name is the same.

#include "training/runtime.hpp"

#include "training/fixtures.hpp"

#include <torch/torch.h>

#include <fstream>
#include <thread>

namespace osteon::training {
namespace {

Parameters with_precision(const std::string& precision) {
  return test::training_parameters({{"precision", precision}, {"device", std::string("cpu")}});
}

/// The processor's flags as the kernel lists them; "" where it lists none.
std::string processor_flags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("flags")) return line + " ";
  return "";
}

TEST(Precision, IsWhatIsAskedFor) {
  for (const char* precision : {"bf16", "fp32"}) EXPECT_EQ(resolved_precision(with_precision(precision)), precision);
}

TEST(Precision, AutoIsBf16WhereTheProcessorComputesItFast) {
  const std::string flags = processor_flags();
  if (flags.empty()) GTEST_SKIP() << "this system does not list the processor's flags";
  bool is_fast = true;
  for (const char* needed : {" avx512bw ", " avx512vl ", " avx512dq "})
    is_fast = is_fast && flags.find(needed) != std::string::npos;
  EXPECT_EQ(resolved_precision(with_precision("auto")), is_fast ? "bf16" : "fp32");
}

TEST(Precision, AutoIsTheDefaultAndGivesTheSameFingerprintsAsItsChoiceByName) {
  EXPECT_EQ(test::training_parameters({}).text("precision"), "auto");
  const Data data = test::made_up_data(2, 6, 32);
  const auto fingerprints = [&](const std::string& precision) {
    const Parameters parameters = with_precision(precision);
    const auto network = make_network(test::make<host::BackboneHandle>("backbone", "resnet", {{"width", 0.125}}),
                                      test::head_parameters({{"dimensions", std::int64_t{32}}}), parameters, 32, 32);
    return test::embed_all(*network, data.pixels, parameters);
  };
  const std::string chosen = resolved_precision(with_precision("auto")), other = chosen == "bf16" ? "fp32" : "bf16";
  const at::Tensor by_default = fingerprints("auto");
  EXPECT_TRUE(by_default.equal(fingerprints(chosen)));
  EXPECT_FALSE(by_default.equal(fingerprints(other)));
  EXPECT_TRUE(by_default.allclose(fingerprints(other), 0, 0.05)) << "unit rows, but for bf16's eight bits";
}

TEST(Threads, AreAllCoresWhereTheFileSaysNone) {
  EXPECT_EQ(resolved_threads(test::training_parameters({{"threads", std::int64_t{3}}})), 3);
  EXPECT_EQ(resolved_threads(test::training_parameters({{"threads", std::int64_t{0}}})),
            std::max(1, static_cast<int>(std::thread::hardware_concurrency())));
}

}  // namespace
}  // namespace osteon::training
