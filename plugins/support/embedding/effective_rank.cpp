#include "embedding/effective_rank.hpp"

#include "embedding/pca.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::embedding {

double effective_rank(const at::Tensor& rows) {
  const std::int64_t most = std::min(rows.size(0), rows.size(1));
  // A component explains the square of its singular value. Shares at the size of rounding errors are no dimensions,
  // and many roots of them would add up.
  const std::vector<double> shares = pca(rows, most).explained;
  const double least = static_cast<double>(most) * std::numeric_limits<double>::epsilon();
  double sum = 0, entropy = 0;
  for (const double share : shares) sum += share > least || std::isnan(share) ? std::sqrt(share) : 0;
  for (const double share : shares)
    if (share > least) entropy -= std::sqrt(share) / sum * std::log(std::sqrt(share) / sum);
  return std::isnan(sum) ? sum : std::exp(entropy);
}

}  // namespace osteon::embedding
