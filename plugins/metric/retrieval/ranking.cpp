#include "ranking.hpp"

namespace osteon::retrieval {

Ranking ranking_of(std::span<const char> is_relevant, std::int64_t relevant) {
  Ranking ranking;
  std::int64_t hits = 0;
  double precisions = 0;
  for (std::int64_t place = 1; place <= std::ssize(is_relevant); ++place) {
    if (place > relevant && ranking.first_relevant > 0) break;
    if (is_relevant[static_cast<std::size_t>(place - 1)] == 0) continue;
    if (ranking.first_relevant == 0) ranking.first_relevant = place;
    if (place > relevant) break;
    ++hits;
    precisions += static_cast<double>(hits) / static_cast<double>(place);
  }
  ranking.r_precision = static_cast<double>(hits) / static_cast<double>(relevant);
  ranking.map_at_r = precisions / static_cast<double>(relevant);
  return ranking;
}

double Chance::recall(std::int64_t k) const {
  double all_others = 1;
  for (std::int64_t drawn = 0; drawn < k && all_others > 0; ++drawn)
    all_others *= static_cast<double>(gallery - relevant - drawn) / static_cast<double>(gallery - drawn);
  return 1 - all_others;
}

double Chance::map_at_r() const {
  const double next = gallery > 1 ? static_cast<double>(relevant - 1) / static_cast<double>(gallery - 1) : 0;
  double sum = 0;
  for (std::int64_t place = 1; place <= relevant; ++place) {
    const auto i = static_cast<double>(place);
    sum += (1 + (i - 1) * next) / i;
  }
  return sum / static_cast<double>(gallery);
}

double Chance::reciprocal_rank(std::int64_t k) const {
  double sum = 0, all_others = 1;
  for (std::int64_t place = 1; place <= k && all_others > 0; ++place) {
    const double hit = static_cast<double>(relevant) / static_cast<double>(gallery - place + 1);
    sum += all_others * hit / static_cast<double>(place);
    all_others *= 1 - hit;
  }
  return sum;
}

}  // namespace osteon::retrieval
