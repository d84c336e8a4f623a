// metric/verification: how well distances tell who a bone belongs to, beyond the first answer: ranks, error rates over
// all thresholds, open sets, likelihood ratios, and the other femur of the same person.
//
//     [metric.verification]
//     ranks              = [1, 3, 5]
//     false_accept_rates = [0.1, 0.01, 0.001]
//
// The score of a query image and an enrolled bone is minus the distance to the bone's nearest gallery image. Genuine is
// the own bone, impostors are bones of other people; the person's other femur is neither. Each bone counts the same,
// and so does each pair of people, however many images there are. Intervals resample the people that the queries show
// (both sides of a person together; people who are only enrolled stay), and below 12 of them there are none. Folds are
// pooled, although each has its own network and its own scale of distances.
//
// Ranks: share of bones whose own bone is among the first k, averaged over a bone's images, and mean reciprocal rank;
//   equally near bones stand in random order. (metric/identification gives the rank-1 of the classifiers.)
// Verification: equal error rate by straight lines between neighbouring thresholds (50 % where all scores tie), area
//   under the ROC, true-accept rates at stated false-accept rates. n people are n (n − 1) / 2 independent impostor
//   pairs, and rates below 3 / pairs are undefined. ISO/IEC 19795-1.
// Open set: a query's nearest bone against its nearest bone when its person is not enrolled; and what classifiers with
//   a calibrated threshold accepted and rejected.
// Likelihood ratios: calibrated by logistic regression on people other than the two compared (each person is left out
//   alone up to ten people, in ten folds beyond that); Cllr, its least value for these scores, and a Tippett plot.
//   Brümmer and du Preez, Computer Speech & Language 20, 2006. Undefined below 4 people.
// The other side: rank of the person's opposite femur among all people's bones of that side, one a person.

#include "setting.hpp"

#include <osteon/parallel.hpp>

namespace osteon {
namespace {

class Verification final : public Metric {
 public:
  static Schema schema() {
    return {
        "Ranks, ROC, equal error rate, open set, likelihood ratios (Brümmer and du Preez 2006) and the other femur, "
        "from distances to enrolled bones.",
        {Parameter::integers("ranks", {1, 3, 5}, "Ranks within which the own bone is counted as found.")
             .at_least(1)
             .length_at_least(1),
         Parameter::reals("false_accept_rates", {0.1, 0.01, 0.001},
                          "False-accept rates at which true accepts are told, where there are people enough.")
             .above(0)
             .below(1)}};
  }

  explicit Verification(const Parameters& parameters)
      : options_{parameters.integers("ranks"), parameters.reals("false_accept_rates")} {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::trials, Need::predictions}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    using namespace verification;
    const Cohort cohort = cohort_of(evidence.bones());
    MetricResult result;
    for (const ProbeTable& table : pooled(evidence.trials(), cohort)) {
      throw_if_stopped();
      const Setting setting{&evidence, &cohort, &table, people_of(table.probes, cohort)};
      add_ranks(setting, options_, result);
      add_error_rates(setting, options_, result);
      add_open_set(setting, result);
      add_likelihood_ratios(setting, result);
      add_opposite_side(setting, result);
    }
    add_watch_lists(evidence, cohort, result);
    return result;
  }

 private:
  verification::Options options_;
};

}  // namespace

OSTEON_PLUGIN(metric, verification, "0.1.0", Verification)

}  // namespace osteon
