// classifier/plugin_name: the class whose mean embedding lies nearest (Rocchio 1971; Tibshirani et al., PNAS 2002,
// without shrinkage), in Euclidean distance.
//
// Score: minus that distance. With `unknown_beyond` a query whose nearest mean lies farther away is unknown.
//
//     [classifier.plugin_name]
//     unknown_beyond = 0.0     # 0: every query is of a known bone

#include <osteon/classifier.hpp>

#include <ATen/ATen.h>

#include <tuple>

namespace osteon {
namespace {

class PluginName final : public Classifier {
 public:
  static Schema schema() {
    return {"Nearest class mean, in Euclidean distance.",
            {Parameter::real("unknown_beyond", 0,
                             "Distance of the nearest mean from which on a query is unknown; 0 for never.")
                 .at_least(0)}};
  }

  explicit PluginName(const Parameters& parameters) : unknown_beyond_(parameters.real("unknown_beyond")) {}

  void fit(const at::Tensor& embeddings, const at::Tensor& labels) override {
    if (embeddings.size(0) == 0) throw Error("the gallery is empty: a class mean needs at least one embedding");
    at::Tensor row, count;
    std::tie(labels_, row, count) = at::unique_dim(labels, 0, true, true, true);
    means_ = at::zeros({labels_.size(0), embeddings.size(1)}, at::kDouble);
    means_.index_add_(0, row, embeddings.to(at::kDouble));
    means_ /= count.unsqueeze(1);
  }

  [[nodiscard]] Prediction predict(const at::Tensor& queries) const override {
    if (!means_.defined()) throw failure("predict was called before fit: there is no gallery to compare with");
    if (queries.size(1) != means_.size(1))
      throw failure(text("queries have ", queries.size(1), " dimensions, the gallery ", means_.size(1)));
    const auto [distance, nearest] = at::cdist(queries.to(at::kDouble), means_, 2.0, 2).min(1);
    at::Tensor labels = labels_.index_select(0, nearest);
    if (unknown_beyond_ > 0) labels.masked_fill_(distance > unknown_beyond_, -1);
    return {labels, distance.neg().to(at::kFloat)};
  }

 private:
  double unknown_beyond_;
  at::Tensor labels_;  ///< int64 `[C]`
  at::Tensor means_;   ///< float64 `[C, d]`
};

}  // namespace

OSTEON_PLUGIN(classifier, plugin_name, "0.1.0", PluginName)

}  // namespace osteon
