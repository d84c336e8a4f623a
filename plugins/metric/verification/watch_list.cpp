// What classifiers with a calibrated threshold did on a watch list.

#include "setting.hpp"
#include "verification/ranks.hpp"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace osteon::verification {

namespace {

/// One query, answered with its person enrolled and without.
struct Answer {
  std::int64_t bone;
  bool is_accepted, is_right, is_false_accept;
};

/// One classifier on one embedding set, folds pooled.
struct WatchList {
  const Identification* first;
  std::vector<Answer> answers;
  double stated_sum = 0;
  std::int64_t entries = 0;
};

bool is_calibrated(const Identification& one) {
  return one.impostor_scores.defined() && std::isfinite(one.accept_from) && std::isfinite(one.stated_rate);
}

void append(const Identification& one, std::int64_t bones, std::vector<Answer>& answers) {
  const std::int64_t queries = one.truth.numel();
  if (one.predicted.numel() != queries || one.scores.numel() != queries || one.impostor_scores.numel() != queries)
    throw failure(text("identification by ", one.embedding_set, " + ", one.classifier, " has ", queries,
                       " queries, but ", one.predicted.numel(), " answers, ", one.scores.numel(), " scores and ",
                       one.impostor_scores.numel(), " impostor scores; one of each is needed for every query image"));
  const at::Tensor truth = one.truth.contiguous(), predicted = one.predicted.contiguous();
  const at::Tensor scores = one.scores.contiguous(), impostors = one.impostor_scores.contiguous();
  for (std::int64_t i = 0; i < queries; ++i) {
    const std::int64_t bone = truth.data_ptr<std::int64_t>()[i], answer = predicted.data_ptr<std::int64_t>()[i];
    if (bone < 0 || bone >= bones)
      throw failure(text("query ", i, " shows bone ", bone, ", but there are ", bones, " bones"));
    const bool is_accepted = answer >= 0 && scores.data_ptr<float>()[i] >= one.accept_from;
    answers.push_back({bone, is_accepted, answer == bone, impostors.data_ptr<float>()[i] >= one.accept_from});
  }
}

std::vector<WatchList> pooled_lists(const Evidence& evidence) {
  std::vector<WatchList> lists;
  for (const Identification& one : evidence.identifications()) {
    if (!is_calibrated(one)) continue;
    auto list = std::ranges::find_if(lists, [&](const WatchList& known) {
      return known.first->embedding_set == one.embedding_set && known.first->classifier == one.classifier &&
             known.first->held_out == one.held_out;
    });
    if (list == lists.end()) list = lists.insert(list, {&one, {}});
    append(one, std::ssize(evidence.bones()), list->answers);
    list->stated_sum += one.stated_rate;
    ++list->entries;
  }
  return lists;
}

MetricValue share(const WatchList& list, const Evidence& evidence, const Cohort& cohort, const std::string& column,
                  bool larger_is_better, bool (*holds)(const Answer&)) {
  const BoneAverage average = average_over_bones(
      list.answers.size(), [&](std::size_t i) { return list.answers[i].bone; },
      [&](std::size_t i) { return holds(list.answers[i]) ? 1.0 : 0.0; }, cohort);
  MetricValue value;
  value.table = text("watch list, bones ", list.first->held_out ? "never trained on" : "seen in training");
  value.row = text(list.first->embedding_set, " + ", list.first->classifier);
  value.column = column;
  value.unit = "%";
  value.larger_is_better = larger_is_better;
  value.is_baseline = list.first->is_trivial;
  value.count = std::ssize(average.by_bone);
  value.counted = "bones";
  if (evidence.queries_share_volume())
    add_note(value, "gallery and queries share a CT volume: says nothing about identity");
  if (average.by_bone.empty()) return undefined(value, "no query images");
  value.value = 100 * average.sum / static_cast<double>(value.count);
  value.people = average.parts(100);
  value.interval = times_hundred(statistics::share_interval(average.by_person, evidence.seed()));
  return value;
}

}  // namespace

void add_watch_lists(const Evidence& evidence, const Cohort& cohort, MetricResult& result) {
  for (const WatchList& list : pooled_lists(evidence)) {
    const auto add = [&](const char* column, bool larger_is_better, bool (*holds)(const Answer&)) {
      result.values.push_back(share(list, evidence, cohort, column, larger_is_better, holds));
    };
    add("false accepts", false, [](const Answer& a) { return a.is_false_accept; });
    MetricValue stated = result.values.back();
    stated.column = "false accepts, stated";
    stated.interval.reset();
    stated.people.clear();
    if (!std::isnan(stated.value)) stated.value = 100 * list.stated_sum / static_cast<double>(list.entries);
    result.values.insert(result.values.end() - 1, stated);
    add("accepted and right", true, [](const Answer& a) { return a.is_accepted && a.is_right; });
    add("accepted and wrong", false, [](const Answer& a) { return a.is_accepted && !a.is_right; });
    add("rejected", false, [](const Answer& a) { return !a.is_accepted; });
  }
}

}  // namespace osteon::verification
