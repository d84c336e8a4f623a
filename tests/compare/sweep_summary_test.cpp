// What the reporters of a sweep are told: the comparison of its settings, and every point.

#include "pipeline/sweep_summary.hpp"
#include "pipeline/reporters.hpp"
#include "pipeline/sweep_run.hpp"
#include "runs.hpp"

#include <osteon/parameters.hpp>

namespace osteon::test {
namespace {

using pipeline::SweepResults;

config::Experiment margin_of(double margin, std::int64_t seed) {
  const Schema source{"", {Parameter::integer("seed", 1, "")}}, loss{"", {Parameter::real("margin", 0.1, "")}};
  config::Experiment made;
  made.title = "Margins";
  const auto add = [&](config::PluginChoice choice) {
    made.plugins.push_back(std::make_shared<const config::PluginChoice>(std::move(choice)));
  };
  add({"source", "source", "phantom", Parameters(source, {{"seed", seed}})});
  add({"loss", "loss", "triplet", Parameters(loss, {{"margin", margin}})});
  return made;
}

/// Margins 0.05, 0.1 and 1 with two training seeds each; the file says 0.1.
config::Plan margins(const std::vector<double>& all = {0.05, 0.1, 1}) {
  config::Plan plan;
  plan.title = "Margins";
  plan.base = margin_of(0.1, 1);
  plan.swept = {"loss.margin"};
  plan.repeats = plan.base.repeats = 2;
  for (const double margin : all)
    for (const int repeat : {0, 1})
      plan.points.push_back({margin_of(margin, 1), {{"loss.margin", text(margin)}}, repeat});
  return plan;
}

void write_points(const fs::path& folder, const config::Plan& plan) {
  nlohmann::json names = nlohmann::json::array();
  for (std::size_t i = 0; i < plan.points.size(); ++i) {
    names.push_back(pipeline::point_text(plan, i));
    fs::create_directories(pipeline::point_folder(folder, i));
    pipeline::write_state(pipeline::point_folder(folder, i), {"complete", 2.5, "", names.back()});
  }
  write_file(folder / pipeline::kPointsFile, names.dump());
}

std::vector<double> people_right(double share) {
  std::vector<double> people(14, share);
  for (std::size_t p = 0; p < people.size(); ++p) people[p] += static_cast<double>(p % 3);
  return people;
}

TEST(SweepSummary, HasTheComparisonAndEachPointsFigures) {
  const Workplace place;
  const config::Plan plan = margins();
  write_points(place.folder(), plan);
  pipeline::write_state(place.folder() / "06", {"failed", 1, "ended by SIGSEGV", "x"});
  SweepResults results;
  for (const double share : {80., 82., 90., 92., 50.}) results.push_back({{recognised(people_right(share))}});
  results.push_back(std::nullopt);
  const SweepSummary summary = pipeline::sweep_summary(plan, results, place.folder());

  EXPECT_EQ(summary.factors, (std::vector<std::string>{"loss.margin"}));
  EXPECT_EQ(summary.settings, (std::vector<std::string>{"loss.margin = 0.05", "loss.margin = 0.1", "loss.margin = 1"}));
  EXPECT_EQ(summary.baseline, 1U) << "what the file itself says";
  ASSERT_EQ(summary.points.size(), 6U);
  EXPECT_EQ(summary.points[3].name, "loss.margin = 0.1 · seed 2 of 2 (point 4 of 6)");
  EXPECT_EQ(summary.points[3].levels, (std::vector<std::string>{"0.1"}));
  EXPECT_EQ(summary.points[3].folder, "04");
  EXPECT_EQ(summary.points[3].setting, 1U);
  EXPECT_EQ(summary.points[3].seconds, 2.5);
  EXPECT_EQ(summary.points[5].status, "failed");
  EXPECT_EQ(summary.points[5].message, "ended by SIGSEGV");
  EXPECT_FALSE(summary.points[5].setting);

  ASSERT_EQ(summary.figures.size(), 1U);
  const SweepFigure& figure = summary.figures[0];
  EXPECT_EQ(figure.figure.table, "identity, rank-1");
  EXPECT_EQ(figure.figure.unit, "%");
  EXPECT_EQ(figure.title, "fingerprint: never trained on (%, 14 bones, 14 people, larger is better)");
  ASSERT_EQ(figure.points.size(), 6U);
  EXPECT_NEAR(figure.points[2] - figure.points[0], 10, 1e-9);
  EXPECT_TRUE(std::isnan(figure.points[5]));
  ASSERT_EQ(figure.settings.size(), 3U);
  EXPECT_NEAR(*figure.settings[0].difference, -10, 1e-9);
  EXPECT_LT(figure.settings[0].interval->first, -8);
  EXPECT_FALSE(figure.settings[1].difference);
  EXPECT_EQ(figure.settings[1].cells[1], "baseline");
  EXPECT_EQ(summary.columns, (std::vector<std::string>{"value", "difference [95 %]", "p", "rank", "first"}));
  for (const SettingFigure& own : figure.settings) EXPECT_EQ(own.cells.size(), 5U);
  EXPECT_FALSE(summary.methods.empty());
  EXPECT_TRUE(summary.notices.empty());
}

TEST(SweepSummary, NumbersOfSoManyArePercentagesOfEachPoint) {
  const Workplace place;
  const config::Plan plan = margins({0.05, 0.1});
  write_points(place.folder(), plan);
  SweepResults results;
  for (const double share : {0., 100., 100., 100.}) results.push_back({{recognised({share, 100, 100, 100})}});
  const SweepSummary summary = pipeline::sweep_summary(plan, results, place.folder());
  EXPECT_EQ(summary.figures.at(0).figure.unit, "%");
  EXPECT_EQ(summary.figures[0].points, (std::vector<double>{75, 100, 100, 100}));
}

TEST(SweepSummary, PeopleOfAnotherSourceSeedAreNotCompared) {
  const Workplace place;
  config::Plan plan = margins({0.1, 1});
  plan.swept = {"source.seed"};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto seed = static_cast<std::int64_t>(1 + i / 2);
    plan.points[i].experiment = margin_of(0.1, seed);
    plan.points[i].changes = {{"source.seed", text(seed)}};
  }
  write_points(place.folder(), plan);
  const SweepResults results(4, std::vector<MetricValue>{recognised(people_right(90))});
  const SweepSummary summary = pipeline::sweep_summary(plan, results, place.folder());
  EXPECT_EQ(summary.settings, (std::vector<std::string>{"source.seed = 1", "source.seed = 2"}));
  EXPECT_FALSE(summary.figures.at(0).settings.at(1).difference);
}

TEST(SweepSummary, OfTooManySettingsHasThePointsAlone) {
  const Workplace place;
  std::vector<double> many;
  for (std::size_t i = 0; i <= pipeline::kMostCompared; ++i) many.push_back(1 + static_cast<double>(i));
  const config::Plan plan = margins(many);
  write_points(place.folder(), plan);
  const SweepResults results(plan.points.size(), std::vector<MetricValue>{recognised(people_right(90))});
  const SweepSummary summary = pipeline::sweep_summary(plan, results, place.folder());
  EXPECT_EQ(summary.settings.size(), pipeline::kMostCompared + 1);
  ASSERT_EQ(summary.figures.size(), 1U);
  EXPECT_TRUE(summary.figures[0].settings.empty());
  EXPECT_EQ(summary.figures[0].points.size(), plan.points.size());
  EXPECT_NE(summary.notices.at(0).find("301 settings are not compared here"), std::string::npos);
}

TEST(SweepSummary, WithoutAnyFigureSaysWhatBecameOfThePoints) {
  const Workplace place;
  const config::Plan plan = margins({0.1});
  write_points(place.folder(), plan);
  const SweepSummary summary = pipeline::sweep_summary(plan, SweepResults(2), place.folder());
  EXPECT_EQ(summary.points.size(), 2U);
  EXPECT_TRUE(summary.figures.empty());
  EXPECT_TRUE(summary.settings.empty());
}

}  // namespace
}  // namespace osteon::test
