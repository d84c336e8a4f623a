// A nearest-neighbour classifier that adds a second gallery to the first.
#include <osteon/classifier.hpp>

#include <ATen/Functions.h>

namespace broken {

class KeepsTheFirstGallery final : public osteon::Classifier {
 public:
  explicit KeepsTheFirstGallery(const osteon::Parameters& /*parameters*/) {}
  static osteon::Schema schema() { return {"A plugin for the tests of the contract suite", {}}; }

  void fit(const at::Tensor& embeddings, const at::Tensor& labels) override {
    if (embeddings.size(0) == 0) throw osteon::Error("the gallery is empty");
    embeddings_ = embeddings_.defined() ? at::cat({embeddings_, embeddings}) : embeddings;
    labels_ = labels_.defined() ? at::cat({labels_, labels}) : labels;
  }

  [[nodiscard]] osteon::Prediction predict(const at::Tensor& queries) const override {
    if (!embeddings_.defined()) throw osteon::failure("there is no gallery");
    if (queries.size(1) != embeddings_.size(1)) throw osteon::failure("the queries are of another size");
    const auto [distance, nearest] = at::cdist(queries, embeddings_).min(1);
    return {labels_.index_select(0, nearest), -distance};
  }

 private:
  at::Tensor embeddings_, labels_;
};

}  // namespace broken

OSTEON_PLUGIN(classifier, keeps_the_first_gallery, "0.1.0", broken::KeepsTheFirstGallery)
