// shape/nearest: the shape of the known bone whose fingerprint lies nearest.
//
// The study's method: an X-ray pair is given the surface of the gallery bone whose embedding is closest to its own.
// With several X-ray pairs of one bone, all of them decide together.
//
// Parameters
//   k     gallery embeddings that each query looks at (default 1)
//   vote  "vote": the k nearest embeddings of each query vote for their bones, the bone with most votes wins, among
//         equals the one with the smaller mean distance of its votes; "mean_distance": the bone wins whose k nearest
//         embeddings lie nearest, averaged over the queries (default "vote")
//
//     [shape.nearest]
//     plugin = "nearest"
//     k      = 1
//     vote   = "vote"

#include <osteon/shape.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <limits>
#include <numeric>

namespace osteon {

namespace {

constexpr double kFar = std::numeric_limits<double>::infinity();

void require_embeddings(const at::Tensor& embeddings, const char* whose) {
  if (!embeddings.defined() || embeddings.dim() != 2 || embeddings.scalar_type() != at::kFloat)
    throw failure(text("the ", whose, "'s embeddings must be float32 [N, d]"));
  if (embeddings.size(0) == 0)
    throw Error(text("the ", whose, " has no embeddings: at least one X-ray of it is needed"));
}

class Nearest : public Shape {
 public:
  static Schema schema() {
    return {
        "The surface of the gallery bone whose embeddings lie nearest to the query's.",
        {Parameter::integer("k", 1, "Gallery embeddings that each query looks at.").at_least(1),
         Parameter::text("vote", "vote",
                         "How several X-rays decide: by the number of nearest embeddings a bone has, or by its mean "
                         "distance to them.")
             .one_of(std::vector<std::string>{"vote", "mean_distance"})}};
  }

  explicit Nearest(const Parameters& parameters)
      : k_(parameters.integer("k")), by_vote_(parameters.text("vote") == "vote") {}

  void fit(const ShapeGallery& gallery) override {
    if (gallery.meshes.empty()) throw Error("the gallery has no bones, so there is no shape to choose");
    require_embeddings(gallery.embeddings, "gallery");
    const at::Tensor& bone = gallery.bone;
    if (!bone.defined() || bone.dim() != 1 || bone.size(0) != gallery.embeddings.size(0) ||
        bone.scalar_type() != at::kLong)
      throw failure("the gallery must name one bone (int64) for each embedding");
    const auto count = static_cast<std::int64_t>(gallery.meshes.size());
    const at::Tensor numbers = bone.contiguous();
    std::vector<std::int64_t> bones(numbers.data_ptr<std::int64_t>(),
                                    numbers.data_ptr<std::int64_t>() + numbers.numel());
    for (const std::int64_t b : bones)
      if (b < 0 || b >= count) throw failure(text("an embedding names gallery bone ", b, " of ", count));
    bones_ = std::move(bones);
    embeddings_ = gallery.embeddings;
    meshes_ = gallery.meshes;
  }

  [[nodiscard]] ShapePrediction predict(const ShapeQuery& query) const override {
    if (meshes_.empty()) throw failure("nothing was fitted before predict");
    require_embeddings(query.embeddings, "query");
    if (query.embeddings.size(1) != embeddings_.size(1))
      throw failure(text("the query's embeddings have ", query.embeddings.size(1), " dimensions, the gallery's ",
                         embeddings_.size(1)));
    const at::Tensor distance =
        at::cdist(query.embeddings.to(at::kDouble), embeddings_.to(at::kDouble), 2.0, 2).contiguous();
    const std::int64_t chosen = by_vote_ ? most_votes(distance) : smallest_mean(distance);
    ShapePrediction prediction;
    prediction.mesh = meshes_[static_cast<std::size_t>(chosen)];
    prediction.chosen = chosen;
    return prediction;
  }

 private:
  [[nodiscard]] std::int64_t most_votes(const at::Tensor& distance) const {
    std::vector<std::int64_t> votes(meshes_.size(), 0);
    std::vector<double> sum(meshes_.size(), 0);
    std::vector<std::int64_t> order(bones_.size());
    const auto k = std::min<std::ptrdiff_t>(k_, static_cast<std::ptrdiff_t>(order.size()));
    for (std::int64_t q = 0; q < distance.size(0); ++q) {
      const double* row = distance.data_ptr<double>() + q * distance.size(1);
      std::iota(order.begin(), order.end(), 0);
      std::partial_sort(order.begin(), order.begin() + k, order.end(),
                        [&](std::int64_t a, std::int64_t b) { return row[a] != row[b] ? row[a] < row[b] : a < b; });
      for (auto i = order.begin(); i != order.begin() + k; ++i) {
        const auto bone = static_cast<std::size_t>(bones_[static_cast<std::size_t>(*i)]);
        ++votes[bone];
        sum[bone] += row[*i];
      }
    }
    std::size_t best = 0;
    for (std::size_t b = 1; b < votes.size(); ++b)
      if (votes[b] > votes[best] || (votes[b] == votes[best] && sum[b] < sum[best])) best = b;
    return static_cast<std::int64_t>(best);
  }

  [[nodiscard]] std::int64_t smallest_mean(const at::Tensor& distance) const {
    std::vector<std::vector<std::size_t>> rows(meshes_.size());
    for (std::size_t i = 0; i < bones_.size(); ++i) rows[static_cast<std::size_t>(bones_[i])].push_back(i);
    std::int64_t best = -1;
    double least = kFar;
    for (std::size_t b = 0; b < rows.size(); ++b) {
      if (rows[b].empty()) continue;
      const auto k = std::min(static_cast<std::size_t>(k_), rows[b].size());
      double sum = 0;
      for (std::int64_t q = 0; q < distance.size(0); ++q) {
        std::vector<double> to_bone;
        for (const std::size_t i : rows[b])
          to_bone.push_back(distance.data_ptr<double>()[q * distance.size(1) + static_cast<std::int64_t>(i)]);
        std::partial_sort(to_bone.begin(), to_bone.begin() + static_cast<std::ptrdiff_t>(k), to_bone.end());
        sum += std::accumulate(to_bone.begin(), to_bone.begin() + static_cast<std::ptrdiff_t>(k), 0.0);
      }
      // Averaged over the k that the bone has, so that one with fewer embeddings has no advantage.
      if (const double mean = sum / static_cast<double>(k); best < 0 || mean < least) {
        best = static_cast<std::int64_t>(b);
        least = mean;
      }
    }
    return best;
  }

  std::int64_t k_;
  bool by_vote_;
  std::vector<Mesh> meshes_;
  at::Tensor embeddings_;
  std::vector<std::int64_t> bones_;
};

}  // namespace

OSTEON_PLUGIN(shape, nearest, "0.1.0", Nearest)

}  // namespace osteon
