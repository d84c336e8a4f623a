// `osteon check-plugin`: what a process must be given for, the text, the exit codes.

#include "pipeline/command.hpp"

#include <gtest/gtest.h>

namespace osteon::test {
namespace {

std::string breaker(const std::string& name, const std::string& kind = "loss") {
  return std::string(OSTEON_BUILD_DIR) + "/contract_breakers/" + kind + "/" + name + ".so";
}

std::string built(const std::string& id) { return std::string(OSTEON_BUILD_DIR) + "/lib/osteon/plugins/" + id + ".so"; }

/// The findings of one library: check → "result" or "FAILED: says".
struct Findings {
  int code = 0;
  std::string out, err;
  std::map<std::string, std::string> checks;
};

Findings findings(const std::string& arguments) {
  const Workplace place;
  const auto outcome = place.osteon("check-plugin " + arguments + " --json found.json");
  Findings found{outcome.code, outcome.out, outcome.err, {}};
  if (!fs::exists(place.folder() / "found.json")) return found;
  const auto told = nlohmann::json::parse(read(place.folder() / "found.json"));
  for (const auto& line : told.at("checks")) {
    const std::string result = line.at("result"), says = line.at("says");
    found.checks[line.at("check")] = result == "FAILED" ? "FAILED: " + says : result;
  }
  return found;
}

/// This check alone has failed; its words.
std::string only_failure(const Findings& found, const std::string& check) {
  EXPECT_EQ(found.code, 1) << found.out << found.err;
  for (const auto& [each, words] : found.checks)
    if (each != check) {
      EXPECT_FALSE(words.starts_with("FAILED")) << each << ": " << words;
    }
  return found.checks.contains(check) ? found.checks.at(check) : found.out + found.err;
}

TEST(CheckPlugin, ACrashIsAFindingWithItsSignal) {
  const std::string words =
      only_failure(findings(breaker("crashes_on_one_image") + " --check degenerate"), "degenerate");
  EXPECT_TRUE(words.starts_with("FAILED: expected an answer, found that the process ended by SIGSEGV after ")) << words;
  EXPECT_TRUE(words.ends_with(" s: osteon: loss/crashes_on_one_image crashed (SIGSEGV)")) << words;
}

TEST(CheckPlugin, AHangIsAFindingWithItsTime) {
  EXPECT_EQ(only_failure(findings(breaker("hangs_on_one_image") + " --check degenerate --seconds 10"), "degenerate"),
            "FAILED: expected an answer, found none after 10 s, when it was killed");
}

TEST(CheckPlugin, EndlessMemoryIsAFinding) {
  EXPECT_EQ(only_failure(findings(breaker("wants_all_memory_on_one_image") + " --check degenerate --memory 1.5"),
                         "degenerate"),
            "FAILED: a batch of one image: expected an answer within the limit of memory, found std::bad_alloc");
}

TEST(CheckPlugin, PrintingIsAFinding) {
  const std::string words = only_failure(findings(breaker("prints") + " --check outputs"), "output");
  EXPECT_TRUE(
      words.starts_with("FAILED: standard output and error in the check \"outputs\": expected nothing, found "
                        "\"computing\" ("))
      << words;
}

TEST(CheckPlugin, OtherBitsInASecondProcessAreAFinding) {
  EXPECT_EQ(only_failure(findings(breaker("differs_between_processes") + " --check determinism"), "determinism"),
            "FAILED: the same input in a second process: expected the same bits, found others");
}

TEST(CheckPlugin, ACrashWhileLoadingLeavesNothingToCheck) {
  const Findings found = findings(std::string(OSTEON_BUILD_DIR) + "/broken_plugins/loss/crash_while_loading.so");
  const std::string words = only_failure(found, "descriptor");
  EXPECT_NE(words.find("crashed while it was being loaded"), std::string::npos) << words;
  EXPECT_EQ(found.checks.at("memory"), "not run");
}

TEST(CheckPlugin, APluginOfAnotherBuildIsShownBothSides) {
  const std::string words = only_failure(
      findings(std::string(OSTEON_BUILD_DIR) + "/broken_plugins/loss/other_sdk.so --check outputs"), "descriptor");
  EXPECT_NE(words.find("was built for another Osteon\n  plugin  sdk0_9"), std::string::npos) << words;
}

TEST(CheckPlugin, ASoundPluginIsToldSoWithVersionsAndTheMachine) {
  const Findings found = findings(built("loss/triplet"));
  EXPECT_EQ(found.code, 0) << found.out << found.err;
  EXPECT_EQ(found.err, "");
  for (const char* part : {"loss/triplet in triplet.so\n", "\n LibTorch ", "\n host's build      sdk", "\n processor ",
                           "\n descriptor   ok        loss/triplet 0.1.0, build ", "\n determinism  ok        ",
                           "\n threads      not for this kind: ", "\n output       ok        "})
    EXPECT_NE(found.out.find(part), std::string::npos) << part << found.out;
  EXPECT_NE(found.out.find(" checks passed, "), std::string::npos) << found.out;
  EXPECT_EQ(found.checks.size(), 12U);
}

TEST(CheckPlugin, AnswersOfOtherKindsAreTheSameInTwoProcesses) {
  for (const char* plugin : {"classifier/knn", "metric/identification", "renderer/joseph", "backbone/resnet"}) {
    const std::string width = std::string(plugin).starts_with("backbone") ? " --set width=0.125" : "";
    const Findings found = findings(built(plugin) + " --check determinism" + width);
    EXPECT_EQ(found.code, 0) << found.out << found.err;
    EXPECT_EQ(found.checks.at("determinism"), "ok");
    EXPECT_EQ(found.checks.size(), 3U);
  }
}

TEST(CheckPlugin, OneCheckRunsInThisProcessForADebugger) {
  const Workplace place;
  const std::string sound = "check-plugin '" + built("loss/triplet") + "' --in-process";
  const auto passed = place.osteon(sound + " --check gradient");
  EXPECT_EQ(passed.code, 0) << passed.err;
  EXPECT_TRUE(passed.out.starts_with(" gradient     ok ")) << passed.out;
  EXPECT_EQ(place.osteon(sound).err, "--in-process runs one check: name it, as in --check gradient\n");
  EXPECT_EQ(place.osteon(sound + " --check gradient --seconds 3").code, 2);
  // A crash is the process's own, and not a finding.
  const auto crashed =
      place.osteon("check-plugin " + breaker("crashes_on_one_image") + " --check degenerate --in-process");
  EXPECT_EQ(crashed.code, 128 + SIGSEGV) << crashed.out;
  EXPECT_NE(crashed.err.find("loss/crashes_on_one_image crashed (SIGSEGV)"), std::string::npos) << crashed.err;
}

TEST(CheckPlugin, TheUsersMistakesAreNoFindings) {
  const Workplace place;
  const auto missing = place.osteon("check-plugin nowhere.so");
  EXPECT_EQ(missing.code, 2);
  EXPECT_EQ(missing.err, "nowhere.so: no such file; give the shared library that add_osteon_plugin built\n");
  const auto no_plugin =
      place.osteon("check-plugin '" + std::string(OSTEON_BUILD_DIR) + "/broken_plugins/loss/no_symbol.so'");
  EXPECT_EQ(no_plugin.code, 2);
  EXPECT_NE(no_plugin.err.find("exports no Osteon plugin"), std::string::npos) << no_plugin.err;
  const auto no_library =
      place.osteon("check-plugin '" + std::string(OSTEON_BUILD_DIR) + "/broken_plugins/loss/not_a_library.so'");
  EXPECT_EQ(no_library.code, 2);
  EXPECT_NE(no_library.err.find("not a shared library"), std::string::npos) << no_library.err;
  const auto misspelt = place.osteon("check-plugin '" + built("loss/triplet") + "' --set margn=0.2");
  EXPECT_EQ(misspelt.code, 2);
  EXPECT_EQ(misspelt.err, "--set margn=0.2: loss/triplet has no parameter \"margn\"; did you mean \"margin\"?\n");
  const auto no_check = place.osteon("check-plugin '" + built("loss/triplet") + "' --check gradients");
  EXPECT_EQ(no_check.code, 2);
  EXPECT_TRUE(no_check.err.starts_with("--check gradients: there is no such check; there are descriptor, parameters, "))
      << no_check.err;
  const auto out_of_range = place.osteon("check-plugin '" + built("loss/triplet") + "' --set margin=-1");
  EXPECT_EQ(out_of_range.code, 2);
  EXPECT_TRUE(out_of_range.err.starts_with("--set margin=-1: -1 is not ")) << out_of_range.err;
}

}  // namespace
}  // namespace osteon::test
