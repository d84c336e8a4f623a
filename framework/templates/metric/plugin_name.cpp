// metric/plugin_name: the mean Euclidean distance between embeddings of images of one bone, and between those of
// different bones. A network that tells bones apart has a small first and a large second figure.
//
//     [metric.plugin_name]
//     images = 2000     # at most; their pairs grow with the square

#include <osteon/metric.hpp>

#include <ATen/ATen.h>

#include <algorithm>

namespace osteon {
namespace {

class PluginName final : public Metric {
 public:
  static Schema schema() {
    return {"Mean distance between embeddings of one bone, and of different bones.",
            {Parameter::integer("images", 2000, "Most images that are looked at, spread evenly over the run's.")
                 .at_least(2)
                 .at_most(20000)}};
  }

  explicit PluginName(const Parameters& parameters) : images_(parameters.integer("images")) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::embeddings}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    const at::Tensor& bone = evidence.bone_of_image();
    const std::int64_t used = std::min(images_, bone.size(0));
    const at::Tensor chosen = (at::arange(used) * bone.size(0)).div(std::max<std::int64_t>(used, 1), "floor");
    const at::Tensor bones = bone.index_select(0, chosen);
    const at::Tensor same = bones.unsqueeze(0) == bones.unsqueeze(1);
    MetricResult result;
    for (const EmbeddingSet& set : evidence.embeddings()) {
      const at::Tensor vectors = set.vectors.index_select(0, chosen).to(at::kDouble);
      const at::Tensor distances = at::cdist(vectors, vectors, 2.0, 2);
      // Above the diagonal: each pair once, no image with itself.
      result.values.push_back(figure(set, "same bone", false, distances.masked_select(same.triu(1))));
      result.values.push_back(figure(set, "different bones", true, distances.masked_select((~same).triu(1))));
    }
    return result;
  }

 private:
  static MetricValue figure(const EmbeddingSet& set, const std::string& column, bool larger_is_better,
                            const at::Tensor& distances) {
    MetricValue value;
    value.table = "mean distance between embeddings";
    value.row = set.name;
    value.column = column;
    value.larger_is_better = larger_is_better;
    value.is_baseline = set.is_trivial;
    value.count = distances.numel();
    value.counted = "pairs";
    if (value.count > 0)
      value.value = distances.mean().item<double>();
    else
      value.note = "no such pair of images";
    return value;
  }

  std::int64_t images_;
};

}  // namespace

OSTEON_PLUGIN(metric, plugin_name, "0.1.0", PluginName)

}  // namespace osteon
