// metric/match_rate: how often a query X-ray matches a gallery X-ray, by distance below the margin: of the same bone
// (the match rate), and of another person's (false positives). With [perturb] the queries are deformed bones and the
// gallery the healthy ones: the study's deformed bones (Čavojská et al., Commun. Biol. 3:337, 2020: a thin shaft
// matched 92.59 % of the healthy images of the same bone, a broken end 57.14 %, other bones none).
//
//     [metric.match_rate]
//     reading = "squared"      # distance² < margin, as the loss has it; or "euclidean": distance < margin
//
// Each never-trained bone has a row, the mean over bones the last one: pairs of images are no independent trials. From
// 12 people on the mean has a 95 % interval that resamples people. The other femur of the same person counts neither as
// the same bone nor as a false positive. Only for embeddings of unit length, where a margin means the same for all; the
// run's loss must have a margin.

#include "statistics/statistics.hpp"

#include <osteon/metric.hpp>

#include <ATen/Functions.h>

#include <cmath>
#include <map>

namespace osteon {
namespace {

constexpr double kUnitTolerance = 0.01;  ///< of a row's length; leaves room for bf16 embeddings
constexpr std::int64_t kChunk = 1024;    ///< query images whose distances are in memory at once

struct Rates {
  double own_hits = 0, own = 0, other_hits = 0, other = 0;
};

/// The images of never-trained bones that ask, or all that do not ask: int64.
at::Tensor rows_of(const Evidence& evidence, bool queries) {
  const auto* bone = evidence.bone_of_image().data_ptr<std::int64_t>();
  std::vector<std::int64_t> rows;
  for (std::size_t i = 0; i < evidence.roles().size(); ++i)
    if ((evidence.roles()[i] == Role::query) == queries &&
        (!queries || evidence.bones()[static_cast<std::size_t>(bone[i])].held_out))
      rows.push_back(static_cast<std::int64_t>(i));
  return at::tensor(rows, at::kLong);
}

class MatchRate final : public Metric {
 public:
  static Schema schema() {
    return {
        "Share of gallery X-rays of the same bone, and of others, within the margin of a query (the study's deformed "
        "bones).",
        {Parameter::text("reading", "squared", "Whether the margin bounds squared or Euclidean distances.")
             .one_of(std::vector<std::string>{"squared", "euclidean"})}};
  }

  explicit MatchRate(const Parameters& parameters) : squared_(parameters.text("reading") == "squared") {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::embeddings}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    MetricResult result;
    for (const EmbeddingSet& set : evidence.embeddings()) {
      if (set.vectors.size(0) == 0 || has_other_lengths(set.vectors)) continue;
      add_rows(set, evidence, result.values);
    }
    return result;
  }

 private:
  static bool has_other_lengths(const at::Tensor& vectors) {
    return vectors.norm(2, 1).sub(1).abs().max().item<float>() >= kUnitTolerance;
  }

  [[nodiscard]] std::map<std::int64_t, Rates> rates_of(const EmbeddingSet& set, const Evidence& evidence) const {
    const at::Tensor gallery = rows_of(evidence, false), queries = rows_of(evidence, true);
    const auto* bone = evidence.bone_of_image().data_ptr<std::int64_t>();
    const double limit = squared_ ? evidence.margin() : evidence.margin() * evidence.margin();
    const at::Tensor known = set.vectors.index_select(0, gallery);
    std::map<std::int64_t, Rates> rates;
    for (std::int64_t first = 0; first < queries.numel(); first += kChunk) {
      const at::Tensor some = queries.slice(0, first, first + kChunk);
      const at::Tensor matches = at::cdist(set.vectors.index_select(0, some), known, 2, 2).square().lt(limit);
      for (std::int64_t q = 0; q < some.numel(); ++q) {
        const std::int64_t shown = bone[some[q].item<std::int64_t>()];
        count(matches[q].contiguous().data_ptr<bool>(), gallery, bone, shown, evidence, rates[shown]);
      }
    }
    return rates;
  }

  static void count(const bool* matches, const at::Tensor& gallery, const std::int64_t* bone, std::int64_t shown,
                    const Evidence& evidence, Rates& rates) {
    const std::string& person = evidence.bones()[static_cast<std::size_t>(shown)].subject;
    const auto* image = gallery.data_ptr<std::int64_t>();
    for (std::int64_t g = 0; g < gallery.numel(); ++g) {
      const std::int64_t other = bone[image[g]];
      const double match = matches[g] ? 1 : 0;
      if (other == shown) {
        rates.own += 1;
        rates.own_hits += match;
      } else if (evidence.bones()[static_cast<std::size_t>(other)].subject != person) {
        rates.other += 1;
        rates.other_hits += match;
      }
    }
  }

  /// A row for each bone, then their mean.
  void add_rows(const EmbeddingSet& set, const Evidence& evidence, std::vector<MetricValue>& values) const {
    const bool has_margin = evidence.margin() >= 0;
    const std::map<std::int64_t, Rates> rates = has_margin ? rates_of(set, evidence) : std::map<std::int64_t, Rates>{};
    std::string missing = rates.empty() ? "no X-ray of a never-trained bone" : "";
    if (!has_margin) missing = "the loss has no margin";
    for (const bool own : {true, false}) {
      std::map<std::string, statistics::Contribution> people;
      for (const auto& [bone, one] : rates) {
        const EvidenceBone& shown = evidence.bones()[static_cast<std::size_t>(bone)];
        const double hits = own ? one.own_hits : one.other_hits, total = own ? one.own : one.other;
        MetricValue value = cell(set, evidence, shown.id, own);
        value.count = 1;
        value.value = 100 * hits / total;
        if (total == 0) value.note = own ? "no gallery X-ray of the bone" : "no gallery X-ray of other people";
        values.push_back(std::move(value));
        if (total == 0) continue;
        people[shown.subject].hits += hits / total;
        people[shown.subject].total += 1;
      }
      values.push_back(mean_of(people, missing, cell(set, evidence, "mean of bones", own), evidence));
    }
  }

  /// `value` as the mean over the bones of all people. `missing`: why there is none, where that is known.
  static MetricValue mean_of(const std::map<std::string, statistics::Contribution>& people, const std::string& missing,
                             MetricValue value, const Evidence& evidence) {
    statistics::Contribution sum;
    for (const auto& [subject, one] : people) {
      sum.hits += one.hits;
      sum.total += one.total;
    }
    value.count = std::llround(sum.total);
    value.value = 100 * sum.hits / sum.total;
    if (people.empty()) value.note = missing.empty() ? "no bone has such gallery X-rays" : missing;
    statistics::set_people(value, people, evidence.seed(), 100);
    return value;
  }

  [[nodiscard]] MetricValue cell(const EmbeddingSet& set, const Evidence& evidence, const std::string& row,
                                 bool own) const {
    MetricValue value;
    value.table = text("match rate, ", squared_ ? "squared" : "Euclidean", " distance below the margin");
    value.row = text(set.name, ", ", row);
    value.column = own ? "same bone" : "other people's";
    value.unit = "%";
    value.larger_is_better = own;
    value.is_baseline = set.is_trivial;
    value.counted = "bones";
    if (evidence.queries_share_volume())
      value.note = "gallery and queries share a CT volume: says nothing about identity";
    if (evidence.folds() > 1)
      value.note += text(value.note.empty() ? "" : "; ", "of the first of ", evidence.folds(), " folds");
    return value;
  }

  bool squared_;
};

}  // namespace

OSTEON_PLUGIN(metric, match_rate, "0.1.0", MatchRate)

}  // namespace osteon
