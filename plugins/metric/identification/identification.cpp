// metric/identification: rank-1 recognition, counted in bones. Each bone of a column (seen in training, never trained
// on) adds the share of its query X-rays whose first answer is this bone; an answer "unknown" is a wrong one. Where
// people are held out in turn, all folds' queries of never-trained bones are counted together.
//
//     [metric.identification]
//
// Images of one bone are no independent trials, so the unit is the bone: "2.8 of 3". From 12 people on the figure is a
// percentage with a 95 % interval that resamples people, both sides of a person together. Beside the methods stands
// chance, one of the candidates. Study: Čavojská et al., Commun. Biol. 3:337, 2020, whose 100 % counts images.

#include "statistics/statistics.hpp"

#include <osteon/metric.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <map>
#include <vector>

namespace osteon {
namespace {

constexpr const char* kTable = "identity, rank-1";
constexpr const char* kSharedVolume = "gallery and queries share a CT volume: says nothing about identity";

/// The right answers of each bone that has query images, and its person.
struct Answers {
  std::map<std::int64_t, statistics::Contribution> by_bone;
  std::map<std::string, statistics::Contribution> by_person;  ///< total: bones; hits: sum of their shares
};

void count_answers(const Identification& identification, const Evidence& evidence, Answers& answers) {
  const at::Tensor truth = identification.truth.contiguous(), predicted = identification.predicted.contiguous();
  if (truth.numel() != predicted.numel())
    throw failure(text("identification by ", identification.embedding_set, " has ", truth.numel(), " true and ",
                       predicted.numel(), " predicted bones; one of each is needed for every query image"));
  for (std::int64_t i = 0; i < truth.numel(); ++i) {
    const std::int64_t bone = truth.data_ptr<std::int64_t>()[i];
    if (bone < 0 || bone >= std::ssize(evidence.bones()))
      throw failure(text("query ", i, " shows bone ", bone, ", but there are ", evidence.bones().size(), " bones"));
    auto& own = answers.by_bone[bone];
    own.total += 1;
    own.hits += predicted.data_ptr<std::int64_t>()[i] == bone ? 1 : 0;
  }
}

void add_people(Answers& answers, const Evidence& evidence) {
  for (const auto& [bone, own] : answers.by_bone) {
    auto& person = answers.by_person[evidence.bones()[static_cast<std::size_t>(bone)].subject];
    person.total += 1;
    person.hits += own.hits / own.total;
  }
}

/// The entries that tell of one method and column, folds together.
struct Pooled {
  const Identification* first;
  Answers answers;
};

std::vector<Pooled> pooled_answers(const Evidence& evidence) {
  std::vector<Pooled> all;
  for (const Identification& one : evidence.identifications()) {
    auto same = std::ranges::find_if(all, [&](const Pooled& other) {
      return other.first->embedding_set == one.embedding_set && other.first->classifier == one.classifier &&
             other.first->held_out == one.held_out && other.first->candidates == one.candidates;
    });
    if (same == all.end()) same = all.insert(all.end(), {&one, {}});
    count_answers(one, evidence, same->answers);
  }
  for (Pooled& one : all) add_people(one.answers, evidence);
  return all;
}

class RankOne final : public Metric {
 public:
  static Schema schema() {
    return {"Rank-1 recognition on bones seen in training and on bones never trained on, counted in bones.", {}};
  }

  explicit RankOne(const Parameters& /*parameters*/) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::predictions}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    MetricResult result;
    std::map<std::pair<bool, std::int64_t>, MetricValue> chance;  // by column and number of candidates
    for (const auto& [first, answers] : pooled_answers(evidence)) {
      const Identification& identification = *first;
      result.values.push_back(recognised(identification, answers, evidence));
      if (identification.candidates > 0 && !answers.by_bone.empty())
        chance.try_emplace({identification.held_out, identification.candidates},
                           by_chance(identification, answers, evidence));
    }
    std::map<bool, int> galleries;
    for (const auto& [key, value] : chance) ++galleries[key.first];
    for (auto& [key, value] : chance) {
      if (galleries[key.first] > 1) value.row = text("chance, 1 of ", key.second);
      result.values.push_back(value);
    }
    return result;
  }

 private:
  /// A cell with everything but row, value and interval.
  static MetricValue empty_cell(const Identification& identification, const Answers& answers,
                                const Evidence& evidence) {
    MetricValue value;
    value.table = kTable;
    value.column = identification.held_out ? "never trained on" : "seen in training";
    value.count = std::ssize(answers.by_bone);
    value.counted = "bones";
    value.unit = is_percentage(answers) ? "%" : text("of ", value.count);
    if (evidence.queries_share_volume()) value.note = kSharedVolume;
    return value;
  }

  static bool is_percentage(const Answers& answers) { return answers.by_person.size() >= statistics::kFewestPeople; }

  static MetricValue recognised(const Identification& identification, const Answers& answers,
                                const Evidence& evidence) {
    MetricValue value = empty_cell(identification, answers, evidence);
    value.row = text(identification.embedding_set, " + ", identification.classifier);
    value.is_baseline = identification.is_trivial;
    if (answers.by_bone.empty()) {
      value.unit = "";
      value.note = "no query images";
      return value;
    }
    double sum = 0;
    for (const auto& [subject, one] : answers.by_person) sum += one.hits;
    value.value = is_percentage(answers) ? 100 * sum / static_cast<double>(value.count) : sum;
    statistics::set_people(value, answers.by_person, evidence.seed(), 100);
    return value;
  }

  static MetricValue by_chance(const Identification& identification, const Answers& answers, const Evidence& evidence) {
    MetricValue value = empty_cell(identification, answers, evidence);
    value.row = "chance";
    value.is_baseline = true;
    const double whole = is_percentage(answers) ? 100 : static_cast<double>(value.count);
    value.value = whole / static_cast<double>(identification.candidates);
    return value;
  }
};

}  // namespace

OSTEON_PLUGIN(metric, identification, "0.1.0", RankOne)

}  // namespace osteon
