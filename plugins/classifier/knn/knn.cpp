// classifier/knn: the k nearest gallery embeddings decide (Cover and Hart, "Nearest neighbor pattern classification",
// IEEE Trans. Inf. Theory 13, 1967). The study's classifier, with k = 1 (Čavojská et al., Commun. Biol. 3:337, 2020).
//
//     [classifier.knn]
//     k            = 1
//     weighting    = "uniform"     # or "distance": each neighbour votes with 1 / its distance
//     distance     = "euclidean"   # or "cosine"
//     reject_above = 0.0           # e.g. 0.8: answer "unknown" beyond this distance
//     search       = "exact"       # or "faiss": approximate, for galleries of millions
//     probes       = 16            # clusters that "faiss" looks into
//
// search = "exact" always finds the k nearest: codes of 7 or 8 bits, with the bound on their error, rule out most of
// the gallery, and what is left is measured in float64, so that rounding never decides between two bones. search =
// "faiss" looks into `probes` of about √N clusters of the gallery (FAISS's IndexIVFFlat) and may miss neighbours in the
// others; with fewer than k images in them, fewer vote. What it finds is measured in float64 as well.
//
// Ties: of two rows equally far the one with the smaller index is nearer; of two labels with equal votes the one with
// the nearer neighbour wins, then the smaller label. With weighting = "distance", neighbours at distance 0 alone vote.
//
// Score: minus the distance to the nearest of the k neighbours that carries the answered label. Larger is surer; 0 is
// an exact copy. `reject_above` answers "unknown" (-1) exactly where the score is below -`reject_above`.

#include "clustered_gallery.hpp"

#include "recognition/embeddings.hpp"
#include "recognition/nearest.hpp"

#include <osteon/classifier.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <cmath>
#include <map>
#include <optional>

namespace osteon {
namespace {

using recognition::Distance;
using recognition::Neighbour;

constexpr std::int64_t kChunkNeighbours = 4 << 20;  ///< that are in memory at once: 64 MiB

class NearestNeighbours final : public Classifier {
 public:
  static Schema schema() {
    return {"The k nearest gallery embeddings vote, exactly (Cover and Hart 1967).",
            {Parameter::integer("k", 1, "Number of nearest gallery embeddings that vote.").at_least(1),
             Parameter::text("weighting", "uniform", "Whether neighbours vote alike or with 1 / distance.")
                 .one_of(std::vector<std::string>{"uniform", "distance"}),
             Parameter::text("distance", "euclidean", "How far two embeddings are apart.")
                 .one_of(std::vector<std::string>{"euclidean", "cosine"}),
             Parameter::real("reject_above", 0.0,
                             "Answer \"unknown\" when the nearest neighbour of the answer is farther; 0 never does.")
                 .at_least(0),
             Parameter::text("search", "exact",
                             "\"faiss\" is approximate, for galleries of millions: it searches some clusters only.")
                 .one_of(std::vector<std::string>{"exact", "faiss"}),
             Parameter::integer("probes", 16,
                                "Of about √N clusters of the gallery, how many search = \"faiss\" looks into.")
                 .at_least(1)}};
  }

  explicit NearestNeighbours(const Parameters& parameters)
      : k_(parameters.integer("k")),
        weigh_by_distance_(parameters.text("weighting") == "distance"),
        distance_(parameters.text("distance") == "cosine" ? Distance::cosine : Distance::euclidean),
        reject_above_(parameters.real("reject_above")),
        approximate_(parameters.text("search") == "faiss"),
        probes_(parameters.integer("probes")) {}

  void fit(const at::Tensor& embeddings, const at::Tensor& labels) override {
    recognition::check_gallery(embeddings, labels, "nearest neighbours need");
    const std::int64_t count = embeddings.size(0);
    if (k_ > count)
      throw Error(text("k is ", k_, ", but the gallery holds ", count, count == 1 ? " embedding" : " embeddings",
                       "; set k to at most ", count, " or put more images into the gallery"));
    gallery_ = recognition::NearestRows(embeddings, distance_, "gallery", approximate_);
    clusters_.reset();
    if (approximate_) clusters_.emplace(gallery_.rows(), distance_ == Distance::cosine, probes_);
    labels_ = labels.contiguous();
  }

  [[nodiscard]] Prediction predict(const at::Tensor& embeddings) const override {
    if (!labels_.defined()) throw failure("predict was called before fit: there is no gallery to compare with");
    recognition::check_queries(embeddings, gallery_.rows().size(1));
    const std::int64_t queries = embeddings.size(0);
    Prediction answer{at::empty({queries}, at::kLong), at::empty({queries}, at::kFloat)};
    const std::int64_t chunk = std::max<std::int64_t>(1, kChunkNeighbours / k_);
    for (std::int64_t first = 0; first < queries; first += chunk) {
      throw_if_stopped();
      const auto neighbours = nearest(embeddings.narrow(0, first, std::min(chunk, queries - first)));
      for (std::size_t q = 0; q < neighbours.size(); ++q) {
        const auto [label, distance] = vote(neighbours[q]);
        const std::int64_t row = first + static_cast<std::int64_t>(q);
        answer.labels.data_ptr<std::int64_t>()[row] = reject_above_ > 0 && distance > reject_above_ ? -1 : label;
        answer.scores.data_ptr<float>()[row] = static_cast<float>(-distance);
      }
    }
    return answer;
  }

 private:
  [[nodiscard]] std::vector<std::vector<Neighbour>> nearest(const at::Tensor& queries) const {
    if (!clusters_) return gallery_.search(queries, k_);
    return gallery_.nearest_of(queries, clusters_->candidates(queries, k_), k_);
  }

  /// The label with the most votes, and the distance to its nearest neighbour.
  [[nodiscard]] std::pair<std::int64_t, double> vote(const std::vector<Neighbour>& neighbours) const {
    if (neighbours.empty()) return {-1, INFINITY};
    if (neighbours.size() == 1) return {labels_.data_ptr<std::int64_t>()[neighbours[0].row], neighbours[0].distance};
    struct Votes {
      double weight = 0, distance = 0;
    };
    std::map<std::int64_t, Votes> votes;  // in order of label
    const bool copies = weigh_by_distance_ && neighbours.front().distance == 0;
    for (const Neighbour& one : neighbours) {
      if (copies && one.distance > 0) break;
      const auto [place, is_new] = votes.try_emplace(labels_.data_ptr<std::int64_t>()[one.row]);
      if (is_new) place->second.distance = one.distance;
      place->second.weight += weigh_by_distance_ && !copies ? 1 / one.distance : 1;
    }
    auto best = votes.begin();
    for (auto it = votes.begin(); it != votes.end(); ++it) {
      const Votes &a = it->second, &b = best->second;
      if (a.weight > b.weight || (a.weight == b.weight && a.distance < b.distance)) best = it;
    }
    return {best->first, best->second.distance};
  }

  std::int64_t k_;
  bool weigh_by_distance_;
  Distance distance_;
  double reject_above_;
  bool approximate_;
  std::int64_t probes_;
  recognition::NearestRows gallery_;
  std::optional<ClusteredGallery> clusters_;
  at::Tensor labels_;
};

}  // namespace

OSTEON_PLUGIN(classifier, knn, "0.2.0", NearestNeighbours)

}  // namespace osteon
