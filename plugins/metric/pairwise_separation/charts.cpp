#include "charts.hpp"

#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace osteon::separation {

namespace {

constexpr std::int64_t kHistogramPairs = 20000;  ///< of each kind, at most
constexpr std::size_t kScatterPairs = 500;       ///< of each kind, at most
constexpr int kBins = 40;
constexpr std::array<const char*, 2> kNames = {"same bone", "different bones"};

struct Pair {
  std::int64_t left, right;  ///< images
  double distance = 0;
};

/// Calls `body(left image, right image, is of different bones)` for each pair within the subset.
template <class Body>
void for_each_pair(const Drawing& drawing, const Column& column, const std::vector<std::uint8_t>& membership,
                   unsigned bit, const Body& body) {
  const auto is_within = [&](std::int64_t image) { return (membership[static_cast<std::size_t>(image)] & bit) != 0; };
  for (std::int64_t l = 0; l < std::ssize(column.left); ++l) {
    const std::int64_t left = column.left[static_cast<std::size_t>(l)];
    if (!is_within(left)) continue;
    for (auto r = static_cast<std::size_t>(column.first_right(l)); r < column.right.size(); ++r) {
      const Kind kind = drawing.identities->kind(left, column.right[r]);
      if (is_within(column.right[r]) && kind != Kind::neither) body(left, column.right[r], kind == Kind::different);
    }
  }
}

/// Of each kind all pairs, or as many as a chart needs, each with the same chance.
std::array<std::vector<Pair>, 2> drawn_pairs(const Drawing& drawing, const Column& column,
                                             const std::vector<std::uint8_t>& membership, unsigned bit) {
  std::array<std::int64_t, 2> left_over{}, wanted{};
  for_each_pair(drawing, column, membership, bit, [&](auto, auto, bool is_different) { ++left_over[is_different]; });
  for (std::size_t kind = 0; kind < 2; ++kind) wanted[kind] = std::min(kHistogramPairs, left_over[kind]);
  std::array<std::vector<Pair>, 2> drawn;
  Random random(drawing.evidence->seed(), "pairs of a chart");
  for_each_pair(drawing, column, membership, bit, [&](std::int64_t left, std::int64_t right, bool is_different) {
    // Selection sampling: Knuth, The Art of Computer Programming 2, section 3.4.2, algorithm S.
    const std::int64_t rest = left_over[is_different]--;
    if (static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(rest))) >= wanted[is_different]) return;
    --wanted[is_different];
    drawn[is_different].push_back({left, right});
  });
  return drawn;
}

void measure(const at::Tensor& vectors, std::vector<Pair>& pairs) {
  if (pairs.empty()) return;
  std::vector<std::int64_t> left, right;
  for (const Pair& pair : pairs) {
    left.push_back(pair.left);
    right.push_back(pair.right);
  }
  const auto rows = [&](const std::vector<std::int64_t>& images) {
    return vectors.index_select(0, at::tensor(images, at::kLong)).to(at::kDouble);
  };
  const at::Tensor distances = rows(left).sub(rows(right)).norm(2, 1).contiguous();
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i].distance = distances.data_ptr<double>()[i];
}

/// Degrees over the three angles of both views.
double pose_difference(const ImageRow& a, const ImageRow& b) {
  double sum = 0;
  for (const auto member : {&ImageRow::axial, &ImageRow::tilt, &ImageRow::in_plane, &ImageRow::ml_axial,
                            &ImageRow::ml_tilt, &ImageRow::ml_in_plane})
    sum += (a.*member - b.*member) * (a.*member - b.*member);
  return std::sqrt(sum);
}

ChartSeries scatter(const Drawing& drawing, const char* name, const std::vector<Pair>& pairs) {
  const auto& rows = drawing.evidence->image_rows();
  const auto id = [&](std::int64_t image) -> const std::string& {
    return drawing.evidence->bones()[static_cast<std::size_t>(drawing.identities->bone(image))].id;
  };
  ChartSeries series{name, ChartSeries::Mark::points, {}, {}, false, {}};
  const std::size_t shown = std::min(kScatterPairs, pairs.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const Pair& pair = pairs[i * pairs.size() / shown];
    series.x.push_back(pair.distance);
    series.y.push_back(
        pose_difference(rows[static_cast<std::size_t>(pair.left)], rows[static_cast<std::size_t>(pair.right)]));
    series.hover.push_back(text(id(pair.left), " and ", id(pair.right)));
  }
  return series;
}

/// Share of the pairs of one kind in each bin.
ChartSeries histogram(const char* name, const std::vector<Pair>& pairs, double width) {
  ChartSeries series{name, ChartSeries::Mark::bars, {}, std::vector<double>(kBins, 0), false, {}};
  for (int bin = 0; bin < kBins; ++bin) series.x.push_back((bin + 0.5) * width);
  for (const Pair& pair : pairs)
    series.y[static_cast<std::size_t>(std::min(kBins - 1, static_cast<int>(pair.distance / width)))] +=
        100 / static_cast<double>(pairs.size());
  return series;
}

}  // namespace

void add_charts(const Drawing& drawing, const Column& column, const std::vector<std::uint8_t>& membership, unsigned bit,
                const std::string& where, std::vector<Chart>& charts) {
  std::array<std::vector<Pair>, 2> drawn = drawn_pairs(drawing, column, membership, bit);
  double largest = 0;
  for (std::vector<Pair>& pairs : drawn) {
    measure(drawing.set->vectors, pairs);
    for (const Pair& pair : pairs) largest = std::max(largest, pair.distance);
  }
  Chart points{"Pairwise separation",
               text(drawing.set->name, ": distances, ", where),
               "Euclidean distance",
               "degrees between the poses",
               {},
               drawing.guides,
               false,
               drawing.note};
  Chart bars = points;
  bars.title = text(drawing.set->name, ": how frequent distances are, ", where);
  bars.y_label = "pairs of its kind, %";
  for (std::size_t kind = 0; kind < 2; ++kind) {
    if (drawn[kind].empty()) continue;
    points.series.push_back(scatter(drawing, kNames[kind], drawn[kind]));
    bars.series.push_back(histogram(kNames[kind], drawn[kind], largest > 0 ? largest / kBins : 1));
  }
  if (points.series.empty()) return;
  charts.push_back(std::move(points));
  charts.push_back(std::move(bars));
}

}  // namespace osteon::separation
