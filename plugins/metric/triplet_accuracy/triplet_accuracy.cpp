// metric/triplet_accuracy: the share of triplets (anchor, positive, negative) of validation images for which
// ‖a − p‖² + margin < ‖a − n‖², the study's measure of its network (Čavojská et al., Commun. Biol. 3:337, 2020,
// Methods).
//
//     [metric.triplet_accuracy]
//     triplets = 200000        # all, where there are no more than that
//
// Scored at margin 0.1 (the study's), at 0 and at the run's own margin, so that runs trained with different margins can
// be compared. Anchor and positive are different images of one bone, the negative shows another bone.
//
// A margin on squared distances means something only on the unit sphere, where they reach from 0 to 4. Embeddings whose
// rows are not of unit length (raw pixels, bone length) are scored at margin 0 alone, which no scaling changes.
//
// Where there are more valid triplets than `triplets`, that many are drawn, each valid one with the same chance. The
// interval resamples the people whose images are the anchors; below 12 people there is none.

#include "statistics/statistics.hpp"

#include <osteon/metric.hpp>
#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <cmath>
#include <map>
#include <vector>

namespace osteon {
namespace {

constexpr double kUnitTolerance = 0.01;  ///< of a row's length; leaves room for bf16 embeddings

struct Triplet {
  std::int64_t anchor, positive, negative;  ///< rows of the embeddings
};

/// The validation images of each bone that has any.
using ImagesByBone = std::map<std::int64_t, std::vector<std::int64_t>>;

ImagesByBone validation_images(const Evidence& evidence) {
  ImagesByBone images;
  const auto* bone = evidence.bone_of_image().data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < evidence.roles().size(); ++i)
    if (evidence.roles()[i] == Role::validation) images[bone[i]].push_back(static_cast<std::int64_t>(i));
  return images;
}

std::int64_t image_count(const ImagesByBone& images) {
  std::int64_t total = 0;
  for (const auto& [bone, rows] : images) total += std::ssize(rows);
  return total;
}

/// How many valid triplets have their anchor in each bone, in the bones' order.
std::vector<std::int64_t> triplets_by_bone(const ImagesByBone& images) {
  const std::int64_t total = image_count(images);
  std::vector<std::int64_t> counts;
  for (const auto& [bone, rows] : images)
    counts.push_back(std::ssize(rows) * (std::ssize(rows) - 1) * (total - std::ssize(rows)));
  return counts;
}

std::vector<Triplet> all_triplets(const ImagesByBone& images) {
  std::vector<Triplet> triplets;
  for (const auto& [bone, own] : images)
    for (const std::int64_t anchor : own)
      for (const std::int64_t positive : own) {
        if (positive == anchor) continue;
        for (const auto& [other, rows] : images)
          if (other != bone)
            for (const std::int64_t negative : rows) triplets.push_back({anchor, positive, negative});
      }
  return triplets;
}

/// `count` valid triplets with replacement, each with the same chance.
std::vector<Triplet> drawn_triplets(const ImagesByBone& images, std::int64_t count, std::uint64_t seed) {
  std::vector<std::int64_t> rows, first_of_bone, sizes;  // all images, bone after bone
  for (const auto& [bone, own] : images) {
    first_of_bone.push_back(std::ssize(rows));
    sizes.push_back(std::ssize(own));
    rows.insert(rows.end(), own.begin(), own.end());
  }
  const std::vector<std::int64_t> by_bone = triplets_by_bone(images);
  std::int64_t valid = 0;
  for (const std::int64_t one : by_bone) valid += one;
  Random random(seed, "triplet accuracy");
  const auto below = [&](std::int64_t n) {
    return static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)));
  };
  std::vector<Triplet> triplets;
  for (std::int64_t i = 0; i < count; ++i) {
    std::size_t bone = 0;
    for (std::int64_t place = below(valid); place >= by_bone[bone]; ++bone) place -= by_bone[bone];
    const std::int64_t first = first_of_bone[bone], size = sizes[bone];
    const std::int64_t anchor = below(size);
    std::int64_t positive = below(size - 1), negative = below(std::ssize(rows) - size);
    positive += positive >= anchor;
    negative += negative >= first ? size : 0;
    const auto row = [&](std::int64_t at) { return rows[static_cast<std::size_t>(at)]; };
    triplets.push_back({row(first + anchor), row(first + positive), row(negative)});
  }
  return triplets;
}

double squared_distance(const float* a, const float* b, std::int64_t n) {
  double part[4] = {};
  for (std::int64_t i = 0; i < n; ++i) {
    const double difference = static_cast<double>(a[i]) - b[i];
    part[i & 3] += difference * difference;
  }
  return (part[0] + part[2]) + (part[1] + part[3]);
}

/// ‖a − n‖² − ‖a − p‖² of each triplet.
std::vector<double> gaps(const at::Tensor& vectors, const std::vector<Triplet>& triplets) {
  const at::Tensor rows = vectors.contiguous();
  const float* data = rows.data_ptr<float>();
  const std::int64_t d = rows.size(1);
  std::vector<double> result(triplets.size());
  parallel_for(0, std::ssize(triplets), 1024, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const auto& [anchor, positive, negative] = triplets[static_cast<std::size_t>(i)];
      result[static_cast<std::size_t>(i)] = squared_distance(data + anchor * d, data + negative * d, d) -
                                            squared_distance(data + anchor * d, data + positive * d, d);
    }
  });
  return result;
}

/// "200,000".
std::string grouped(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (std::ptrdiff_t place = std::ssize(digits) - 3; place > 0; place -= 3)
    digits.insert(static_cast<std::size_t>(place), 1, ',');
  return digits;
}

bool has_unit_rows(const at::Tensor& vectors) {
  return vectors.norm(2, 1).sub(1).abs().max().item<float>() < kUnitTolerance;
}

class TripletAccuracy final : public Metric {
 public:
  static Schema schema() {
    return {"Share of validation triplets with ‖a-p‖² + margin < ‖a-n‖² (Čavojská et al. 2020).",
            {Parameter::integer("triplets", 200000, "Largest number of triplets; beyond it, that many are drawn.")
                 .at_least(1)}};
  }

  explicit TripletAccuracy(const Parameters& parameters) : most_(parameters.integer("triplets")) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::embeddings}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    const ImagesByBone images = validation_images(evidence);
    std::int64_t valid = 0;
    for (const std::int64_t one : triplets_by_bone(images)) valid += one;
    std::vector<Triplet> triplets;
    if (valid > 0 && valid <= most_) triplets = all_triplets(images);
    if (valid > most_) triplets = drawn_triplets(images, most_, evidence.seed());

    Scored scored{&evidence, &triplets, std::ssize(images), ""};
    if (valid > most_) scored.note = text(grouped(most_), " drawn from ", grouped(valid), " triplets");
    if (valid == 0)
      scored.note = images.size() < 2 ? text("triplets need two bones with validation images; there ",
                                             images.size() == 1 ? "is 1" : "are 0")
                                      : std::string("no bone has two validation images");
    MetricResult result;
    for (const EmbeddingSet& set : evidence.embeddings()) score(set, scored, result.values);
    return result;
  }

 private:
  struct Scored {
    const Evidence* evidence;
    const std::vector<Triplet>* triplets;
    std::int64_t bones;
    std::string note;
  };

  static void score(const EmbeddingSet& set, const Scored& scored, std::vector<MetricValue>& values) {
    const std::vector<double> gap = gaps(set.vectors, *scored.triplets);
    std::vector<std::pair<std::string, double>> columns;
    if (set.vectors.size(0) > 0 && has_unit_rows(set.vectors)) {
      columns.emplace_back("margin 0.1", 0.1);
      if (scored.evidence->margin() >= 0) columns.emplace_back("own margin", scored.evidence->margin());
    }
    columns.emplace_back("margin 0", 0.0);
    for (const auto& [column, margin] : columns) values.push_back(cell(set, scored, gap, column, margin));
  }

  static MetricValue cell(const EmbeddingSet& set, const Scored& scored, const std::vector<double>& gap,
                          const std::string& column, double margin) {
    MetricValue value;
    value.table = "triplet accuracy, validation images";
    value.row = set.name;
    value.column = column;
    value.unit = '%';
    value.is_baseline = set.is_trivial;
    value.count = std::ssize(gap);
    value.counted = text("triplets of ", scored.bones, scored.bones == 1 ? " bone" : " bones");
    value.note = scored.note;
    if (gap.empty()) return value;

    const auto* bone = scored.evidence->bone_of_image().data_ptr<std::int64_t>();
    std::map<std::string, statistics::Contribution> people;
    double hits = 0;
    for (std::size_t i = 0; i < gap.size(); ++i) {
      const auto anchor_bone = static_cast<std::size_t>(bone[(*scored.triplets)[i].anchor]);
      auto& person = people[scored.evidence->bones().at(anchor_bone).subject];
      const double hit = gap[i] > margin ? 1 : 0;
      hits += hit;
      person.hits += hit;
      person.total += 1;
    }
    value.value = 100 * hits / static_cast<double>(gap.size());
    statistics::set_people(value, people, scored.evidence->seed(), 100);
    return value;
  }

  std::int64_t most_;
};

}  // namespace

OSTEON_PLUGIN(metric, triplet_accuracy, "0.1.0", TripletAccuracy)

}  // namespace osteon
