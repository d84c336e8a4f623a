#include "verification/trials.hpp"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

namespace osteon::verification {

namespace {

void check(const Trials& one, std::int64_t bones) {
  const auto refuse = [&](const auto&... parts) {
    throw failure(text("the distances of ", one.embedding_set, ' ', parts...));
  };
  if (!one.truth.defined() || !one.distances.defined() || one.distances.dim() != 2 || one.distances.size(1) != bones ||
      one.distances.size(0) != one.truth.numel())
    refuse("are not [", one.truth.defined() ? one.truth.numel() : 0, " queries, ", bones, " bones]");
  for (std::int64_t q = 0; q < one.truth.numel(); ++q)
    if (const auto bone = one.truth.data_ptr<std::int64_t>()[q]; bone < 0 || bone >= bones)
      refuse("belong to bone ", bone, " at query ", q, ", but there are ", bones, " bones");
}

void append(const Trials& one, std::int64_t bones, std::vector<Probe>& probes) {
  check(one, bones);
  const at::Tensor rows = one.distances.contiguous();
  for (std::int64_t q = 0; q < one.truth.numel(); ++q) {
    const float* first = rows.data_ptr<float>() + q * bones;
    const auto wrong = std::find_if(first, first + bones, [](float value) { return !(value >= 0); });
    if (wrong != first + bones)
      throw failure(text("the distance of ", one.embedding_set, " from query ", q, " to bone ", wrong - first, " is ",
                         *wrong, "; distances are 0 or more"));
    probes.push_back({one.truth.data_ptr<std::int64_t>()[q], std::vector<double>(first, first + bones)});
  }
}

/// Images of each bone that are among the probes.
std::map<std::int64_t, double> images_by_bone(const std::vector<Probe>& probes) {
  std::map<std::int64_t, double> images;
  for (const Probe& probe : probes) ++images[probe.bone];
  return images;
}

double nearest(const Probe& probe, const Cohort& cohort, std::int64_t without_person) {
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t b = 0; b < probe.distances.size(); ++b)
    if (cohort.person[b] != without_person) least = std::min(least, probe.distances[b]);
  return least;
}

}  // namespace

Cohort cohort_of(const std::vector<EvidenceBone>& bones) {
  Cohort cohort;
  std::map<std::string, std::int64_t> numbers;
  for (const EvidenceBone& bone : bones) {
    const auto [place, is_new] = numbers.try_emplace(bone.subject, cohort.people);
    if (is_new) {
      ++cohort.people;
      cohort.name.push_back(bone.subject);
    }
    cohort.person.push_back(place->second);
    cohort.side.push_back(bone.side);
  }
  return cohort;
}

std::vector<ProbeTable> pooled(const std::vector<Trials>& trials, const Cohort& cohort) {
  std::vector<ProbeTable> tables;
  for (const Trials& one : trials) {
    auto table = std::ranges::find_if(tables, [&](const ProbeTable& known) {
      return known.embedding_set == one.embedding_set && known.held_out == one.held_out;
    });
    if (table == tables.end()) table = tables.insert(table, {one.embedding_set, one.is_trivial, one.held_out, {}});
    append(one, std::ssize(cohort.person), table->probes);
  }
  return tables;
}

std::vector<std::int64_t> people_of(const std::vector<Probe>& probes, const Cohort& cohort) {
  std::set<std::int64_t> people;
  for (const Probe& probe : probes) people.insert(cohort.person[static_cast<std::size_t>(probe.bone)]);
  return {people.begin(), people.end()};
}

std::vector<Trial> verification_trials(const std::vector<Probe>& probes, const Cohort& cohort) {
  std::vector<Trial> trials;
  std::map<std::int64_t, double> images;                             // with a genuine trial, by bone
  std::map<std::pair<std::int64_t, std::int64_t>, double> compared;  // impostor trials, by pair of people
  const auto pair_of = [](const Trial& t) { return std::minmax(t.probe_person, t.enrolled_person); };
  std::vector<std::int64_t> bones;  // that the probe of each trial shows
  for (const Probe& probe : probes) {
    const std::int64_t person = cohort.person[static_cast<std::size_t>(probe.bone)];
    for (std::size_t b = 0; b < probe.distances.size(); ++b) {
      const bool is_own = static_cast<std::int64_t>(b) == probe.bone;
      if (!std::isfinite(probe.distances[b]) || (cohort.person[b] == person && !is_own)) continue;
      trials.push_back({-probe.distances[b], 1, is_own, person, cohort.person[b]});
      bones.push_back(probe.bone);
      is_own ? ++images[probe.bone] : ++compared[pair_of(trials.back())];
    }
  }
  for (std::size_t i = 0; i < trials.size(); ++i)
    trials[i].weight = 1 / (trials[i].is_genuine ? images.at(bones[i]) : compared.at(pair_of(trials[i])));
  sort_by_score(trials);
  return trials;
}

std::vector<Trial> watch_list_trials(const std::vector<Probe>& probes, const Cohort& cohort) {
  std::vector<Probe> usable;
  for (const Probe& probe : probes) {
    const std::int64_t person = cohort.person[static_cast<std::size_t>(probe.bone)];
    if (std::isfinite(probe.distances[static_cast<std::size_t>(probe.bone)]) &&
        std::isfinite(nearest(probe, cohort, person)))
      usable.push_back(probe);
  }
  const auto images = images_by_bone(usable);
  std::vector<Trial> trials;
  for (const Probe& probe : usable) {
    const std::int64_t person = cohort.person[static_cast<std::size_t>(probe.bone)];
    const double weight = 1 / images.at(probe.bone);
    trials.push_back({-nearest(probe, cohort, -1), weight, true, person, person});
    trials.push_back({-nearest(probe, cohort, person), weight, false, person, person});
  }
  sort_by_score(trials);
  return trials;
}

void sort_by_score(std::vector<Trial>& trials) {
  std::ranges::stable_sort(trials, std::ranges::greater{}, &Trial::score);
}

}  // namespace osteon::verification
