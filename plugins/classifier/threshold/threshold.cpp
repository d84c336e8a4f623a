// classifier/threshold: the study's two threshold classifiers (Čavojská et al., Commun. Biol. 3:337, 2020, "Results",
// Figures 4 and 5).
//
//     [classifier.threshold]
//     rule         = "distance"    # or "class"
//     threshold    = 0.1           # rule "distance": the loss's margin
//     unit         = "squared"     # what `threshold` is compared with; or "euclidean"
//     factor       = 3.0           # rule "class": f
//     drop_sparse  = false         # rule "class": without dimensions that are almost always zero
//     sparse_share = 0.99          # … that are zero in more than this share of the gallery
//     zero_below   = 1e-6          # … where |x| at most this counts as zero
//
// rule = "distance": two images are of one bone if their distance is under the threshold. The query is of the class of
// the nearest gallery image (of several equally near, the first) if that is under it, else unknown. The loss's margin
// is on squared distances, the study's Figure 4 on Euclidean ones: with unit = "euclidean" the same decision takes
// √margin. Score: minus the distance to that image, in the same unit; "unknown" exactly where the score is at most
// -`threshold`.
//
// rule = "class": with the mean µ and the standard deviation σ (over n) of each dimension in each class, a query x is
// of class C if |µ - x| < f σ in more than half of the dimensions. Of several such classes the one with the most
// dimensions wins; with a tie for the most, or no class, the answer is unknown. A dimension in which a class has only
// one value (σ = 0) never counts. Score: the share of dimensions of the class with the most. `drop_sparse` leaves out
// the dimensions that are zero in more than `sparse_share` of the gallery (the study: 35 of 128).

#include "recognition/class_deviation.hpp"
#include "recognition/embeddings.hpp"
#include "recognition/nearest.hpp"

#include <osteon/classifier.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <numeric>

namespace osteon {
namespace {

class Threshold final : public Classifier {
 public:
  static Schema schema() {
    return {"Under a threshold of distance or of deviation from the class mean, else unknown (Čavojská et al. 2020).",
            {Parameter::text(
                 "rule", "distance",
                 "\"distance\" of the nearest gallery image; \"class\": near the class mean in most dimensions.")
                 .one_of(std::vector<std::string>{"distance", "class"}),
             Parameter::real("threshold", 0.1, "Rule \"distance\": images this far apart or farther are of two bones.")
                 .above(0),
             Parameter::text("unit", "squared",
                             "Whether threshold and score are squared distances, as the loss's margin, or Euclidean.")
                 .one_of(std::vector<std::string>{"squared", "euclidean"}),
             Parameter::real("factor", 3.0, "Rule \"class\": standard deviations around a class mean.").above(0),
             Parameter::flag("drop_sparse", false, "Rule \"class\": leave out dimensions that are almost always zero."),
             Parameter::real("sparse_share", 0.99, "Share of zeros in the gallery above which a dimension is sparse.")
                 .at_least(0)
                 .below(1),
             Parameter::real("zero_below", 1e-6, "Values of at most this size count as zero.").at_least(0)}};
  }

  explicit Threshold(const Parameters& parameters)
      : by_class_(parameters.text("rule") == "class"),
        threshold_(parameters.real("threshold")),
        squared_(parameters.text("unit") == "squared"),
        factor_(parameters.real("factor")),
        drop_sparse_(parameters.flag("drop_sparse")),
        sparse_share_(parameters.real("sparse_share")),
        zero_below_(parameters.real("zero_below")) {}

  void fit(const at::Tensor& embeddings, const at::Tensor& labels) override {
    recognition::check_gallery(embeddings, labels, "a threshold needs");
    labels_ = labels.contiguous();
    dimensions_ = embeddings.size(1);
    if (!by_class_) {
      gallery_ = recognition::NearestRows(embeddings, recognition::Distance::euclidean, "gallery");
      return;
    }
    const at::Tensor rows = embeddings.contiguous();
    choose_dimensions(rows);
    classes_ = recognition::class_deviations(rows, labels_, used_);
  }

  [[nodiscard]] Prediction predict(const at::Tensor& queries) const override {
    if (!labels_.defined()) throw failure("predict was called before fit: there is no gallery to compare with");
    recognition::check_queries(queries, dimensions_);
    Prediction answer{at::empty({queries.size(0)}, at::kLong), at::empty({queries.size(0)}, at::kFloat)};
    if (by_class_)
      predict_by_class(queries.contiguous(), answer);
    else
      predict_by_distance(queries, answer);
    return answer;
  }

 private:
  void choose_dimensions(const at::Tensor& rows) {
    used_.resize(static_cast<std::size_t>(dimensions_));
    std::iota(used_.begin(), used_.end(), 0);
    if (drop_sparse_) used_ = recognition::dense_dimensions(rows, zero_below_, sparse_share_);
    if (used_.empty())
      throw Error(text("all ", dimensions_, " dimensions are zero in more than ", sparse_share_,
                       " of the gallery, so drop_sparse leaves none; set drop_sparse = false or raise sparse_share"));
  }

  void predict_by_distance(const at::Tensor& queries, Prediction& answer) const {
    const auto nearest = gallery_.search(queries, 1);
    for (std::size_t q = 0; q < nearest.size(); ++q) {
      const auto [euclidean, row] = nearest[q].front();
      const double distance = squared_ ? euclidean * euclidean : euclidean;
      answer.labels.data_ptr<std::int64_t>()[q] = distance < threshold_ ? labels_.data_ptr<std::int64_t>()[row] : -1;
      answer.scores.data_ptr<float>()[q] = static_cast<float>(-distance);
    }
  }

  void predict_by_class(const at::Tensor& queries, Prediction& answer) const {
    parallel_for(0, queries.size(0), 16, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t q = first; q < last; ++q) {
        const auto found =
            recognition::class_within(queries.data_ptr<float>() + q * dimensions_, classes_, used_, factor_);
        answer.labels.data_ptr<std::int64_t>()[q] = found.label;
        answer.scores.data_ptr<float>()[q] = static_cast<float>(found.inside) / static_cast<float>(used_.size());
      }
    });
  }

  bool by_class_;
  double threshold_;
  bool squared_;
  double factor_;
  bool drop_sparse_;
  double sparse_share_, zero_below_;
  at::Tensor labels_;
  std::int64_t dimensions_ = 0;
  recognition::NearestRows gallery_;
  std::vector<std::int64_t> used_;
  std::vector<recognition::ClassDeviation> classes_;
};

}  // namespace

OSTEON_PLUGIN(classifier, threshold, "0.1.0", Threshold)

}  // namespace osteon
