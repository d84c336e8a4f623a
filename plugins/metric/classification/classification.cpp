// metric/classification: how often the trained network's own class layer names the right bone, the study's measure of
// transfer learning (Čavojská et al., Commun. Biol. 3:337, 2020: 63 to 100 % of validation images).
//
//     [metric.classification]
//
// Two columns: validation images, which come from the same CT volume as the training images (the study's split), and
// images of another scan of the same bones, in other poses. Beside the class layer stands, for each set of embeddings
// (raw pixels, bone length, the untrained network, …), the bone of the nearest training image, and chance: where one
// energy of a pose trains and another one validates, raw pixels alone are nearly always right.
//
// The figure is the mean over the bones of the share of their images. From 12 people on it has a 95 % interval that
// resamples people.

#include "statistics/statistics.hpp"

#include <osteon/metric.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <map>
#include <vector>

namespace osteon {
namespace {

constexpr const char* kTable = "classification of bones seen in training";

struct Column {
  std::string name, note;
  std::vector<std::int64_t> images;
};

/// Validation images, and query images of bones that have training images.
std::vector<Column> columns_of(const Evidence& evidence) {
  const auto* bone = evidence.bone_of_image().data_ptr<std::int64_t>();
  std::vector<Column> columns{{"validation images", "from the training images' own CT volumes", {}},
                              {"another scan", "", {}}};
  if (evidence.queries_share_volume()) columns[1].note = columns[0].note;
  for (std::size_t i = 0; i < evidence.roles().size(); ++i) {
    const Role role = evidence.roles()[i];
    const bool seen = !evidence.bones()[static_cast<std::size_t>(bone[i])].held_out;
    if (role == Role::validation && seen) columns[0].images.push_back(static_cast<std::int64_t>(i));
    if (role == Role::query && seen) columns[1].images.push_back(static_cast<std::int64_t>(i));
  }
  std::erase_if(columns, [](const Column& column) { return column.images.empty(); });
  return columns;
}

at::Tensor index_of(const std::vector<std::int64_t>& rows) {
  return at::tensor(at::ArrayRef<std::int64_t>(rows), at::kLong);
}

/// The bone of the nearest training image of each of `images`.
at::Tensor nearest_bones(const Evidence& evidence, const at::Tensor& vectors, const std::vector<std::int64_t>& images) {
  constexpr std::int64_t kChunk = 256;  // queries at a time, so that the matrix of distances stays small
  std::vector<std::int64_t> training;
  for (std::size_t i = 0; i < evidence.roles().size(); ++i)
    if (evidence.roles()[i] == Role::training) training.push_back(static_cast<std::int64_t>(i));
  const at::Tensor known = vectors.index_select(0, index_of(training)), lengths = known.square().sum(1);
  const at::Tensor bones = evidence.bone_of_image().index_select(0, index_of(training));
  const at::Tensor queries = index_of(images);
  std::vector<at::Tensor> answers;
  for (std::int64_t first = 0; first < queries.size(0); first += kChunk) {
    const at::Tensor some = vectors.index_select(0, queries.slice(0, first, first + kChunk));
    answers.push_back(bones.index_select(0, lengths.sub(some.matmul(known.t()).mul(2)).argmin(1)));
  }
  return at::cat(answers);
}

class Classification final : public Metric {
 public:
  static Schema schema() {
    return {
        "Share of images that the network's own class layer gives to the right bone, beside nearest neighbours of "
        "trivial methods.",
        {}};
  }

  explicit Classification(const Parameters& /*parameters*/) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::embeddings, Need::class_scores}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    MetricResult result;
    for (const Column& column : columns_of(evidence)) {
      result.values.push_back(by_class_layer(evidence, column));
      for (const EmbeddingSet& set : evidence.embeddings()) {
        MetricValue value = cell(evidence, column, nearest_bones(evidence, set.vectors, column.images));
        value.row = set.name + ", nearest training image";
        value.is_baseline = set.is_trivial;
        result.values.push_back(value);
      }
      result.values.push_back(by_chance(evidence, column));
    }
    return result;
  }

 private:
  static MetricValue by_class_layer(const Evidence& evidence, const Column& column) {
    const ClassScores& scores = evidence.class_scores();
    MetricValue value;
    if (!scores.scores.defined()) {
      value.table = kTable;
      value.column = column.name;
      value.note = "the loss knows no classes";
    } else {
      std::map<std::int64_t, std::int64_t> row_of_image;
      for (std::int64_t i = 0; i < scores.images.numel(); ++i)
        row_of_image[scores.images.data_ptr<std::int64_t>()[i]] = i;
      std::vector<std::int64_t> rows;
      for (const std::int64_t image : column.images) rows.push_back(row_of_image.at(image));
      const at::Tensor best = scores.scores.index_select(0, index_of(rows)).argmax(1);
      value = cell(evidence, column, scores.bones.index_select(0, best));
    }
    value.row = "class layer";
    return value;
  }

  /// Everything but the row. `predicted`: a bone for each image of the column.
  static MetricValue cell(const Evidence& evidence, const Column& column, const at::Tensor& predicted) {
    const auto* truth = evidence.bone_of_image().data_ptr<std::int64_t>();
    std::map<std::int64_t, statistics::Contribution> bones;
    for (std::size_t i = 0; i < column.images.size(); ++i) {
      const std::int64_t bone = truth[column.images[i]];
      bones[bone].total += 1;
      bones[bone].hits += predicted.data_ptr<std::int64_t>()[i] == bone ? 1 : 0;
    }
    std::map<std::string, statistics::Contribution> people;
    double sum = 0;
    for (const auto& [bone, own] : bones) {
      auto& person = people[evidence.bones()[static_cast<std::size_t>(bone)].subject];
      person.total += 1;
      person.hits += own.hits / own.total;
      sum += own.hits / own.total;
    }
    MetricValue value;
    value.table = kTable;
    value.column = column.name;
    value.unit = "%";
    value.count = std::ssize(bones);
    value.counted = "bones";
    value.note = column.note;
    value.value = 100 * sum / static_cast<double>(value.count);
    statistics::set_people(value, people, evidence.seed(), 100);
    return value;
  }

  static MetricValue by_chance(const Evidence& evidence, const Column& column) {
    const auto classes =
        std::ranges::count_if(evidence.bones(), [](const EvidenceBone& bone) { return !bone.held_out; });
    MetricValue value;
    value.table = kTable;
    value.row = "chance";
    value.column = column.name;
    value.unit = "%";
    value.is_baseline = true;
    value.count = classes;
    value.counted = "bones";
    value.note = column.note;
    value.value = 100 / static_cast<double>(classes);
    return value;
  }
};

}  // namespace

OSTEON_PLUGIN(metric, classification, "0.1.0", Classification)

}  // namespace osteon
