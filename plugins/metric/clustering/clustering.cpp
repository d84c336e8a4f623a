// metric/clustering: whether embeddings fall into one cluster a bone by themselves. The query images of a column (bones
// seen in training, bones never trained on) are clustered by k-means, k being the number of their bones, and the
// clusters compared with the bones by mutual information, normalised (NMI) and adjusted for chance (AMI).
//
//     [metric.clustering]
//     restarts   = 10          # k-means++ starts; the one of least inertia counts
//     iterations = 100         # of Lloyd's algorithm, at most
//
// k-means: Lloyd 1982 from k-means++ centres (Arthur and Vassilvitskii, SODA 2007). NMI and AMI with arithmetic
// normalisation and exact expectation (Vinh, Epps and Bailey, JMLR 11, 2010), scikit-learn's defaults. 1 is one pure
// cluster a bone. NMI grows by chance with the number of bones: beside the methods stands its expectation when the
// images' bones are dealt anew; that of AMI is 0.
//
// There is no interval: a clustering is of all bones together, so that no person adds a part of the figure that could
// be resampled, and drawing a person twice would change what is measured. Where people are held out in turn, the figure
// is of the first fold, as embeddings of two networks can't be clustered together.

#include "k_means.hpp"
#include "statistics/agreement.hpp"

#include <osteon/metric.hpp>

#include <ATen/Functions.h>

#include <limits>
#include <set>
#include <vector>

namespace osteon {
namespace {

constexpr const char* kSharedVolume = "gallery and queries share a CT volume: says nothing about identity";

/// The query images of one column.
struct Column {
  bool is_held_out = false;
  std::vector<std::int64_t> images;
  std::vector<std::int64_t> bones;  ///< of each image
  std::int64_t bone_count = 0;
  std::vector<std::string> notes;
};

/// Without a second volume, validation images of seen bones are the queries, as they are of the classifiers.
bool is_query(const Evidence& evidence, Role role) {
  return role == Role::query || (role == Role::validation && evidence.queries_share_volume());
}

Column column_of(const Evidence& evidence, bool held_out) {
  Column column{held_out, {}, {}, 0, {}};
  const at::Tensor bone_of_image = evidence.bone_of_image().contiguous();
  for (std::size_t i = 0; i < evidence.roles().size(); ++i) {
    const std::int64_t bone = bone_of_image.data_ptr<std::int64_t>()[i];
    if (bone < 0 || bone >= std::ssize(evidence.bones()))
      throw failure(text("image ", i, " shows bone ", bone, ", but there are ", evidence.bones().size(), " bones"));
    if (!is_query(evidence, evidence.roles()[i]) ||
        evidence.bones()[static_cast<std::size_t>(bone)].held_out != held_out)
      continue;
    column.images.push_back(static_cast<std::int64_t>(i));
    column.bones.push_back(bone);
  }
  column.bone_count = std::ssize(std::set<std::int64_t>(column.bones.begin(), column.bones.end()));
  if (evidence.queries_share_volume()) column.notes.emplace_back(kSharedVolume);
  if (evidence.folds() > 1) column.notes.push_back(text("of the first of ", evidence.folds(), " folds"));
  return column;
}

/// The vectors of the column's images, float32 `[n, d]`.
at::Tensor points_of(const EmbeddingSet& set, const Column& column, const Evidence& evidence) {
  const auto images = std::ssize(evidence.roles());
  if (!set.vectors.defined() || set.vectors.dim() != 2 || set.vectors.size(0) != images ||
      set.vectors.scalar_type() != at::kFloat)
    throw failure(text("embeddings ", set.name, " must be float32 [", images, ", d], a row for each image"));
  const at::Tensor points = set.vectors.index_select(0, at::tensor(column.images, at::kLong));
  if (!points.isfinite().all().item<bool>())
    throw failure(text("embeddings ", set.name, " of query images hold values that are not finite"));
  return points;
}

std::string joined(const std::vector<std::string>& notes) {
  std::string all;
  for (const std::string& note : notes) all += (all.empty() ? "" : "; ") + note;
  return all;
}

/// The two figures of one row.
void add_row(const Column& column, const std::string& row, bool is_baseline, std::pair<double, double> nmi_and_ami,
             std::vector<std::string> notes, std::vector<MetricValue>& values) {
  MetricValue value;
  value.table = column.is_held_out ? "clustering, never trained on" : "clustering, seen in training";
  value.row = row;
  value.is_baseline = is_baseline;
  value.count = column.bone_count;
  value.counted = "bones";
  notes.insert(notes.begin(), column.notes.begin(), column.notes.end());
  value.note = joined(notes);
  value.column = "NMI";
  value.value = nmi_and_ami.first;
  values.push_back(value);
  value.column = "AMI";
  value.value = nmi_and_ami.second;
  values.push_back(value);
}

class Clustering final : public Metric {
 public:
  static Schema schema() {
    return {
        "Agreement (NMI and AMI; Vinh et al. 2010) of k-means clusters of query images with their bones.",
        {Parameter::integer("restarts", 10, "Starts of k-means; the one of least inertia counts.").at_least(1),
         Parameter::integer("iterations", 100, "Largest number of moves of the centres of one start.").at_least(1)}};
  }

  explicit Clustering(const Parameters& parameters)
      : restarts_(parameters.integer("restarts")), iterations_(parameters.integer("iterations")) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::embeddings}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    MetricResult result;
    for (const bool held_out : {false, true}) {
      const Column column = column_of(evidence, held_out);
      if (column.images.empty()) continue;
      for (const EmbeddingSet& set : evidence.embeddings()) add_set(set, column, evidence, result.values);
      if (column.bone_count > 1) {
        const double by_chance = statistics::expected_mutual_information(column.bones, column.bones);
        add_row(column, "chance", true, {by_chance / statistics::entropy(column.bones), 0}, {}, result.values);
      }
    }
    return result;
  }

 private:
  void add_set(const EmbeddingSet& set, const Column& column, const Evidence& evidence,
               std::vector<MetricValue>& values) const {
    const double undefined = std::numeric_limits<double>::quiet_NaN();
    if (column.bone_count < 2)
      return add_row(column, set.name, set.is_trivial, {undefined, undefined}, {"one bone"}, values);
    const clustering::Clusters clusters = clustering::k_means(
        points_of(set, column, evidence), {column.bone_count, restarts_, iterations_, evidence.seed()});
    std::vector<std::string> notes;
    if (clusters.centres < column.bone_count)
      notes.push_back(text("clusters: ", clusters.centres, ", as there are no more different embeddings"));
    add_row(column, set.name, set.is_trivial,
            {statistics::normalized_mutual_information(clusters.of_point, column.bones),
             statistics::adjusted_mutual_information(clusters.of_point, column.bones)},
            notes, values);
  }

  std::int64_t restarts_, iterations_;
};

}  // namespace

OSTEON_PLUGIN(metric, clustering, "0.1.0", Clustering)

}  // namespace osteon
