// The control that takes the bone out of the X-rays: when it speaks up, and when it must not.

#include "command.hpp"

#include "pipeline/control.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <gtest/gtest.h>

namespace osteon::test {
namespace {

/// Answers for `bones` bones whose queries are all answered by the bone `shift` further on.
std::vector<std::vector<double>> all_answered(std::size_t bones, std::size_t shift) {
  std::vector<std::vector<double>> answers(bones, std::vector<double>(bones, 0));
  for (std::size_t b = 0; b < bones; ++b) answers[b][(b + shift) % bones] = 1;
  return answers;
}

TEST(Control, FindsTheLeakWhenEachBoneIsRecognised) {
  EXPECT_LT(pipeline::permutation_probability(all_answered(8, 0), 1), pipeline::kLeakProbability);
  EXPECT_EQ(pipeline::permutation_probability(all_answered(8, 1), 1), 1);
}

TEST(Control, CannotTellFromFourBones) {
  // 1 of 24 permutations is the right one.
  EXPECT_NEAR(pipeline::permutation_probability(all_answered(4, 0), 1), 1 / 24.0, 0.01);
}

TEST(Control, ChanceSpreadsItsProbabilitiesEvenly) {
  int below_half = 0;
  constexpr int kRuns = 40;
  for (int run = 0; run < kRuns; ++run) {
    Random random(static_cast<std::uint64_t>(run), "answers by chance");
    std::vector<std::vector<double>> answers(10, std::vector<double>(10, 0));
    for (auto& row : answers)
      for (int query = 0; query < 20; ++query) row[random.below(10)] += 0.05;
    below_half += pipeline::permutation_probability(answers, 1) < 0.5 ? 1 : 0;
  }
  EXPECT_GT(below_half, 8);
  EXPECT_LT(below_half, 32);
}

TEST(Control, ALeakFailsTheRunWithItsFigures) {
  const std::vector<pipeline::ControlFigure> clean = {{"raw pixels", 1.5, 12, 0.3}};
  EXPECT_NO_THROW(pipeline::require_no_leak(clean));
  const std::vector<pipeline::ControlFigure> leak = {{"fingerprint", 1, 12, 0.4}, {"raw pixels", 7.25, 12, 0.0001}};
  try {
    pipeline::require_no_leak(leak);
    FAIL() << "let through";
  } catch (const Error& e) {
    EXPECT_EQ(e.cause(), Error::Cause::failure);
    EXPECT_STREQ(
        e.what(),
        "the control found a leak: with every bone taken out of its X-rays, raw pixels still recognised 7.25 of 12 (p "
        "= "
        "0.0001), beyond chance. Something that is no bone gives the bones away (soft tissue, neighbours, the edge of "
        "the scan), so the identity figures above are no evidence. Give each acquisition its own surroundings, narrow "
        "film.minimum … film.maximum to bone, or mask the surroundings.");
  }
}

TEST(Control, ItsRowsStandInTheFiguresOfARun) {
  const Workplace place;
  ASSERT_EQ(place.osteon("run " + small_profile()).code, 0);
  const auto figures = nlohmann::json::parse(read(only_run(place) / "metrics.json"));
  int rows = 0;
  for (const auto& figure : figures.at("values"))
    if (figure.at("table") == "control: the bone taken out of the X-rays, rank-1") ++rows;
  EXPECT_EQ(rows, 2);
  Workplace other;
  ASSERT_EQ(other.osteon("run " + small_profile() + " --set control.poses=0").code, 0);
  EXPECT_EQ(read(only_run(other) / "metrics.json").find("bone taken out"), std::string::npos);
}

}  // namespace
}  // namespace osteon::test
