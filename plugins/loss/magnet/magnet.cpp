// loss/magnet: pulls each image to the centre of its cluster of images of one bone and pushes it from the centres of
// other bones' clusters, so that a bone may fill several regions (Rippel, Paluri, Dollár, Bourdev, "Metric learning
// with adaptive density discrimination", ICLR 2016, the minibatch objective of section 3.2). With the batch's clusters
// and their means µ, image r of cluster c, and σ² the variance of all images about their own means:
//
//     max(0, ‖r − µ_c‖² / 2σ² + α + log Σ_{µ of other classes} e^{−‖r − µ‖² / 2σ²})
//
// The mean runs over the images that are an anchor of a triplet which the framework's miner chose (all those that have
// a positive and a negative in the batch, whichever way it mines); all images of the batch shape the means and σ²,
// which are differentiated too. The publication tunes α for each data set; 1 is usual. Embeddings are taken as they
// are: the division by σ² makes the loss blind to their scale. σ² is held at 1e-12 or more.
//
// Published scaling: the mean over the batch. Left out: the publication clusters the whole training set again every
// epoch (k-means++, K clusters a class) and fills each batch with a cluster and its nearest impostors. Here batches are
// the framework's, and `clusters` of each class are found among its images in the batch: the first centre is the image
// farthest from the class mean, each next one the image farthest from the centres so far, then k-means until nothing
// moves (ties go to the first, so that there is no chance in it). A class of fewer different images has fewer.
//
// Statistics: "active images", the share above zero; "positive distance" and "negative distance", mean squared
// distances to the own cluster's and to other classes' means.
//
//     [loss]
//     plugin   = "magnet"
//     alpha    = 1.0
//     clusters = 2

#include "losses/losses.hpp"

#include <ATen/ATen.h>

#include <algorithm>
#include <limits>
#include <map>
#include <span>

namespace osteon {
namespace {

using Point = std::vector<double>;

double squared_distance(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += (a[k] - b[k]) * (a[k] - b[k]);
  return sum;
}

/// k-means among some points, as described above.
class Clusters {
 public:
  Clusters(std::vector<std::span<const double>> points, std::size_t count)
      : points_(std::move(points)), cluster_(points_.size(), 0) {
    choose_first_centres(count);
    constexpr int kRounds = 50;
    for (int round = 0; round < kRounds && assign(); ++round) move_centres();
  }

  /// Which cluster each point belongs to.
  [[nodiscard]] const std::vector<std::size_t>& of_points() const { return cluster_; }

 private:
  /// The nearest centre, the first of equals, and its squared distance.
  [[nodiscard]] std::pair<std::size_t, double> nearest_centre(std::span<const double> point) const {
    std::pair<std::size_t, double> nearest{0, std::numeric_limits<double>::infinity()};
    for (std::size_t c = 0; c < centres_.size(); ++c)
      if (const double distance = squared_distance(point, centres_[c]); distance < nearest.second)
        nearest = {c, distance};
    return nearest;
  }

  void choose_first_centres(std::size_t count) {
    centres_ = {Point(points_.front().size())};
    move_centres();  // to the mean of all
    std::vector<Point> chosen;
    while (chosen.size() < std::min(count, points_.size())) {
      std::size_t farthest = 0;
      double distance = -1;
      for (std::size_t i = 0; i < points_.size(); ++i)
        if (const double candidate = nearest_centre(points_[i]).second; candidate > distance)
          farthest = i, distance = candidate;
      if (!chosen.empty() && distance == 0) break;  // the rest are copies
      chosen.emplace_back(points_[farthest].begin(), points_[farthest].end());
      centres_ = chosen;
    }
  }

  /// True when a point has changed its cluster.
  bool assign() {
    bool changed = false;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const std::size_t nearest = nearest_centre(points_[i]).first;
      changed = changed || nearest != cluster_[i];
      cluster_[i] = nearest;
    }
    return changed;
  }

  void move_centres() {
    for (std::size_t c = 0; c < centres_.size(); ++c) {
      Point sum(centres_[c].size());
      double members = 0;
      for (std::size_t i = 0; i < points_.size(); ++i) {
        if (cluster_[i] != c) continue;
        ++members;
        for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += points_[i][k];
      }
      for (std::size_t k = 0; k < sum.size() && members > 0; ++k) centres_[c][k] = sum[k] / members;
    }
  }

  std::vector<std::span<const double>> points_;
  std::vector<std::size_t> cluster_;
  std::vector<Point> centres_;
};

class MagnetLoss : public Loss {
 public:
  static Schema schema() {
    return {
        "Magnet loss, the minibatch objective (Rippel et al., ICLR 2016).",
        {Parameter::real("alpha", 1, "Gap between an image's own cluster and the others, in units of 2σ².").at_least(0),
         Parameter::integer("clusters", 1, "Clusters of each class, found among its images in the batch.")
             .at_least(1)
             .at_most(64)}};
  }

  explicit MagnetLoss(const Parameters& parameters)
      : alpha_(parameters.real("alpha")), clusters_(parameters.integer("clusters")) {}

  [[nodiscard]] LossValue compute(const at::Tensor& embeddings, const at::Tensor& labels,
                                  const Tuples& tuples) override {
    if (losses::nothing_chosen(tuples)) return losses::nothing_to_learn(embeddings);
    const at::Tensor cluster = clusters_ == 1 ? labels : find_clusters(embeddings, labels);
    const at::Tensor together = cluster.unsqueeze(1) == cluster.unsqueeze(0);
    const at::Tensor means = together.to(embeddings.dtype()).matmul(embeddings) / together.sum(1, true);
    const at::Tensor own = (embeddings - means).square().sum(1);
    const at::Tensor twice_variance =
        2 * (own.sum() / static_cast<double>(std::max<std::int64_t>(1, own.numel() - 1))).clamp_min(1e-12);
    // `means` repeats each cluster's mean for all its images; the first image of each stands for it.
    const at::Tensor first = together.tril(-1).any(1).logical_not().nonzero().squeeze(1);
    const at::Tensor distances = (embeddings.unsqueeze(1) - means.index_select(0, first).unsqueeze(0)).square().sum(2);
    const at::Tensor others = labels.unsqueeze(1) != labels.index_select(0, first).unsqueeze(0);
    const at::Tensor anchors = tuples.positive_pairs.any(1);
    const at::Tensor terms =
        (own / twice_variance + alpha_ + losses::log_sum_exp(-distances / twice_variance, others, 1)).clamp_min(0);
    return losses::of_tuples(losses::mean_of(terms, anchors),
                             {{"active images", losses::mean_of((terms > 0).to(terms.dtype()), anchors)},
                              {"positive distance", own.mean()},
                              {"negative distance", losses::mean_of(distances, others)}});
  }

 private:
  /// int64 `[N]`: a number for each image's cluster, different from all other classes'. Computed on the CPU.
  [[nodiscard]] at::Tensor find_clusters(const at::Tensor& embeddings, const at::Tensor& labels) const {
    const at::Tensor rows = embeddings.detach().to(at::kCPU, at::kDouble).contiguous();
    const at::Tensor classes = labels.to(at::kCPU).contiguous();
    const auto size = static_cast<std::size_t>(rows.size(1));
    std::map<std::int64_t, std::vector<std::int64_t>> images_of;
    for (std::int64_t i = 0; i < rows.size(0); ++i) images_of[classes.data_ptr<std::int64_t>()[i]].push_back(i);
    at::Tensor result = at::empty_like(classes);
    for (const auto& [label, images] : images_of) {
      std::vector<std::span<const double>> points;
      for (const std::int64_t i : images)
        points.emplace_back(rows.data_ptr<double>() + i * static_cast<std::int64_t>(size), size);
      const Clusters found(points, static_cast<std::size_t>(clusters_));
      for (std::size_t i = 0; i < images.size(); ++i)
        result.data_ptr<std::int64_t>()[images[i]] =
            label * clusters_ + static_cast<std::int64_t>(found.of_points()[i]);
    }
    return result.to(labels.device());
  }

  double alpha_;
  std::int64_t clusters_;
};

}  // namespace

OSTEON_PLUGIN(loss, magnet, "0.1.0", MagnetLoss)

}  // namespace osteon
