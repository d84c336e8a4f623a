// Every check refuses the plugin that breaks its promise, with these words, and no other check does.

#include "contract/contract.hpp"

#include <gtest/gtest.h>

namespace osteon {
namespace {

namespace fs = std::filesystem;

struct Breaker {
  const char *plugin, *check;
  const char* says;  ///< up to numbers that differ between machines
};

fs::path breaker_library(const std::string& plugin) {
  return fs::path(OSTEON_BUILD_DIR) / "contract_breakers" / (plugin + ".so");
}

class BrokenContract : public testing::TestWithParam<Breaker> {};

TEST_P(BrokenContract, IsRefusedByOneCheck) {
  const auto [plugin, check, says] = GetParam();
  bool is_refused = false;
  for (const std::string_view each : contract::kChecks) {
    const contract::Outcome outcome = contract::run_check(each, {breaker_library(plugin), {}});
    if (each != check) {
      EXPECT_NE(outcome.result, contract::Result::failed) << each << ": " << outcome.says;
      continue;
    }
    is_refused = true;
    EXPECT_EQ(outcome.result, contract::Result::failed) << outcome.says;
    EXPECT_TRUE(outcome.says.starts_with(says)) << outcome.says;
  }
  EXPECT_TRUE(is_refused);
}

/// What only a process of its own survives or shows (command_test.cpp) is no fault of any other check.
TEST(BreakerOfAProcess, KeepsEveryOtherPromise) {
  for (const std::string plugin : {"crashes_on_one_image", "hangs_on_one_image", "wants_all_memory_on_one_image",
                                   "prints", "differs_between_processes"})
    for (const std::string_view check : contract::kChecks) {
      if (plugin.ends_with("_on_one_image") && check == "degenerate") continue;
      const contract::Outcome outcome = contract::run_check(check, {breaker_library("loss/" + plugin), {}});
      EXPECT_NE(outcome.result, contract::Result::failed) << plugin << ", " << check << ": " << outcome.says;
    }
}

std::string breaker_name(const testing::TestParamInfo<Breaker>& info) {
  const std::string plugin = info.param.plugin;
  return plugin.substr(plugin.find('/') + 1);
}

INSTANTIATE_TEST_SUITE_P(
    Breakers, BrokenContract,
    testing::Values(
        Breaker{"loss/version_in_words", "descriptor",
                "the version: expected numbers like 0.1.0, found \"the newest\""},
        Breaker{"loss/refuses_its_default", "parameters",
                "its defaults: expected to be accepted, found: a gap of 0.5 is too wide"},
        Breaker{"loss/takes_a_value_beyond_its_bound", "parameters",
                "parameter \"clusters\": expected 8 to be refused by its bound, integer, at most 4, found it accepted "
                "as one of its choices"},
        Breaker{"loss/fails_on_its_choice", "parameters",
                "parameter \"reduction\": expected \"sum\", which it declares, to be accepted, found: map::at"},
        Breaker{"loss/is_no_scalar", "outputs",
                "the loss of float32 embeddings: expected a scalar Float [], found Float [1]"},
        Breaker{"loss/no_number_where_equal", "degenerate",
                "embeddings that are all equal: expected a finite gradient, found one that is not"},
        Breaker{"metric/undefined_without_a_note", "degenerate",
                "no evidence at all: \"bones\" / \"held out\": expected a number, or a note that says why there is "
                "none, found NaN without a note"},
        Breaker{"loss/counts_its_calls", "determinism",
                "the same input twice, with another between: expected the same bits, found others"},
        Breaker{"surface/for_one_thread", "threads",
                "surfaces extracted in 4 threads at once: expected those of one thread, bit for bit, found others"},
        Breaker{"loss/has_no_gradient", "gradient",
                "the gradient of the embeddings: expected another than 0, found 0 everywhere"},
        Breaker{"loss/keeps_old_weights", "state", "the loss after its state was saved and copied back: expected "},
        Breaker{"backbone/forgets_its_mean", "state",
                "features after parameters and buffers were saved and copied into another network: expected the same "
                "bits, found others, up to "},
        Breaker{"classifier/keeps_the_first_gallery", "state",
                "answers after a second gallery: expected those of one that knows the second alone, found others"},
        Breaker{"loss/shares_its_gap", "instances",
                "one object's answers, after another with other parameters was made and used: expected the same bits, "
                "found others"},
        Breaker{"loss/leaks", "memory", "memory in use after "},
        Breaker{"renderer/swaps_rows_and_columns", "outputs",
                "line integrals of 2 exposures of 9 rows and 7 columns: expected contiguous Float [2, 2, 9, 7], found "
                "Float [2, 2, 7, 9]"}),
    breaker_name);

}  // namespace
}  // namespace osteon
