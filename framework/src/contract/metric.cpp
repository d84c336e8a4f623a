// What a metric promises (osteon/metric.hpp).

#include "contract/evidence.hpp"
#include "contract/kind.hpp"

#include <ATen/Functions.h>

#include <cmath>

namespace osteon::contract {

namespace {

MetricResult evaluated(const Metric& metric, const Evidence::Contents& contents) {
  return metric.evaluate(Evidence(contents, metric.needs()));
}

std::string digest_of_result(const MetricResult& result) {
  Digest digest;
  for (const MetricValue& value : result.values) {
    digest.add(value.table).add(value.row).add(value.column).add(value.unit).add(value.note);
    add_to(digest, value.value);
    add_to(digest, static_cast<double>(value.count));
    if (value.interval) add_to(digest, value.interval->first), add_to(digest, value.interval->second);
    for (const PersonPart& part : value.people) add_to(digest.add(part.person), part.sum), add_to(digest, part.count);
  }
  for (const SurfacePair& pair : result.surfaces)
    add_to(digest, pair.predicted.vertices), add_to(digest, pair.distance);
  for (const Chart& chart : result.charts)
    for (const ChartSeries& series : chart.series) {
      digest.add(series.name);
      for (const auto* numbers : {&series.x, &series.y})
        for (const double number : *numbers) add_to(digest, number);
    }
  for (const EmbeddingMap& map : result.maps) add_to(digest, map.images), add_to(digest, map.points);
  return digest.hex();
}

class MetricInUse final : public Subject {
 public:
  explicit MetricInUse(std::unique_ptr<Metric> metric)
      : metric_(std::move(metric)), evidence_{evidence_of(Scene::usual), evidence_of(Scene::other)} {}

  std::string use(int input) override {
    return digest_of_result(evaluated(*metric_, evidence_[static_cast<std::size_t>(input)]));
  }

 private:
  std::unique_ptr<Metric> metric_;
  std::array<Evidence::Contents, 2> evidence_;
};

std::unique_ptr<Subject> metric_subject(const Candidate& candidate, const Parameters& values, std::uint64_t /*seed*/) {
  return std::make_unique<MetricInUse>(candidate.make<Metric>(values));
}

std::string place_of(const MetricValue& value) {
  return text("\"", value.table, "\" / \"", value.row, "\"", value.column.empty() ? "" : " / \"" + value.column + "\"");
}

/// A figure is a number, or undefined with a reason.
void expect_sound_figures(const std::string& what, const MetricResult& result) {
  for (const MetricValue& value : result.values) {
    const std::string figure = what + place_of(value);
    expect(!value.table.empty() && !value.row.empty(), figure, "a table and a row", "a name that is empty");
    expect(!std::isinf(value.value), figure, "a finite number", text(value.value));
    expect(!std::isnan(value.value) || !value.note.empty(), figure, "a number, or a note that says why there is none",
           "NaN without a note");
    expect(value.count >= 0, figure, "a count of 0 or more", text(value.count));
    if (value.interval && !std::isnan(value.value))
      expect(value.interval->first <= value.interval->second, figure, "an interval from low to high",
             text("[", value.interval->first, ", ", value.interval->second, "]"));
    for (const PersonPart& part : value.people)
      expect(std::isfinite(part.sum) && part.count >= 0, figure + ", person " + part.person, "a finite part",
             text(part.sum, " of ", part.count));
  }
}

void expect_sound_pictures(const MetricResult& result, std::int64_t images) {
  for (const SurfacePair& pair : result.surfaces) {
    pair.truth.check();
    pair.predicted.check();
    expect(pair.distance.dim() == 1 && pair.distance.size(0) == pair.predicted.vertices.size(0),
           text("surface \"", pair.caption, "\""), "a distance for each vertex", described(pair.distance));
  }
  for (const Chart& chart : result.charts)
    for (const ChartSeries& series : chart.series)
      expect(series.x.size() == series.y.size() && (series.hover.empty() || series.hover.size() == series.x.size()),
             text("chart \"", chart.title, "\", series \"", series.name, "\""), "as many of x as of y",
             text(series.x.size(), " and ", series.y.size()));
  for (const EmbeddingMap& map : result.maps) {
    const std::string what = text("map \"", map.title, "\"");
    expect(map.images.scalar_type() == at::kLong && map.points.scalar_type() == at::kFloat && map.points.dim() == 2 &&
               map.points.size(0) == map.images.numel() && map.points.size(1) == 2,
           what, text("Float [", map.images.numel(), ", 2]"), described(map.points));
    expect(map.images.numel() == 0 ||
               (map.images.min().item<std::int64_t>() >= 0 && map.images.max().item<std::int64_t>() < images),
           what, "images of the run", "others");
  }
}

std::string metric_outputs(const Candidate& candidate) {
  const auto metric = candidate.make<Metric>();
  const Evidence::Contents evidence = evidence_of(Scene::usual);
  const std::string before = digest_of(evidence);
  const MetricResult result = evaluated(*metric, evidence);
  expect(!result.values.empty() || !result.charts.empty() || !result.maps.empty(), "a run of 8 bones",
         "figures, charts or maps", "none");
  expect_sound_figures("", result);
  expect_sound_pictures(result, evidence.bone.numel());
  expect(digest_of(evidence) == before, "the evidence", "to be left as it is", "that it has written into it");
  std::string needs;
  for (const Need need : metric->needs()) needs += (needs.empty() ? "" : ", ") + to_text(need);
  return text(result.values.size(), " figures from ", needs.empty() ? "no evidence" : needs);
}

std::string metric_degenerate(const Candidate& candidate) {
  const auto metric = candidate.make<Metric>();
  const MetricResult nothing = evaluated(*metric, no_evidence());
  expect_sound_figures("no evidence at all: ", nothing);
  for (const MetricValue& value : nothing.values)
    expect(std::isnan(value.value), "no evidence at all: " + place_of(value), "an undefined figure", text(value.value));
  for (const auto& [what, scene] : {std::pair("embeddings that are all equal: ", Scene::collapsed),
                                    std::pair("one bone with one query: ", Scene::lone)})
    (void)answers_or_refuses(what, [&, name = std::string(what), which = scene] {
      const Evidence::Contents contents = evidence_of(which);
      const MetricResult result = evaluated(*metric, contents);
      expect_sound_figures(name, result);
      expect_sound_pictures(result, contents.bone.numel());
    });
  return "a number, or none with its reason, from no evidence, one bone and equal embeddings";
}

}  // namespace

KindContract metric_contract() {
  return {metric_subject,     metric_outputs, metric_degenerate, nothing_declared_of_threads,
          nothing_is_trained, nothing_is_kept};
}

}  // namespace osteon::contract
