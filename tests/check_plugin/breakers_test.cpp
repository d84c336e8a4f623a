// Every check refuses the plugin that breaks its promise, with these words, and no other check does.

#include "captured.hpp"

#include <regex>

namespace osteon {
namespace {

namespace fs = std::filesystem;

struct Breaker {
  const char *plugin, *check;
  const char* says;  ///< all of it; # stands for a number that differs between machines
};

fs::path breaker_library(const std::string& plugin) {
  return fs::path(OSTEON_BUILD_DIR) / "contract_breakers" / (plugin + ".so");
}

bool is_said(const std::string& words, const std::string& expected) {
  const std::string literal = std::regex_replace(expected, std::regex(R"([.^$|()\[\]{}*+?\\])"), R"(\$&)");
  return std::regex_match(words, std::regex(std::regex_replace(literal, std::regex("#"), "-?[0-9.]+(?:e[-+][0-9]+)?")));
}

class BrokenContract : public testing::TestWithParam<Breaker> {};

TEST_P(BrokenContract, IsRefusedByOneCheck) {
  const auto [plugin, check, says] = GetParam();
  bool is_refused = false;
  for (const std::string_view each : contract::kChecks) {
    const auto [outcome, printed] = test::captured_check(each, {breaker_library(plugin), {}});
    EXPECT_EQ(printed, "") << each;
    if (each == "devices" && check == each && outcome.result == contract::Result::not_run) GTEST_SKIP() << outcome.says;
    if (each != check) {
      EXPECT_NE(outcome.result, contract::Result::failed) << each << ": " << outcome.says;
      continue;
    }
    is_refused = true;
    EXPECT_EQ(outcome.result, contract::Result::failed) << outcome.says;
    EXPECT_TRUE(is_said(outcome.says, says)) << "found    " << outcome.says << "\nexpected " << says;
  }
  EXPECT_TRUE(is_refused);
}

/// What only a process of its own survives or shows (command_test.cpp) is no fault of any other check.
class BreakerOfAProcess : public testing::TestWithParam<const char*> {};

TEST_P(BreakerOfAProcess, KeepsEveryOtherPromise) {
  const std::string plugin = GetParam();
  for (const std::string_view check : contract::kChecks) {
    if (plugin.ends_with("_on_one_image") && check == "degenerate") continue;
    const auto [outcome, printed] = test::captured_check(check, {breaker_library("loss/" + plugin), {}});
    EXPECT_NE(outcome.result, contract::Result::failed) << check << ": " << outcome.says;
    EXPECT_TRUE(printed.empty() || plugin == "prints") << check << ": " << printed;
  }
}

std::string process_breaker_name(const testing::TestParamInfo<const char*>& info) { return info.param; }

INSTANTIATE_TEST_SUITE_P(Breakers, BreakerOfAProcess,
                         testing::Values("crashes_on_one_image", "hangs_on_one_image", "wants_all_memory_on_one_image",
                                         "prints", "differs_between_processes"),
                         process_breaker_name);

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
        Breaker{"format/loses_a_triangle", "outputs", "a surface written as .few: expected 512 triangles, found 511"},
        Breaker{"reporter/needs_a_figure", "degenerate",
                "a run that fails without a figure: expected an answer, or an Error that says what is wrong, found "
                "another exception: vector::_M_range_check: __n (which is 0) >= this->size() (which is 0)"},
        Breaker{"loss/no_number_where_equal", "degenerate",
                "embeddings that are all equal: expected a finite gradient, found one that is not"},
        Breaker{"metric/undefined_without_a_note", "degenerate",
                "no evidence at all: \"bones\" / \"held out\": expected a number, or a note that says why there is "
                "none, found NaN without a note"},
        Breaker{"loss/counts_its_calls", "determinism",
                "the same input twice, with another between: expected the same bits, found others"},
        Breaker{"surface/for_one_thread", "threads",
                "surfaces extracted in 4 threads at once: expected those of one thread, bit for bit, found others"},
        Breaker{"shape/answers_one_at_a_time", "threads",
                "two shapes asked for in 2 threads at once: expected those of one thread, bit for bit, found others"},
        Breaker{"loss/stays_on_the_cpu", "devices",
                "the loss of embeddings on CUDA: expected one on CUDA, found one "
                "on cpu"},
        Breaker{"loss/has_no_gradient", "gradient",
                "the gradient of the embeddings: expected another than 0, found 0 everywhere"},
        Breaker{"loss/keeps_old_weights", "state",
                "the loss after its state was saved and copied back: expected #, as before, found #"},
        Breaker{"backbone/forgets_its_mean", "state",
                "features after parameters and buffers were saved and copied into another network: expected the same "
                "bits, found others, up to # beside them"},
        Breaker{"classifier/keeps_the_first_gallery", "state",
                "answers after a second gallery: expected those of one that knows the second alone, found others"},
        Breaker{"loss/shares_its_gap", "instances",
                "one object's answers, after another with other parameters was made and used: expected the same bits, "
                "found others"},
        Breaker{"loss/sets_the_threads_of_all", "instances",
                "the process's number of LibTorch's threads: expected #, as before, found 7"},
        Breaker{"loss/leaks", "memory",
                "memory in use after # more uses: expected what it was before, found at least # bytes more, each of 9 "
                "times"},
        Breaker{"renderer/swaps_rows_and_columns", "outputs",
                "line integrals of 2 exposures of 9 rows and 7 columns: expected contiguous Float [2, 2, 9, 7], found "
                "Float [2, 2, 7, 9]"}),
    breaker_name);

}  // namespace
}  // namespace osteon
