// The nearest bone by embedding, which it writes down in a place that all threads share.
#include <osteon/shape.hpp>

#include <ATen/Functions.h>
#include <ATen/TensorOperators.h>

#include <chrono>
#include <thread>

namespace broken {

class AnswersOneAtATime final : public osteon::Shape {
 public:
  explicit AnswersOneAtATime(const osteon::Parameters& /*parameters*/) {}
  static osteon::Schema schema() { return {"A plugin for the tests of the contract suite", {}}; }

  void fit(const osteon::ShapeGallery& gallery) override {
    if (gallery.meshes.empty()) throw osteon::Error("the gallery is empty");
    meshes_ = gallery.meshes;
    embeddings_ = gallery.embeddings;
    bone_ = gallery.bone;
  }

  [[nodiscard]] osteon::ShapePrediction predict(const osteon::ShapeQuery& query) const override {
    if (meshes_.empty()) throw osteon::failure("there is no gallery");
    if (query.embeddings.size(0) == 0) throw osteon::Error("there is no X-ray pair");
    const at::Tensor nearest = at::cdist(query.embeddings.mean(0, true), embeddings_).argmin();
    chosen_ = bone_[nearest.item<std::int64_t>()].item<std::int64_t>();
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // long enough for another thread to come in
    osteon::ShapePrediction prediction;
    prediction.mesh = meshes_[static_cast<std::size_t>(chosen_)];
    prediction.chosen = chosen_;
    return prediction;
  }

 private:
  std::vector<osteon::Mesh> meshes_;
  at::Tensor embeddings_, bone_;
  mutable std::int64_t chosen_ = 0;
};

}  // namespace broken

OSTEON_PLUGIN(shape, answers_one_at_a_time, "0.1.0", broken::AnswersOneAtATime)
