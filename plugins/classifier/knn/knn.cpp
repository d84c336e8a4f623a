// classifier/knn: the k nearest gallery embeddings decide (Cover and Hart, "Nearest neighbor pattern classification",
// IEEE Trans. Inf. Theory 13, 1967). The study's classifier, with k = 1 (Čavojská et al., Commun. Biol. 3:337, 2020).
//
//     [classifier.knn]
//     k            = 1
//     weighting    = "uniform"     # or "distance": each neighbour votes with 1 / its distance
//     distance     = "euclidean"   # or "cosine"
//     reject_above = 0.0           # e.g. 0.8: answer "unknown" beyond this distance
//
// Exact: a matrix product in float32 finds the gallery rows that can be among the k nearest, with a bound on its
// rounding error, and only these are measured in float64. So cancellation in |q|² + |g|² - 2 q·g never decides between
// two bones.
//
// Ties: of two rows equally far the one with the smaller index is nearer; of two labels with equal votes the one with
// the nearer neighbour wins, then the smaller label. With weighting = "distance", neighbours at distance 0 alone vote.
//
// Score: minus the distance to the nearest of the k neighbours that carries the answered label. Larger is surer; 0 is
// an exact copy. `reject_above` answers "unknown" (-1) exactly where the score is below -`reject_above`.

#include <osteon/classifier.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <map>
#include <vector>

namespace osteon {
namespace {

constexpr std::int64_t kChunkFloats = 16 << 20;  ///< of the matrix queries × gallery that is in memory at once: 64 MiB

struct Neighbour {
  double distance;
  std::int64_t row;
  bool operator<(const Neighbour& other) const {
    return distance != other.distance ? distance < other.distance : row < other.row;
  }
};

/// Sum of products in float64; eight partial sums, so that the compiler can use vector registers.
template <class Term>
double sum_over(std::int64_t n, Term term) {
  double part[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int lane = 0; lane < 8; ++lane) part[lane] += term(i + lane);
  for (; i < n; ++i) part[0] += term(i);
  return ((part[0] + part[4]) + (part[1] + part[5])) + ((part[2] + part[6]) + (part[3] + part[7]));
}

double dot(const float* a, const float* b, std::int64_t n) {
  return sum_over(n, [=](std::int64_t i) { return static_cast<double>(a[i]) * b[i]; });
}

double squared_distance(const float* a, const float* b, std::int64_t n) {
  return sum_over(n, [=](std::int64_t i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    return difference * difference;
  });
}

void check_embeddings(const at::Tensor& embeddings, const char* whose) {
  if (!embeddings.defined() || embeddings.dim() != 2 || embeddings.scalar_type() != at::kFloat ||
      !embeddings.device().is_cpu())
    throw failure(text("the ", whose, " embeddings must be a float32 tensor [N, d] on the CPU"));
  if (embeddings.numel() == 0 || at::isfinite(embeddings).all().item<bool>()) return;
  const at::Tensor first = at::nonzero(at::logical_not(at::isfinite(embeddings)))[0];
  throw failure(text("the ", whose, " embedding ", first[0].item<std::int64_t>(),
                     " is not a finite number in dimension ", first[1].item<std::int64_t>(),
                     "; training has probably diverged: look at its loss and lower the learning rate"));
}

std::vector<double> lengths_of(const at::Tensor& rows) {
  const std::int64_t d = rows.size(1);
  const float* data = rows.data_ptr<float>();
  std::vector<double> lengths(static_cast<std::size_t>(rows.size(0)));
  parallel_for(0, rows.size(0), 64, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      lengths[static_cast<std::size_t>(i)] = std::sqrt(dot(data + i * d, data + i * d, d));
  });
  return lengths;
}

/// Rows and their lengths; for the cosine distance the rows that the matrix product sees are scaled to length 1.
struct Rows {
  at::Tensor given, product;
  std::vector<double> length;

  Rows() = default;
  Rows(const at::Tensor& embeddings, bool cosine, const char* whose)
      : given(embeddings.contiguous()), product(given), length(lengths_of(given)) {
    if (!cosine) return;
    for (std::size_t i = 0; i < length.size(); ++i)
      if (length[i] == 0)
        throw Error(text("the ", whose, " embedding ", i,
                         " has length 0, so it has no direction and no cosine distance; use distance = \"euclidean\""));
    const at::Tensor divisor = at::tensor(at::ArrayRef<double>(length), at::kDouble).unsqueeze(1);
    product = given.to(at::kDouble).div(divisor).to(at::kFloat);
  }
  [[nodiscard]] const float* row(std::int64_t i) const { return given.data_ptr<float>() + i * given.size(1); }
};

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
                 .at_least(0)}};
  }

  explicit NearestNeighbours(const Parameters& parameters)
      : k_(parameters.integer("k")),
        weigh_by_distance_(parameters.text("weighting") == "distance"),
        cosine_(parameters.text("distance") == "cosine"),
        reject_above_(parameters.real("reject_above")) {}

  void fit(const at::Tensor& embeddings, const at::Tensor& labels) override {
    check_embeddings(embeddings, "gallery");
    const std::int64_t count = embeddings.size(0);
    if (count == 0) throw Error("the gallery is empty: nearest neighbours need at least one embedding with its label");
    if (k_ > count)
      throw Error(text("k is ", k_, ", but the gallery holds ", count, count == 1 ? " embedding" : " embeddings",
                       "; set k to at most ", count, " or put more images into the gallery"));
    if (!labels.defined() || labels.dim() != 1 || labels.scalar_type() != at::kLong || labels.size(0) != count)
      throw failure(text("the gallery's labels must be an int64 tensor [", count, "], one for each embedding"));
    if (labels.min().item<std::int64_t>() < 0) throw failure("the gallery has a negative label; -1 means unknown");
    gallery_ = Rows(embeddings, cosine_, "gallery");
    labels_ = labels.contiguous();
    longest_ = cosine_ ? 1 : *std::max_element(gallery_.length.begin(), gallery_.length.end());
  }

  [[nodiscard]] Prediction predict(const at::Tensor& embeddings) const override {
    if (!labels_.defined()) throw failure("predict was called before fit: there is no gallery to compare with");
    check_embeddings(embeddings, "query");
    if (embeddings.size(1) != gallery_.given.size(1))
      throw failure(text("the query embeddings have ", embeddings.size(1), " dimensions, the gallery's have ",
                         gallery_.given.size(1), "; both must come from the same network"));
    const std::int64_t queries = embeddings.size(0), gallery = labels_.size(0);
    Prediction answer{at::empty({queries}, at::kLong), at::empty({queries}, at::kFloat)};
    const std::int64_t chunk = std::max<std::int64_t>(1, kChunkFloats / gallery);
    for (std::int64_t first = 0; first < queries; first += chunk) {
      throw_if_stopped();
      predict_chunk(embeddings.narrow(0, first, std::min(chunk, queries - first)), first, answer);
    }
    return answer;
  }

 private:
  void predict_chunk(const at::Tensor& embeddings, std::int64_t first_query, Prediction& answer) const {
    const Rows queries(embeddings, cosine_, "query");
    // Up to what is the same for all gallery rows, the squared distance: |g|² - 2 q·g.
    at::Tensor ranking = at::mm(queries.product, gallery_.product.t()).mul_(-2);
    if (!cosine_) {
      const at::Tensor lengths = at::tensor(at::ArrayRef<double>(gallery_.length), at::kDouble);
      ranking.add_(lengths.square().to(at::kFloat));
    }
    const float* ranks = ranking.data_ptr<float>();
    auto* labels = answer.labels.data_ptr<std::int64_t>() + first_query;
    auto* scores = answer.scores.data_ptr<float>() + first_query;
    parallel_for(0, embeddings.size(0), 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t q = first; q < last; ++q) {
        const auto neighbours = nearest(queries, q, ranks + q * labels_.size(0));
        const auto [label, distance] = vote(neighbours);
        labels[q] = reject_above_ > 0 && distance > reject_above_ ? -1 : label;
        scores[q] = static_cast<float>(-distance);
      }
    });
  }

  /// A bound on the error of a float32 `ranking` (Higham, "Accuracy and stability of numerical algorithms",
  /// section 3.1): d roundings of terms that sum to at most |q||g|, those of the last operations, and underflow.
  [[nodiscard]] double rounding_bound(double query_length) const {
    constexpr double kUnit = FLT_EPSILON / 2;
    const auto d = static_cast<double>(gallery_.given.size(1));
    if (d * kUnit >= 0.5) return INFINITY;
    const double gamma = d * kUnit / (1 - d * kUnit);
    const double length = cosine_ ? 1 : query_length;
    return 2 * gamma * length * longest_ + 8 * kUnit * (longest_ * longest_ + 2 * length * longest_) + 4 * d * FLT_MIN;
  }

  /// The k nearest gallery rows, in order.
  [[nodiscard]] std::vector<Neighbour> nearest(const Rows& queries, std::int64_t query, const float* ranks) const {
    const std::int64_t count = labels_.size(0);
    const double bound = rounding_bound(queries.length[static_cast<std::size_t>(query)]);
    std::vector<float> order(ranks, ranks + count);
    const bool usable =
        std::isfinite(bound) && std::all_of(order.begin(), order.end(), [](float x) { return std::isfinite(x); });
    double limit = INFINITY;
    if (usable) {
      std::nth_element(order.begin(), order.begin() + (k_ - 1), order.end());
      limit = order[static_cast<std::size_t>(k_ - 1)] + 2 * bound;
    }
    std::vector<Neighbour> candidates;
    for (std::int64_t row = 0; row < count; ++row)
      if (!usable || ranks[row] <= limit) candidates.push_back({measure(queries, query, row), row});
    std::partial_sort(candidates.begin(), candidates.begin() + k_, candidates.end());
    candidates.resize(static_cast<std::size_t>(k_));
    return candidates;
  }

  [[nodiscard]] double measure(const Rows& queries, std::int64_t query, std::int64_t row) const {
    const std::int64_t d = gallery_.given.size(1);
    if (!cosine_) return std::sqrt(squared_distance(queries.row(query), gallery_.row(row), d));
    const double lengths =
        queries.length[static_cast<std::size_t>(query)] * gallery_.length[static_cast<std::size_t>(row)];
    return std::max(0.0, 1 - dot(queries.row(query), gallery_.row(row), d) / lengths);
  }

  /// The label with the most votes, and the distance to its nearest neighbour.
  [[nodiscard]] std::pair<std::int64_t, double> vote(const std::vector<Neighbour>& neighbours) const {
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
  bool weigh_by_distance_, cosine_;
  double reject_above_;
  Rows gallery_;
  at::Tensor labels_;
  double longest_ = 0;
};

}  // namespace

OSTEON_PLUGIN(classifier, knn, "0.1.0", NearestNeighbours)

}  // namespace osteon
