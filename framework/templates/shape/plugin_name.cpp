// shape/plugin_name: the surface of the known bone whose mean embedding lies nearest to the mean of the query's.
//
//     [shape.plugin_name]
//     distance = "euclidean"     # or "cosine"

#include <osteon/shape.hpp>

#include <ATen/ATen.h>

#include <limits>

namespace osteon {
namespace {

class PluginName final : public Shape {
 public:
  static Schema schema() {
    return {"The surface of the gallery bone whose mean embedding lies nearest to the query's mean.",
            {Parameter::text("distance", "euclidean", "How far two means are apart.").one_of({"euclidean", "cosine"})}};
  }

  explicit PluginName(const Parameters& parameters) : by_angle_(parameters.text("distance") == "cosine") {}

  void fit(const ShapeGallery& gallery) override {
    if (gallery.meshes.empty()) throw Error("the gallery has no bones, so there is no shape to choose");
    const auto bones = static_cast<std::int64_t>(gallery.meshes.size());
    const at::Tensor embeddings = gallery.embeddings.to(at::kDouble);
    const at::Tensor sums = at::zeros({bones, embeddings.size(1)}, at::kDouble).index_add(0, gallery.bone, embeddings);
    const at::Tensor counts = at::bincount(gallery.bone, {}, bones);
    // A bone without any X-ray has no mean: 0 / 0, which `predict` never takes for the nearest.
    means_ = comparable(sums / counts.unsqueeze(1));
    meshes_ = gallery.meshes;
  }

  [[nodiscard]] ShapePrediction predict(const ShapeQuery& query) const override {
    if (!means_.defined()) throw failure("nothing was fitted before predict");
    if (query.embeddings.size(1) != means_.size(1))
      throw failure(text("the query's embeddings have ", query.embeddings.size(1), " dimensions, the gallery's ",
                         means_.size(1)));
    const at::Tensor mean = comparable(query.embeddings.to(at::kDouble).mean(0, true));
    const at::Tensor distance = (means_ - mean).square().sum(1);
    const auto chosen = distance.nan_to_num(std::numeric_limits<double>::infinity()).argmin().item<std::int64_t>();
    ShapePrediction prediction;
    prediction.mesh = meshes_[static_cast<std::size_t>(chosen)];
    prediction.chosen = chosen;
    return prediction;
  }

 private:
  /// On the unit sphere the nearest by angle is the nearest by distance.
  [[nodiscard]] at::Tensor comparable(const at::Tensor& rows) const {
    return by_angle_ ? rows / rows.norm(2, 1, true).clamp_min(1e-12) : rows;
  }

  bool by_angle_;
  std::vector<Mesh> meshes_;
  at::Tensor means_;  ///< float64 `[bones, d]`
};

}  // namespace

OSTEON_PLUGIN(shape, plugin_name, "0.1.0", PluginName)

}  // namespace osteon
