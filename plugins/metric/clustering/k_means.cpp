#include "k_means.hpp"

#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace osteon::clustering {

namespace {

double squared_distance(const float* a, const float* b, std::int64_t n) {
  float part[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int j = 0; j < 8; ++j) {
      const float difference = a[i + j] - b[i + j];
      part[j] += difference * difference;
    }
  double sum = 0;
  for (; i < n; ++i) sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  for (const float one : part) sum += one;
  return sum;
}

/// Points moved so that their mean is 0, which keeps the rounding of |x|² - 2 x·c + |c|² small.
class Points {
 public:
  explicit Points(const at::Tensor& points) : rows_(points.sub(points.mean(0, true)).contiguous()) {
    squared_lengths_.resize(static_cast<std::size_t>(count()));
    const std::vector<float> zero(static_cast<std::size_t>(dimensions()));
    parallel_for(0, count(), 256, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i)
        squared_lengths_[static_cast<std::size_t>(i)] = squared_distance(row(i), zero.data(), dimensions());
    });
  }

  [[nodiscard]] const at::Tensor& rows() const { return rows_; }
  [[nodiscard]] std::int64_t count() const { return rows_.size(0); }
  [[nodiscard]] std::int64_t dimensions() const { return rows_.size(1); }
  [[nodiscard]] const float* row(std::int64_t i) const { return rows_.data_ptr<float>() + i * dimensions(); }
  [[nodiscard]] double squared_length(std::int64_t i) const { return squared_lengths_[static_cast<std::size_t>(i)]; }

 private:
  at::Tensor rows_;
  std::vector<double> squared_lengths_;
};

/// Each next centre is a point, drawn in proportion to its squared distance from the centres so far. Fewer than `count`
/// where no point is left that is no centre: distances of equal points are exactly 0.
at::Tensor draw_centres(const Points& points, std::int64_t count, Random& random) {
  std::vector<double> distance(static_cast<std::size_t>(points.count()), std::numeric_limits<double>::infinity());
  std::vector<std::int64_t> chosen{static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(points.count())))};
  while (true) {
    const float* centre = points.row(chosen.back());
    parallel_for(0, points.count(), 256, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        double& least = distance[static_cast<std::size_t>(i)];
        least = std::min(least, squared_distance(points.row(i), centre, points.dimensions()));
      }
    });
    double total = 0;
    for (const double one : distance) total += one;
    if (std::ssize(chosen) == count || total <= 0) break;
    double left = random.uniform() * total;
    std::int64_t next = -1;
    for (std::size_t i = 0; i < distance.size() && left >= 0; ++i)
      if (distance[i] > 0) {
        left -= distance[i];
        next = static_cast<std::int64_t>(i);
      }
    chosen.push_back(next);
  }
  return points.rows().index_select(0, at::tensor(chosen, at::kLong));
}

/// One start of Lloyd's iteration.
class Lloyd {
 public:
  Lloyd(const Points& points, at::Tensor centres)
      : points_(points),
        centres_(std::move(centres)),
        distance_(static_cast<std::size_t>(points.count())),
        clusters_{std::vector<std::int64_t>(static_cast<std::size_t>(points.count()), -1), centres_.size(0), 0} {}

  Clusters run(std::int64_t iterations) {
    bool changed = assign();
    for (std::int64_t i = 0; i < iterations && changed; ++i) {
      throw_if_stopped();
      move_centres();
      changed = assign();
    }
    return std::move(clusters_);
  }

 private:
  /// Gives each point to its nearest centre, of equally near ones the first; true when that changed any.
  bool assign() {
    constexpr std::int64_t kChunk = 1024;
    const std::int64_t k = centres_.size(0), d = points_.dimensions();
    const std::vector<float> zero(static_cast<std::size_t>(d));
    std::vector<double> length(static_cast<std::size_t>(k));
    for (std::int64_t c = 0; c < k; ++c)
      length[static_cast<std::size_t>(c)] = squared_distance(centres_.data_ptr<float>() + c * d, zero.data(), d);
    bool changed = false;
    clusters_.inertia = 0;
    for (std::int64_t first = 0; first < points_.count(); first += kChunk) {
      const std::int64_t rows = std::min(kChunk, points_.count() - first);
      const at::Tensor products = at::mm(points_.rows().narrow(0, first, rows), centres_.t()).contiguous();
      for (std::int64_t i = 0; i < rows; ++i)
        changed |= assign_one(first + i, products.data_ptr<float>() + i * k, length);
    }
    return changed;
  }

  bool assign_one(std::int64_t point, const float* products, const std::vector<double>& length) {
    double least = std::numeric_limits<double>::infinity();
    std::int64_t nearest = 0;
    for (std::size_t c = 0; c < length.size(); ++c)
      if (const double distance = length[c] - 2 * static_cast<double>(products[c]); distance < least) {
        least = distance;
        nearest = static_cast<std::int64_t>(c);
      }
    const auto at = static_cast<std::size_t>(point);
    distance_[at] = std::max(0.0, least + points_.squared_length(point));
    clusters_.inertia += distance_[at];
    return std::exchange(clusters_.of_point[at], nearest) != nearest;
  }

  /// To the mean of its points; a centre without any to the point that is farthest from its own.
  void move_centres() {
    const std::int64_t k = centres_.size(0), d = points_.dimensions();
    std::vector<std::int64_t> members(static_cast<std::size_t>(k));
    for (const std::int64_t c : clusters_.of_point) ++members[static_cast<std::size_t>(c)];
    at::Tensor sums = at::zeros({k, d}, at::kDouble);
    auto* sum = sums.data_ptr<double>();
    parallel_for(0, d, 16, [&](std::int64_t first, std::int64_t last) {  // by dimensions: no two threads share a sum
      for (std::int64_t i = 0; i < points_.count(); ++i) {
        const float* row = points_.row(i);
        double* own = sum + clusters_.of_point[static_cast<std::size_t>(i)] * d;
        for (std::int64_t j = first; j < last; ++j) own[j] += row[j];
      }
    });
    for (std::int64_t c = 0; c < k; ++c) {
      const std::int64_t count = members[static_cast<std::size_t>(c)];
      if (count > 0) {
        centres_[c].copy_(sums[c].div(count));
      } else if (const std::int64_t farthest = take_farthest(); farthest >= 0) {
        centres_[c].copy_(points_.rows()[farthest]);
      }
    }
  }

  /// -1 where all points lie on their centres but for rounding.
  std::int64_t take_farthest() {
    constexpr double kRounding = 1e-6;
    const auto farthest = std::ranges::max_element(distance_);
    const auto point = static_cast<std::int64_t>(farthest - distance_.begin());
    if (*farthest <= kRounding * points_.squared_length(point)) return -1;
    *farthest = 0;
    return point;
  }

  const Points& points_;
  at::Tensor centres_;
  std::vector<double> distance_;  ///< squared, of each point from its centre
  Clusters clusters_;
};

}  // namespace

Clusters k_means(const at::Tensor& points, const Settings& settings) {
  const at::NoGradGuard no_graph;
  const Points centred(points);
  Clusters best;
  for (std::int64_t restart = 0; restart < settings.restarts; ++restart) {
    Random random(settings.seed, "k-means", static_cast<std::uint64_t>(restart));
    Clusters one = Lloyd(centred, draw_centres(centred, settings.clusters, random)).run(settings.iterations);
    if (restart == 0 || one.inertia < best.inertia) best = std::move(one);
  }
  return best;
}

}  // namespace osteon::clustering
