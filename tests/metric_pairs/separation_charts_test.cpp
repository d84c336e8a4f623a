// The charts of metric/pairwise_separation.

#include "separation_cases.hpp"

#include <algorithm>

namespace osteon {
namespace {

constexpr const char* kChartsOf = kSeparation;

const Chart& chart(const MetricResult& result, const std::string& title) {
  for (const Chart& one : result.charts)
    if (one.title == title) return one;
  throw failure(text("no chart ", title));
}

TEST(PairwiseSeparation, DrawsDistancesOfBothKindsWithTheThresholds) {
  const MetricResult result = make_metric(kChartsOf).evaluate(cloud(4, 30, 0.3, 7));
  ASSERT_EQ(result.charts.size(), 4U) << "the narrowest subset with pairs, and all";
  const Chart& points = chart(result, "fingerprint: distances, all angles and energies, never trained on");
  EXPECT_EQ(points.section, "Pairwise separation");
  ASSERT_EQ(points.series.size(), 2U);
  EXPECT_EQ(points.series[0].name, "same bone");
  EXPECT_EQ(points.series[0].mark, ChartSeries::Mark::points);
  EXPECT_EQ(points.series[0].x.size(), 500U);
  EXPECT_EQ(points.series[0].hover.size(), 500U);
  EXPECT_LT(*std::ranges::max_element(points.series[0].y), std::sqrt(4 * 20.0 * 20.0));
  ASSERT_EQ(points.guides.size(), 2U) << "no best threshold: nothing was seen in training";
  EXPECT_EQ(points.guides[0].name, "distance² < margin");
  EXPECT_NEAR(points.guides[0].x, std::sqrt(0.3), 1e-12);
  EXPECT_NEAR(points.guides[1].x, 0.3, 1e-12);
  const Chart& bars =
      chart(result, "fingerprint: how frequent distances are, all angles and energies, never trained on");
  for (const ChartSeries& series : bars.series) {
    double sum = 0, below = 0;
    for (std::size_t i = 0; i < series.x.size(); ++i) {
      sum += series.y[i];
      below += series.x[i] < std::sqrt(0.3) ? series.y[i] : 0;
    }
    EXPECT_NEAR(sum, 100, 1e-9);
    const double share = find(result, kKinds, "fingerprint, distance² < margin",
                              series.name == "same bone" ? "same bone" : "different bones")
                             .value;
    EXPECT_NEAR(series.name == "same bone" ? below : 100 - below, share, 4)
        << "but for the bin that the margin divides";
  }
  EXPECT_NO_THROW((void)chart(result, "fingerprint: distances, 4°, 146–158 keV, never trained on"));
}

}  // namespace
}  // namespace osteon
