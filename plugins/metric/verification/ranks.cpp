// Ranks over the enrolled bones, and over the opposite side's.

#include "verification/ranks.hpp"
#include "setting.hpp"
#include "verification/opposite_side.hpp"

namespace osteon::verification {

namespace {

using RankFigure = std::function<double(const Rank&)>;

BoneAverage average(const std::vector<RankedProbe>& ranked, const Cohort& cohort, const RankFigure& of) {
  return average_over_bones(
      ranked.size(), [&](std::size_t i) { return ranked[i].bone; }, [&](std::size_t i) { return of(ranked[i].rank); },
      cohort);
}

/// The same probes when all candidates tie, which is what a draw gives.
std::vector<RankedProbe> by_chance(std::vector<RankedProbe> ranked) {
  for (auto& [bone, rank] : ranked) rank = {0, rank.candidates - 1, rank.candidates};
  return ranked;
}

bool has_row(const MetricResult& result, const MetricValue& like, const std::string& row) {
  for (const MetricValue& value : result.values)
    if (value.table == like.table && value.column == like.column && value.row == row) return true;
  return false;
}

/// A share of bones: "2.5 of 3", or a percentage with an interval from 12 people on.
void set_share(MetricValue& value, const BoneAverage& of_bones, std::uint64_t seed) {
  value.count = std::ssize(of_bones.by_bone);
  value.counted = "bones";
  value.people = of_bones.parts(100);
  if (of_bones.by_person.size() >= statistics::kFewestPeople) {
    value.unit = "%";
    value.value = 100 * of_bones.sum / static_cast<double>(value.count);
    value.interval = times_hundred(statistics::share_interval(of_bones.by_person, seed));
  } else {
    value.unit = text("of ", value.count);
    value.value = of_bones.sum;
  }
}

void set_mean(MetricValue& value, const BoneAverage& of_bones, std::uint64_t seed) {
  value.count = std::ssize(of_bones.by_bone);
  value.counted = "bones";
  value.unit = "";
  value.value = of_bones.sum / static_cast<double>(value.count);
  value.people = of_bones.parts(1);
  value.interval = statistics::share_interval(of_bones.by_person, seed);
}

using Setter = void (*)(MetricValue&, const BoneAverage&, std::uint64_t);

/// The method's row, and before the first of a table and column the row "chance".
void add_figure(const Setting& setting, MetricValue value, const std::vector<RankedProbe>& ranked, const RankFigure& of,
                Setter set, MetricResult& result) {
  const std::uint64_t seed = setting.evidence->seed();
  set(value, average(ranked, *setting.cohort, of), seed);
  if (!has_row(result, value, "chance")) {
    MetricValue drawn = value;
    set(drawn, average(by_chance(ranked), *setting.cohort, of), seed);
    result.values.push_back(chance(drawn, drawn.value));
  }
  result.values.push_back(std::move(value));
}

void add_match_curve(const Setting& setting, const std::vector<RankedProbe>& ranked, MetricResult& result) {
  Chart& chart = chart_of(result, text("Cumulative match characteristic, bones ", setting.name()), "rank",
                          "own bone among the first, % of bones");
  std::int64_t candidates = 0;
  for (const RankedProbe& one : ranked) candidates = std::max(candidates, one.rank.candidates);
  ChartSeries series{setting.table->embedding_set, ChartSeries::Mark::line, {}, {}, setting.table->is_trivial, {}};
  for (std::int64_t k = 1; k <= candidates; ++k) {
    const BoneAverage within = average(ranked, *setting.cohort, [k](const Rank& rank) { return rank.within(k); });
    series.x.push_back(static_cast<double>(k));
    series.y.push_back(100 * within.sum / static_cast<double>(within.by_bone.size()));
  }
  chart.series.push_back(std::move(series));
}

}  // namespace

void add_ranks(const Setting& setting, const Options& options, MetricResult& result) {
  const std::string table = text("identity, ranks, bones ", setting.name());
  const std::vector<RankedProbe> ranked = ranks_in_gallery(setting.table->probes);
  if (ranked.empty()) {
    result.values.push_back(
        undefined(figure(setting, table, "mean reciprocal rank"), "no query image shows an enrolled bone"));
    return;
  }
  for (const std::int64_t k : options.ranks)
    add_figure(
        setting, figure(setting, table, text("rank ", k)), ranked, [k](const Rank& rank) { return rank.within(k); },
        set_share, result);
  add_figure(
      setting, figure(setting, table, "mean reciprocal rank"), ranked,
      [](const Rank& rank) { return rank.reciprocal(); }, set_mean, result);
  add_match_curve(setting, ranked, result);
}

void add_opposite_side(const Setting& setting, MetricResult& result) {
  const OppositeSide opposite = ranks_of_opposite_side(setting.table->probes, *setting.cohort);
  const std::string left_out =
      opposite.unknown_sides > 0 ? text(opposite.unknown_sides, " bones of unknown side left out") : "";
  MetricValue first = figure(setting, "the other side, rank-1", setting.name());
  MetricValue mean = figure(setting, "the other side, mean rank", setting.name());
  mean.larger_is_better = false;
  if (opposite.ranked.empty()) {
    result.values.push_back(
        undefined(first, text("nobody has both sides enrolled", left_out.empty() ? "" : "; ", left_out)));
    return;
  }
  for (MetricValue* value : {&first, &mean})
    if (!left_out.empty()) add_note(*value, left_out);
  add_figure(
      setting, first, opposite.ranked, [](const Rank& rank) { return rank.within(1); }, set_share, result);
  add_figure(
      setting, mean, opposite.ranked, [](const Rank& rank) { return rank.mean(); }, set_mean, result);
}

}  // namespace osteon::verification
