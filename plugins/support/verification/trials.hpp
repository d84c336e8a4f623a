#pragma once

// What the comparisons of query images with enrolled bones are made of: who is whom, which comparisons are genuine, and
// how much each of them counts.

#include <osteon/metric.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace osteon::verification {

/// Who the bones belong to. People are numbered as they first occur.
struct Cohort {
  std::vector<std::int64_t> person;  ///< of each bone
  std::vector<Side> side;            ///< of each bone
  std::int64_t people = 0;
  std::vector<std::string> name = {};  ///< of each person
};

[[nodiscard]] Cohort cohort_of(const std::vector<EvidenceBone>& bones);

/// One query image against the gallery.
struct Probe {
  std::int64_t bone;              ///< the one that it shows
  std::vector<double> distances;  ///< `[B]`, one a bone; infinite for bones that are not enrolled
};

/// The query images of one embedding set in one column, of all folds together.
struct ProbeTable {
  std::string embedding_set;
  bool is_trivial = true, held_out = false;
  std::vector<Probe> probes;
};

/// Pools the entries that agree in embedding set and `held_out`, in their first order. Throws a failure where shapes
/// disagree, a bone does not exist, or a distance is negative or not a number.
[[nodiscard]] std::vector<ProbeTable> pooled(const std::vector<Trials>& trials, const Cohort& cohort);

/// The people whose bones the probes show, ascending.
[[nodiscard]] std::vector<std::int64_t> people_of(const std::vector<Probe>& probes, const Cohort& cohort);

/// n people give n (n − 1) / 2 pairs of different people, which is how many impostor comparisons are called
/// independent, however many images there are.
[[nodiscard]] inline std::int64_t independent_pairs(std::int64_t people) { return people * (people - 1) / 2; }

/// One comparison.
struct Trial {
  double score;  ///< larger is more alike
  double weight;
  bool is_genuine;
  std::int64_t probe_person, enrolled_person;  ///< the same of genuine ones
};

/// Every probe against its own bone (genuine) and against the bones of other people (impostor), from the largest score
/// to the smallest; score: minus the distance. The person's other bone is neither. Each bone's genuine trials weigh 1
/// together, and so do the impostor trials of each pair of people that are compared.
[[nodiscard]] std::vector<Trial> verification_trials(const std::vector<Probe>& probes, const Cohort& cohort);

/// Is somebody of the gallery shown? Each probe counts twice: by its nearest enrolled bone (genuine), and by its
/// nearest one when both bones of its person are taken out (impostor). Either way a bone's trials weigh 1 together.
/// Probes whose own bone is not enrolled, or beside whose person nobody is, are left out.
[[nodiscard]] std::vector<Trial> watch_list_trials(const std::vector<Probe>& probes, const Cohort& cohort);

/// Largest score first.
void sort_by_score(std::vector<Trial>& trials);

/// How often a trial occurs when people were drawn `times[person]` times each. A pair of people occurs as often as both
/// together (Owen, "The pigeonhole bootstrap", Ann. Appl. Stat. 1, 2007). Nothing given: every trial once.
[[nodiscard]] inline double times_drawn(const Trial& trial, std::span<const double> times) {
  if (times.empty()) return 1;
  const double probe = times[static_cast<std::size_t>(trial.probe_person)];
  return trial.probe_person == trial.enrolled_person ? probe
                                                     : probe * times[static_cast<std::size_t>(trial.enrolled_person)];
}

}  // namespace osteon::verification
