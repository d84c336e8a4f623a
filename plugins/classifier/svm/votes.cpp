#include "votes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::svm {

namespace {

using recognition::kTileSums;

/// Votes and decisions of one committee on eight embeddings. `decisions[lane * pairs + pair]`.
std::array<Verdict, kTogether> counted(const Committee& committee, const std::vector<double>& decisions) {
  const std::size_t classes = committee.order.size(), pairs = committee.machines.size();
  std::array<Verdict, kTogether> result;
  std::vector<std::size_t> votes(classes);
  for (std::size_t lane = 0; lane < result.size(); ++lane) {
    const double* decision = decisions.data() + lane * pairs;
    std::fill(votes.begin(), votes.end(), 0);
    for (std::size_t i = 0, pair = 0; i < classes; ++i)
      for (std::size_t j = i + 1; j < classes; ++j, ++pair) ++votes[decision[pair] > 0 ? i : j];
    const auto winner = static_cast<std::size_t>(std::max_element(votes.begin(), votes.end()) - votes.begin());
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t other = 0; other < classes; ++other) {
      if (other < winner) least = std::min(least, -decision[pair_place(other, winner, classes)]);
      if (other > winner) least = std::min(least, decision[pair_place(winner, other, classes)]);
    }
    result[lane] = {classes > 0 ? committee.order[winner] : kNoClass, least};
  }
  return result;
}

}  // namespace

Votes::Votes(const Rows& rows, std::vector<Committee> committees, Kernel kernel)
    : kernel_(kernel), committees_(std::move(committees)) {
  std::vector<std::int32_t> place(static_cast<std::size_t>(rows.size()), -1), chosen;
  for (Committee& committee : committees_)
    for (PairMachine& machine : committee.machines)
      for (std::int32_t& row : machine.rows) {
        std::int32_t& own = place[static_cast<std::size_t>(row)];
        if (own < 0) {
          own = static_cast<std::int32_t>(chosen.size());
          chosen.push_back(row);
        }
        row = own;
      }
  support_ = rows.gathered(chosen);
}

/// The kernel's values of each support vector with the panel's columns.
std::vector<Votes::Lanes> Votes::compared(const recognition::Panels& panel) const {
  std::vector<Lanes> values(static_cast<std::size_t>(support_.count() * recognition::kPanel));
  std::array<double, kTileSums> sums;
  const auto what = kernel_.linear ? recognition::SumOf::product : recognition::SumOf::squared_difference;
  for (std::int64_t p = 0; p < support_.count(); ++p) {
    recognition::sum_over_rows(what, support_, p, panel, 0, 1, sums);
    double* to = values[static_cast<std::size_t>(p * recognition::kPanel)].data();
    for (std::size_t i = 0; i < sums.size(); ++i) to[i] = kernel_.linear ? sums[i] : std::exp(-kernel_.gamma * sums[i]);
  }
  return values;
}

std::vector<std::array<Verdict, kTogether>> Votes::judge(const recognition::Panels& panel) const {
  const std::vector<Lanes> values = compared(panel);
  std::vector<std::array<Verdict, kTogether>> result;
  std::vector<double> decisions;
  for (const Committee& committee : committees_) {
    const std::size_t pairs = committee.machines.size();
    decisions.resize(pairs * static_cast<std::size_t>(kTogether));
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      const PairMachine& machine = committee.machines[pair];
      Lanes sum{};
      for (std::size_t i = 0; i < machine.rows.size(); ++i) {
        const Lanes& value = values[static_cast<std::size_t>(machine.rows[i])];
        for (std::size_t lane = 0; lane < sum.size(); ++lane) sum[lane] += machine.coefficients[i] * value[lane];
      }
      for (std::size_t lane = 0; lane < sum.size(); ++lane) decisions[lane * pairs + pair] = sum[lane] - machine.rho;
    }
    result.push_back(counted(committee, decisions));
  }
  return result;
}

}  // namespace osteon::svm
