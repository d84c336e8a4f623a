// metric/pairwise_separation: whether the distance of two X-rays alone tells if they show the same bone, no classifier
// being there: "same" below the margin (Čavojská et al., Commun. Biol. 3:337, 2020, Results and Figure 4).
//
//     [metric.pairwise_separation]
//     pairs            = "across scans"  # query × gallery images; or "all": each two gallery images, "protocol only"
//     narrow           = 4.0             # degrees from the AP and ML view: the narrowest view subsets
//     middle           = 7.0
//     wide             = 22.0
//     energy_from      = 146.0           # keV: the narrowest subset's energies
//     energy_to        = 158.0
//     validation_pairs = 1000000         # about so many at most, to choose the best threshold from
//
// Two images of one CT scan share its noise, grid and blur: that they are near says nothing about identity. So a query
// image is compared with a gallery image, which comes from another scan, both of bones never trained on or both of
// seen ones. pairs = "all" is the study's own procedure (each two images of the grid, mostly of one scan); its tables
// and charts say "protocol only". Pairs of the two femurs of one person count as neither same nor different.
//
// Columns are the study's view subsets; both images must lie in it: within 4° and 146–158 keV; within 4°; within 7°;
// axial to 22° and in-plane within 4°; in-plane to 22° and axial within 4°; all. The larger angle of the two views
// counts, and a tilt, which the study has none of, must stay within the small angle. A subset without pairs is
// undefined.
//
// Rows are rules: the loss's margin on squared distances, as the loss has it (√margin on Euclidean ones); the same
// number on Euclidean distances, as the study's Figure 4 has it; and the best threshold, chosen on validation ×
// training images by the mean of the shares of same and different pairs that it gets right, never on the images that
// are scored. Margins are told for embeddings of unit length only. "Always different" says how far the mere number of
// different pairs carries; a table of both kinds of pairs by themselves stands beside.
//
// Each pair counts the same. Intervals resample people (pairs of two people weigh as both together), from 12 on.

#include "best_threshold.hpp"
#include "charts.hpp"
#include "tally.hpp"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace osteon {
namespace {

using separation::Column;
using separation::Identities;
using separation::Rule;
using separation::Shares;
using separation::Tally;

constexpr double kUnitTolerance = 0.01;  ///< of a row's length; leaves room for bf16 embeddings

bool has_unit_rows(const at::Tensor& vectors) {
  return vectors.size(0) > 0 && vectors.norm(2, 1).sub(1).abs().max().item<float>() < kUnitTolerance;
}

/// "12,345".
std::string grouped(double count) {
  std::string digits = std::to_string(std::llround(count));
  for (std::ptrdiff_t place = std::ssize(digits) - 3; place > 0; place -= 3)
    digits.insert(static_cast<std::size_t>(place), 1, ',');
  return digits;
}

class PairwiseSeparation final : public Metric {
 public:
  static Schema schema() {
    return {
        "Share of pairs of X-rays that a threshold of their distance tells to be of the same or of different bones "
        "(Čavojská et al. 2020).",
        {Parameter::text("pairs", "across scans",
                         "Query × gallery images, of different scans; or \"all\": each two gallery images, as the "
                         "study did, whose figures are marked \"protocol only\".")
             .one_of(std::vector<std::string>{"across scans", "all"}),
         angle("narrow", 4, "Largest angle of the narrowest view subsets."),
         angle("middle", 7, "Largest angle of the middle view subset."),
         angle("wide", 22, "Largest angle, in one direction, of the two long view subsets."),
         Parameter::real("energy_from", 146, "Lowest energy of the narrowest subset.").unit("keV").above(0),
         Parameter::real("energy_to", 158, "Highest energy of the narrowest subset.").unit("keV").above(0),
         Parameter::integer("validation_pairs", 1000000,
                            "Pairs from which the best threshold is chosen; beyond it, as many images of each bone are "
                            "drawn as make about so many pairs, at least one.")
             .at_least(2)}};
  }

  explicit PairwiseSeparation(const Parameters& parameters)
      : is_protocol_(parameters.text("pairs") == "all"),
        validation_pairs_(parameters.integer("validation_pairs")),
        limits_{parameters.real("narrow"), parameters.real("middle"), parameters.real("wide"),
                parameters.real("energy_from"), parameters.real("energy_to")} {
    if (limits_.narrow > limits_.middle || limits_.middle > limits_.wide)
      throw Error(text("narrow = ", limits_.narrow, ", middle = ", limits_.middle, ", wide = ", limits_.wide,
                       " must not fall"));
    if (limits_.energy_from > limits_.energy_to)
      throw Error(text("energy_from = ", limits_.energy_from, " must not be above energy_to = ", limits_.energy_to));
  }

  [[nodiscard]] std::set<Need> needs() const override { return {Need::embeddings}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    const Identities identities(evidence);
    const std::vector<separation::Subset> subsets = subsets_of(limits_);
    const std::vector<std::uint8_t> membership = memberships(evidence, subsets);
    std::vector<Column> columns;
    for (const bool held_out : {false, true}) {
      Column column =
          is_protocol_ ? separation::each_two(evidence, held_out) : separation::across_scans(evidence, held_out);
      if (!column.left.empty() && !column.right.empty()) columns.push_back(std::move(column));
    }
    const Run run{&evidence, &identities, &subsets, &membership, &columns};
    MetricResult result;
    for (const EmbeddingSet& set : evidence.embeddings()) add_set(run, set, result);
    for (const Column& column : columns) add_baseline(run, column, result.values);
    return result;
  }

 private:
  struct Run {
    const Evidence* evidence;
    const Identities* identities;
    const std::vector<separation::Subset>* subsets;
    const std::vector<std::uint8_t>* membership;
    const std::vector<Column>* columns;
  };

  static Parameter angle(const char* name, double standard, const char* sentence) {
    return Parameter::real(name, standard, sentence).unit("degrees").at_least(0).at_most(180);
  }

  void add_set(const Run& run, const EmbeddingSet& set, MetricResult& result) const {
    require_usable(run, set);
    const separation::BestThreshold best = best_on_validation(run, set.vectors);
    std::vector<Rule> margins;
    if (const double margin = run.evidence->margin(); margin >= 0 && has_unit_rows(set.vectors))
      margins = {{"distance² < margin", margin}, {"distance < margin", margin * margin}};
    add_thresholds(run, set, margins, best, result.values);
    for (const Column& column : *run.columns) {
      std::vector<Rule> rules = margins;
      if (std::isfinite(best.distance) && !scores_validation_images(run, column))
        rules.push_back({"best threshold", best.distance * best.distance});
      if (rules.empty()) continue;
      const std::vector<Tally> tallies =
          tally(set.vectors, column, *run.identities, *run.membership, run.subsets->size(), rules);
      for (std::size_t r = 0; r < rules.size(); ++r) add_rule(run, set, column, rules[r], r, tallies, result.values);
      if (!set.is_trivial) draw(run, set, column, rules, tallies, result.charts);
    }
  }

  static void require_usable(const Run& run, const EmbeddingSet& set) {
    const auto images = std::ssize(run.evidence->roles());
    if (!set.vectors.defined() || set.vectors.dim() != 2 || set.vectors.size(0) != images ||
        set.vectors.scalar_type() != at::kFloat)
      throw failure(text("embeddings ", set.name, " must be float32 [", images, ", d], a row for each image"));
    if (!set.vectors.isfinite().all().item<bool>())
      throw failure(text("embeddings ", set.name, " hold values that are not finite"));
  }

  /// Where the column is made of the images that the best threshold would be chosen on, it has none.
  [[nodiscard]] bool scores_validation_images(const Run& run, const Column& column) const {
    return !column.is_held_out && (is_protocol_ || run.evidence->queries_share_volume());
  }

  [[nodiscard]] separation::BestThreshold best_on_validation(const Run& run, const at::Tensor& vectors) const {
    const Column column = separation::validation_pairs(*run.evidence, validation_pairs_);
    std::vector<double> same, different;
    for_each_block(vectors, column, [&](std::int64_t first_left, std::int64_t first_right, const at::Tensor& squared) {
      const double* distance = squared.data_ptr<double>();
      for (std::int64_t l = 0; l < squared.size(0); ++l)
        for (std::int64_t r = 0; r < squared.size(1); ++r) {
          const auto kind = run.identities->kind(column.left[static_cast<std::size_t>(first_left + l)],
                                                 column.right[static_cast<std::size_t>(first_right + r)]);
          if (kind == separation::Kind::neither) continue;
          (kind == separation::Kind::same ? same : different).push_back(std::sqrt(distance[l * squared.size(1) + r]));
        }
    });
    return separation::best_threshold(std::move(same), std::move(different));
  }

  static void add_thresholds(const Run& run, const EmbeddingSet& set, const std::vector<Rule>& margins,
                             const separation::BestThreshold& best, std::vector<MetricValue>& values) {
    const auto add = [&](const char* column, double threshold, const char* unit, const std::string& note) {
      MetricValue value;
      value.table = "pairwise separation, thresholds as Euclidean distances";
      value.row = set.name;
      value.column = column;
      value.value = threshold;
      value.unit = unit;
      value.is_baseline = set.is_trivial;
      value.count = bones_seen(run);
      value.counted = "bones";
      value.note = note;
      values.push_back(std::move(value));
    };
    if (!margins.empty()) {
      add("√margin", std::sqrt(margins[0].squared_limit), "", "");
      add("margin", std::sqrt(margins[1].squared_limit), "", "");
    }
    const std::string why = std::isnan(best.distance) ? "no pairs of validation and training images" : "";
    add("best on validation images", best.distance, "", why);
    if (!margins.empty()) add("best / √margin", best.distance / std::sqrt(margins[0].squared_limit), "", why);
    add("right on them, mean of same and different", 100 * best.accuracy, "%",
        why.empty() ? "pairs of validation and training images, which may share a CT volume" : why);
  }

  static std::int64_t bones_seen(const Run& run) {
    return std::ranges::count_if(run.evidence->bones(), [](const EvidenceBone& bone) { return !bone.held_out; });
  }

  /// A value's table, count and notes; undefined where the tally tells nothing.
  [[nodiscard]] MetricValue cell(const Run& run, const Column& column, const Tally& tally, const std::string& table,
                                 const std::string& row, const std::string& subset) const {
    MetricValue value;
    value.table = text(table, column.name(), is_protocol_ ? ", all pairs (protocol only)" : "");
    value.row = row;
    value.column = subset;
    value.unit = "%";
    value.count = tally.bones;
    value.counted = text("bones, ", grouped(tally.same_pairs() + tally.different_pairs()), " pairs");
    value.note = joined(tally.why_undefined(), note_of(run, column));
    return value;
  }

  [[nodiscard]] std::string note_of(const Run& run, const Column& column) const {
    std::string note;
    if (is_protocol_) {
      note = "pairs share CT volumes: protocol only, says nothing about identity";
    } else if (run.evidence->queries_share_volume()) {
      note = "gallery and queries share a CT volume: says nothing about identity";
    }
    if (column.is_held_out && run.evidence->folds() > 1)
      note = joined(note, text("of the first of ", run.evidence->folds(), " folds"));
    return note;
  }

  static std::string joined(const std::string& first, const std::string& second) {
    return first + (first.empty() || second.empty() ? "" : "; ") + second;
  }

  void add_rule(const Run& run, const EmbeddingSet& set, const Column& column, const Rule& rule, std::size_t number,
                const std::vector<Tally>& tallies, std::vector<MetricValue>& values) const {
    const std::string row = text(set.name, ", ", rule.name);
    const auto add = [&](const Tally& tally, const std::string& table, const std::string& name,
                         double Shares::*figure) {
      MetricValue value = cell(run, column, tally, table, row, name);
      value.is_baseline = set.is_trivial;
      if (tally.why_undefined().empty()) {
        value.value = 100 * (shares_of(tally, number).*figure);
        if (const auto interval = interval_of(tally, number, figure, run.evidence->seed()))
          value.interval = {100 * interval->first, 100 * interval->second};
      }
      values.push_back(std::move(value));
    };
    for (std::size_t s = 0; s < tallies.size(); ++s)
      add(tallies[s], "pairs told apart, ", (*run.subsets)[s].name, &Shares::all);
    const Tally& all = tallies.back();
    add(all, "pairs told apart, all angles and energies, ", "same bone", &Shares::same);
    add(all, "pairs told apart, all angles and energies, ", "different bones", &Shares::different);
    add(all, "pairs told apart, all angles and energies, ", "mean of both", &Shares::mean);
  }

  void add_baseline(const Run& run, const Column& column, std::vector<MetricValue>& values) const {
    const at::Tensor nothing = at::zeros({std::ssize(run.evidence->roles()), 1});
    const std::vector<Rule> never = {{"", 0}};
    const std::vector<Tally> tallies =
        tally(nothing, column, *run.identities, *run.membership, run.subsets->size(), never);
    const EmbeddingSet set{"always different", true, {}};
    std::vector<MetricValue> rows;
    add_rule(run, set, column, never.front(), 0, tallies, rows);
    for (MetricValue& value : rows) {
      value.row = set.name;
      value.interval.reset();
      values.push_back(std::move(value));
    }
  }

  /// The narrowest subset that has pairs of both kinds, and all images.
  void draw(const Run& run, const EmbeddingSet& set, const Column& column, const std::vector<Rule>& rules,
            const std::vector<Tally>& tallies, std::vector<Chart>& charts) const {
    separation::Drawing drawing{run.evidence, run.identities, &set, {}, note_of(run, column)};
    for (const Rule& rule : rules) drawing.guides.push_back({rule.name, std::sqrt(rule.squared_limit)});
    const std::string more = text(column.name(), is_protocol_ ? ", all pairs (protocol only)" : "");
    const auto has_both_kinds = [](const Tally& tally) { return tally.why_undefined().empty(); };
    const auto narrowest = std::ranges::find_if(tallies, has_both_kinds) - tallies.begin();
    for (const std::ptrdiff_t s : std::set<std::ptrdiff_t>{narrowest, std::ssize(tallies) - 1}) {
      if (s == std::ssize(tallies)) continue;
      const std::string& subset = (*run.subsets)[static_cast<std::size_t>(s)].name;
      add_charts(drawing, column, *run.membership, 1U << s,
                 text(s + 1 == std::ssize(tallies) ? "all angles and energies" : subset, ", ", more), charts);
    }
  }

  bool is_protocol_;
  std::int64_t validation_pairs_;
  separation::Limits limits_;
};

}  // namespace

OSTEON_PLUGIN(metric, pairwise_separation, "0.1.0", PairwiseSeparation)

}  // namespace osteon
