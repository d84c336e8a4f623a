#pragma once

// Where a probe's own bone stands among the enrolled ones: cumulative match characteristic and mean reciprocal rank
// (ISO/IEC 19795-1; Craswell, "Mean reciprocal rank", Encyclopedia of Database Systems, 2009).

#include "statistics/statistics.hpp"
#include "verification/trials.hpp"

#include <functional>
#include <map>

namespace osteon::verification {

/// The places that the own bone may have: enrolled bones that are nearer come first, those equally near may stand in
/// any order.
struct Rank {
  std::int64_t nearer = 0;  ///< other bones that are nearer
  std::int64_t tied = 0;    ///< other bones that are exactly as near
  std::int64_t candidates = 0;

  /// The chance to stand among the first `k` when ties are broken at random: 1/candidates of rank 1 where all tie.
  [[nodiscard]] double within(std::int64_t k) const;
  /// Mean of 1 / place.
  [[nodiscard]] double reciprocal() const;
  [[nodiscard]] double mean() const { return static_cast<double>(nearer) + 1 + static_cast<double>(tied) / 2; }
};

/// Of the distance `own` among the finite ones of `others`, which it does not stand in.
[[nodiscard]] Rank rank_of(double own, std::span<const double> others);

struct RankedProbe {
  std::int64_t bone;
  Rank rank;
};

/// Each probe among all enrolled bones; probes whose own bone is not enrolled are left out.
[[nodiscard]] std::vector<RankedProbe> ranks_in_gallery(const std::vector<Probe>& probes);

/// A figure averaged over the images of a bone, then over the bones.
struct BoneAverage {
  std::map<std::int64_t, double> by_bone;
  double sum = 0;                                   ///< over the bones
  std::vector<statistics::Contribution> by_person;  ///< hits: sum over the person's bones; total: bones
  std::vector<std::string> people;                  ///< whose they are

  /// For `MetricValue::people`.
  [[nodiscard]] std::vector<PersonPart> parts(double scale) const {
    return statistics::parts(people, by_person, scale);
  }
};

/// `figure(i)` of item i, which shows the bone `bone(i)`.
[[nodiscard]] BoneAverage average_over_bones(std::size_t count, const std::function<std::int64_t(std::size_t)>& bone,
                                             const std::function<double(std::size_t)>& figure, const Cohort& cohort);

}  // namespace osteon::verification
