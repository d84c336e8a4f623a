// The descent is scikit-learn's, so that results can be compared: learning rate n / exaggeration / 4, at least 50;
// momentum 0.5, then 0.8; gains as in Jacobs (Neural Networks 1, 1988).

#include "embedding/tsne.hpp"

#include "embedding/affinities.hpp"
#include "embedding/pca.hpp"
#include "embedding/quadtree.hpp"
#include "recognition/embeddings.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace osteon::embedding {

namespace {

constexpr double kStartSpread = 1e-4;  ///< standard deviation of the first coordinate
constexpr std::int64_t kMostEarly = 250, kPointsAtOnce = 64;
constexpr float kLeastGain = 0.01F;
constexpr int kLanes = 8;
using Lanes = float __attribute__((vector_size(4 * kLanes)));

/// The first two principal components, scaled.
std::vector<float> start(const at::Tensor& rows) {
  const at::Tensor points = pca(rows, 2).points;
  const double* p = points.data_ptr<double>();
  double squares = 0;
  for (std::int64_t i = 0; i < points.size(0); ++i) squares += p[2 * i] * p[2 * i];
  const double spread = std::sqrt(squares / static_cast<double>(points.size(0)));
  std::vector<float> result;
  for (std::int64_t i = 0; i < points.numel(); ++i)
    result.push_back(spread > 0 ? static_cast<float>(p[i] / spread * kStartSpread) : 0);
  return result;
}

/// Σⱼ p q (i - j) of point i, in lanes that are added in a fixed order.
void pull(const Affinities& p, const std::vector<float>& y, std::size_t i, float& pull_x, float& pull_y) {
  Lanes sum_x{}, sum_y{};
  const float own_x = y[2 * i], own_y = y[2 * i + 1];
  const auto end = static_cast<std::size_t>(p.first[i + 1]);
  for (auto at = static_cast<std::size_t>(p.first[i]); at < end; at += kLanes) {
    Lanes dx{}, dy{}, weight{};
    const int count = static_cast<int>(std::min<std::size_t>(kLanes, end - at));
    for (int lane = 0; lane < count; ++lane) {
      const std::size_t place = at + static_cast<std::size_t>(lane), j = static_cast<std::size_t>(p.other[place]);
      dx[lane] = own_x - y[2 * j];
      dy[lane] = own_y - y[2 * j + 1];
      weight[lane] = p.weight[place];
    }
    const Lanes force = weight / (1.0F + dx * dx + dy * dy);
    sum_x += force * dx;
    sum_y += force * dy;
  }
  pull_x = pull_y = 0;
  for (int lane = 0; lane < kLanes; ++lane) {
    pull_x += sum_x[lane];
    pull_y += sum_y[lane];
  }
}

/// One descent over all points.
class Descent {
 public:
  Descent(Affinities p, std::vector<float> points, const TsneOptions& options)
      : p_(std::move(p)),
        y_(std::move(points)),
        push_(y_.size()),
        speed_(y_.size()),
        gain_(y_.size(), 1),
        angle_(options.angle),
        rate_(static_cast<float>(std::max(static_cast<double>(y_.size()) / 2 / options.early_exaggeration / 4, 50.0))) {
  }

  void step(float exaggeration, float momentum) {
    throw_if_stopped();
    const double total = QuadTree(y_).repulsion(angle_, push_);
    const float share = total > 0 ? static_cast<float>(1 / total) : 0;
    std::vector<float> next(y_.size());
    parallel_for(0, std::ssize(y_) / 2, kPointsAtOnce, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        float pulled[2];
        pull(p_, y_, i, pulled[0], pulled[1]);
        for (std::size_t k = 0; k < 2; ++k) {
          const std::size_t at = 2 * i + k;
          const float gradient = 4 * (exaggeration * pulled[k] - share * push_[at]);
          gain_[at] = std::max(kLeastGain, speed_[at] * gradient < 0 ? gain_[at] + 0.2F : gain_[at] * 0.8F);
          speed_[at] = momentum * speed_[at] - rate_ * gain_[at] * gradient;
          next[at] = y_[at] + speed_[at];
        }
      }
    });
    y_ = std::move(next);
  }

  /// The next stretch begins at rest.
  void rest() {
    std::fill(speed_.begin(), speed_.end(), 0.0F);
    std::fill(gain_.begin(), gain_.end(), 1.0F);
  }

  [[nodiscard]] const std::vector<float>& points() const { return y_; }

 private:
  Affinities p_;
  std::vector<float> y_, push_, speed_, gain_;
  double angle_;
  float rate_;
};

}  // namespace

Tsne tsne(const at::Tensor& given, const TsneOptions& options) {
  recognition::check_embeddings(given, "mapped");
  const at::Tensor rows = given.contiguous();
  const std::int64_t n = rows.size(0);
  if (n < 4) throw Error(text("t-SNE needs at least 4 points; there are ", n));
  const double perplexity = std::min(options.perplexity, static_cast<double>(n - 1) / 3);
  Descent descent(affinities(rows, perplexity), start(rows), options);
  const std::int64_t early = std::min(kMostEarly, options.iterations / 3);
  for (std::int64_t i = 0; i < early; ++i) descent.step(static_cast<float>(options.early_exaggeration), 0.5F);
  descent.rest();
  for (std::int64_t i = early; i < options.iterations; ++i) descent.step(1, 0.8F);
  at::Tensor points = at::empty({n, 2});
  std::copy(descent.points().begin(), descent.points().end(), points.data_ptr<float>());
  if (!at::isfinite(points).all().item<bool>())
    throw Error("t-SNE left the finite numbers; lower early_exaggeration or raise perplexity");
  return {points, perplexity};
}

}  // namespace osteon::embedding
