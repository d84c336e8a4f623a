// metric/embedding_map: the embedding space in pictures, as the study shows it (Čavojská et al., Commun. Biol. 3:337,
// 2020, Results): images as points of a plane by the first two principal components (Pearson 1901), and by t-SNE (van
// der Maaten and Hinton, JMLR 9, 2008; van der Maaten, JMLR 15, 2014). A map is for looking: nothing is concluded from
// it.
//
//     [metric.embedding_map]
//     sets               = []      # which embeddings, by name; the trained network's where none is named
//     points             = 1500    # images at most, drawn evenly over bones
//     perplexity         = 30      # t-SNE: about how many neighbours count; at most a third of the other images
//     iterations         = 750     # t-SNE: steps, the first 250 (at most a third) exaggerated
//     early_exaggeration = 12      # t-SNE: of the affinities in these first steps
//
// Beside the maps stand the figures that say how much of the space they show: the share of the variance that the first
// components explain, and each map's trustworthiness (Venna and Kaski 2001): whether the 10 nearest neighbours on the
// map are neighbours in the space; 1 is best, a random map has about 0.5. They describe these images, not people at
// large: there is no interval.

#include "embedding/pca.hpp"
#include "embedding/trustworthiness.hpp"
#include "embedding/tsne.hpp"

#include <osteon/metric.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace osteon {
namespace {

constexpr std::int64_t kComponents = 10, kNeighbours = 10, kFewestForTsne = 4;

/// At most `most` images, as many of each bone as of every other where it has them, in ascending order.
std::vector<std::int64_t> drawn_images(const Evidence& evidence, std::int64_t most) {
  std::vector<std::vector<std::int64_t>> of_bone(evidence.bones().size());
  const at::Tensor bone = evidence.bone_of_image().contiguous();
  for (std::int64_t i = 0; i < bone.numel(); ++i)
    of_bone[static_cast<std::size_t>(bone.data_ptr<std::int64_t>()[i])].push_back(i);
  // The bones with the fewest images first: what they leave of their share goes to the others.
  std::vector<std::size_t> order(of_bone.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return of_bone[a].size() < of_bone[b].size(); });
  std::vector<std::int64_t> drawn;
  for (std::size_t place = 0; place < order.size(); ++place) {
    const std::vector<std::int64_t>& own = of_bone[order[place]];
    const std::int64_t share = (most - std::ssize(drawn)) / static_cast<std::int64_t>(order.size() - place);
    const std::int64_t count = std::min(share, std::ssize(own));
    const auto shuffled = Random(evidence.seed(), "embedding map", order[place]).permutation(std::ssize(own));
    for (std::int64_t i = 0; i < count; ++i)
      drawn.push_back(own[static_cast<std::size_t>(shuffled[static_cast<std::size_t>(i)])]);
  }
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

std::string percent(double share) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.1f %%", 100 * share);
  return digits;
}

/// "30", "4.7".
std::string short_text(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.3g", value);
  return digits;
}

class EmbeddingMapMetric final : public Metric {
 public:
  static Schema schema() {
    return {"PCA and t-SNE of the embeddings, as pictures (Pearson 1901; van der Maaten 2014).",
            {Parameter::texts("sets", {}, "Which embeddings, by name; the trained network's where none is named."),
             Parameter::integer("points", 1500, "Images on a map at most, drawn evenly over bones.")
                 .at_least(2)
                 .at_most(20000),
             Parameter::real("perplexity", 30,
                             "t-SNE: about how many neighbours count; at most a third of the other images.")
                 .at_least(1)
                 .at_most(1000),
             Parameter::integer("iterations", 750, "t-SNE: steps.").at_least(1).at_most(100000),
             Parameter::real("early_exaggeration", 12,
                             "t-SNE: factor of the affinities in the first third of the steps, at most 250.")
                 .at_least(1)
                 .at_most(1000)}};
  }

  explicit EmbeddingMapMetric(const Parameters& parameters)
      : sets_(parameters.texts("sets")), most_(parameters.integer("points")) {
    options_.perplexity = parameters.real("perplexity");
    options_.iterations = parameters.integer("iterations");
    options_.early_exaggeration = parameters.real("early_exaggeration");
  }

  [[nodiscard]] std::set<Need> needs() const override { return {Need::embeddings}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    refuse_unknown_names(evidence);
    MetricResult result;
    const std::vector<std::int64_t> images = drawn_images(evidence, most_);
    for (const EmbeddingSet& set : evidence.embeddings())
      if (is_wanted(set)) draw(evidence, set, images, result);
    return result;
  }

 private:
  [[nodiscard]] bool is_wanted(const EmbeddingSet& set) const {
    return sets_.empty() ? !set.is_trivial : std::find(sets_.begin(), sets_.end(), set.name) != sets_.end();
  }

  void refuse_unknown_names(const Evidence& evidence) const {
    std::set<std::string> names;
    for (const EmbeddingSet& set : evidence.embeddings()) names.insert(set.name);
    std::string known;
    for (const std::string& name : names) known += text(known.empty() ? "" : ", ", '"', name, '"');
    for (const std::string& name : sets_)
      if (!names.contains(name))
        throw Error(text("sets: there are no embeddings named \"", name, "\"; this run has ", known));
  }

  void draw(const Evidence& evidence, const EmbeddingSet& set, const std::vector<std::int64_t>& images,
            MetricResult& result) const {
    const auto n = std::ssize(images);
    if (n < 2) {
      add(result, set, "1st component", NAN, "%", n, text("a map needs two images; there ", n == 1 ? "is 1" : "are 0"));
      return;
    }
    const at::Tensor chosen = at::tensor(images, at::kLong);
    const at::Tensor rows = set.vectors.index_select(0, chosen).contiguous();
    const embedding::Pca components = embedding::pca(rows, kComponents);
    const bool all_equal = std::isnan(components.explained[0]);
    const std::string drawn =
        n < std::ssize(evidence.roles()) ? text(n, " of ", evidence.roles().size(), " images") : "";

    const std::string equal = all_equal ? text("all ", n, " embeddings are equal") : "";
    explain(components, rows, set, equal, result);
    add_map(result, set, "PCA", joined(equal.empty() ? shown_text(components) : equal, drawn), chosen,
            components.points.narrow(1, 0, 2).to(at::kFloat).contiguous(), rows, equal);
    if (n < kFewestForTsne || all_equal) return;
    const embedding::Tsne neighbours = embedding::tsne(rows, options_);
    add_map(result, set, "t-SNE", joined(tsne_text(neighbours.perplexity, n), drawn), chosen, neighbours.points, rows,
            "");
  }

  static std::string joined(const std::string& first, const std::string& second) {
    return second.empty() ? first : first + "; " + second;
  }

  static std::string shown_text(const embedding::Pca& components) {
    return text("the two components explain ", percent(components.explained[0] + components.explained[1]),
                " of the variance");
  }

  [[nodiscard]] std::string tsne_text(double used, std::int64_t n) const {
    std::string words = text("perplexity ", short_text(used));
    if (used < options_.perplexity)
      words +=
          text(", lowered from ", short_text(options_.perplexity), ": ", n, " images have no more neighbours to count");
    return words + text(", ", options_.iterations, options_.iterations == 1 ? " iteration" : " iterations",
                        "; sizes of groups and distances between them mean little");
  }

  static void explain(const embedding::Pca& components, const at::Tensor& rows, const EmbeddingSet& set,
                      const std::string& note, MetricResult& result) {
    const std::int64_t n = rows.size(0);
    const auto first = [&](std::int64_t count) {
      return 100 * std::accumulate(components.explained.begin(), components.explained.begin() + count, 0.0);
    };
    add(result, set, "1st component", first(1), "%", n, note);
    add(result, set, "first 2", first(2), "%", n, note);
    add(result, set, text("first ", kComponents), first(kComponents), "%", n, note);
  }

  static void add(MetricResult& result, const EmbeddingSet& set, const std::string& column, double value,
                  const char* unit, std::int64_t count, const std::string& note) {
    MetricValue one;
    one.table = *unit == '%' ? "embedding space, variance explained" : "embedding space, trustworthiness of the maps";
    one.row = set.name;
    one.column = column;
    one.value = value;
    one.unit = unit;
    one.is_baseline = set.is_trivial;
    one.count = count;
    one.counted = "images";
    one.note = note;
    result.values.push_back(one);
  }

  static void add_map(MetricResult& result, const EmbeddingSet& set, const char* method, const std::string& note,
                      const at::Tensor& images, const at::Tensor& points, const at::Tensor& rows,
                      const std::string& why_undefined) {
    result.maps.push_back({text(set.name, ", ", method), note, images, points});
    const double trust = why_undefined.empty() ? embedding::trustworthiness(rows, points, kNeighbours) : NAN;
    std::string reason = why_undefined;
    if (std::isnan(trust) && reason.empty())
      reason = text(kNeighbours, " neighbours need more than ", 2 * kNeighbours, " images; there are ", rows.size(0));
    add(result, set, method, trust, "", rows.size(0), reason);
  }

  std::vector<std::string> sets_;
  std::int64_t most_;
  embedding::TsneOptions options_;
};

}  // namespace

OSTEON_PLUGIN(metric, embedding_map, "0.1.0", EmbeddingMapMetric)

}  // namespace osteon
