// What metrics answer, through a store on disk and back: charts and maps lose nothing that a report shows.

#include "pipeline/artifacts.hpp"
#include "store/scratch.hpp"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace osteon::pipeline {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

MetricResult through_a_store(const MetricResult& result) {
  const store::Scratch scratch;
  store::Store store(scratch.path() / "store");
  const store::Ingredients ingredients{"evaluate", "a test", {{"part", "1"}}};
  (void)store.put(ingredients, to_artifact(result));
  return metric_result_from(store.load(ingredients.key()));
}

ChartSeries series(ChartSeries::Mark mark, bool is_baseline) {
  return {"finger \"print\"\n<b>", mark, {0.1, 1.0 / 3, 1e-300}, {-5, 2e10, 0}, is_baseline, {"a", "°", ""}};
}

Chart full_chart() {
  Chart chart{"Pairwise separation", "Same & other", "distance", "share of pairs, %", {}, {}, true, "drawn: 1 of 3"};
  chart.series = {series(ChartSeries::Mark::line, false), series(ChartSeries::Mark::points, true),
                  series(ChartSeries::Mark::bars, false)};
  chart.guides = {{"margin", 0.1}, {"√margin", 0.31622776601683794}};
  return chart;
}

void expect_equal(const Chart& found, const Chart& given) {
  EXPECT_EQ(found.section, given.section);
  EXPECT_EQ(found.title, given.title);
  EXPECT_EQ(found.x_label, given.x_label);
  EXPECT_EQ(found.y_label, given.y_label);
  EXPECT_EQ(found.log_x, given.log_x);
  EXPECT_EQ(found.note, given.note);
  ASSERT_EQ(found.guides.size(), given.guides.size());
  for (std::size_t g = 0; g < given.guides.size(); ++g) {
    EXPECT_EQ(found.guides[g].name, given.guides[g].name);
    EXPECT_EQ(found.guides[g].x, given.guides[g].x);
  }
  ASSERT_EQ(found.series.size(), given.series.size());
  for (std::size_t s = 0; s < given.series.size(); ++s) {
    EXPECT_EQ(found.series[s].name, given.series[s].name);
    EXPECT_EQ(found.series[s].mark, given.series[s].mark);
    EXPECT_EQ(found.series[s].x, given.series[s].x);
    EXPECT_EQ(found.series[s].y, given.series[s].y);
    EXPECT_EQ(found.series[s].is_baseline, given.series[s].is_baseline);
    EXPECT_EQ(found.series[s].hover, given.series[s].hover);
  }
}

TEST(StoredCharts, AreTheSameToTheLastDigit) {
  const Chart empty{"Another", "Nothing to draw", "", "", {}, {}, false, ""};
  const auto found = through_a_store({{}, {}, {full_chart(), empty}, {}}).charts;
  ASSERT_EQ(found.size(), 2U);
  expect_equal(found[0], full_chart());
  expect_equal(found[1], empty);
}

TEST(StoredCharts, KeepGapsAndGuidesThatAreNowhere) {
  Chart chart = full_chart();
  chart.series[0].y = {1, kNone, INFINITY};
  chart.series[1].x = {-INFINITY, 2, kNone};
  chart.guides.push_back({"never reached", kNone});
  const auto found = through_a_store({{}, {}, {chart}, {}}).charts;
  ASSERT_EQ(found.size(), 1U);
  ASSERT_EQ(found[0].series[0].y.size(), 3U) << "hover texts would point at the wrong marks";
  EXPECT_EQ(found[0].series[0].y[0], 1);
  for (const double value : {found[0].series[0].y[1], found[0].series[0].y[2], found[0].series[1].x[0],
                             found[0].series[1].x[2], found[0].guides[2].x})
    EXPECT_FALSE(std::isfinite(value)) << "what is not finite is not drawn";
  EXPECT_EQ(found[0].series[1].x[1], 2);
}

TEST(StoredMaps, HaveTheirImagesAndPoints) {
  const EmbeddingMap first{"fingerprint, t-SNE", "perplexity 30", at::arange(5, 9, at::kLong), at::rand({4, 2})};
  const EmbeddingMap second{"raw pixels, PCA", "", at::arange(2, at::kLong), at::full({2, 2}, kNone, at::kFloat)};
  const auto found = through_a_store({{}, {}, {}, {first, second}}).maps;
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].title, first.title);
  EXPECT_EQ(found[0].note, first.note);
  EXPECT_TRUE(found[0].images.equal(first.images));
  EXPECT_TRUE(found[0].points.equal(first.points));
  EXPECT_EQ(found[1].title, second.title);
  EXPECT_TRUE(found[1].images.equal(second.images));
  EXPECT_TRUE(found[1].points.isnan().all().item<bool>());
}

MetricValue figure(double value, std::optional<std::pair<double, double>> interval) {
  MetricValue one;
  one.table = "identity, rank-1";
  one.row = "fingerprint + knn";
  one.column = "never trained on";
  one.value = value;
  one.unit = "of 3";
  one.larger_is_better = false;
  one.is_baseline = true;
  one.count = 3;
  one.counted = "bones";
  one.interval = interval;
  one.note = "ä";
  return one;
}

TEST(StoredFigures, AreTheSameAndMayBeUndefined) {
  const MetricResult given{
      {figure(2.0 / 3, {{0.1, 0.9}}), figure(kNone, {}), figure(1, {{0.5, INFINITY}}), figure(1, {{kNone, kNone}})},
      {},
      {},
      {}};
  const auto found = through_a_store(given).values;
  ASSERT_EQ(found.size(), 4U);
  for (std::size_t i = 0; i < found.size(); ++i) {
    EXPECT_EQ(found[i].table, given.values[i].table);
    EXPECT_EQ(found[i].row, given.values[i].row);
    EXPECT_EQ(found[i].column, given.values[i].column);
    EXPECT_EQ(found[i].unit, given.values[i].unit);
    EXPECT_EQ(found[i].counted, given.values[i].counted);
    EXPECT_EQ(found[i].note, given.values[i].note);
    EXPECT_EQ(found[i].count, 3);
    EXPECT_TRUE(found[i].is_baseline && !found[i].larger_is_better);
    EXPECT_EQ(found[i].interval.has_value(), given.values[i].interval.has_value());
  }
  EXPECT_EQ(found[0].value, 2.0 / 3);
  EXPECT_EQ(found[0].interval, given.values[0].interval);
  EXPECT_TRUE(std::isnan(found[1].value));
  EXPECT_EQ(found[2].interval->first, 0.5);
  EXPECT_FALSE(std::isfinite(found[2].interval->second));
  EXPECT_TRUE(std::isnan(found[3].interval->first) && std::isnan(found[3].interval->second));
}

TEST(StoredCharts, OfAnUnknownMarkAreRefused) {
  store::Artifact artifact = to_artifact(MetricResult{{}, {}, {full_chart()}, {}});
  artifact.facts["charts"][0]["series"][0]["mark"] = "spiral";
  EXPECT_EQ(store::message_of([&] { (void)metric_result_from(artifact); }),
            "a stored result cannot be read: its chart \"Same & other\" has marks called \"spiral\"; line, points and "
            "bars are known; remove it from the store and run again");
}

}  // namespace
}  // namespace osteon::pipeline
