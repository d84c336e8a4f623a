// metric/embedding_statistics: what the dimensions of the embedding space hold (Čavojská et al., Commun. Biol. 3:337,
// 2020, Results, Figure 5 and Table 1).
//
//     [metric.embedding_statistics]
//     factors      = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0]  # f of the threshold classifier
//     sparse_share = 0.99      # a dimension is sparse if more than this share of the images …
//     zero_below   = 1e-6      # … has |x| of at most this in it
//     rank_images  = 1000      # images at most for the effective rank, drawn evenly over bones
//
// Dimensions: of the training images, how many dimensions are sparse (the study: 35 of 128), and the effective rank
// (Roy and Vetterli, EUSIPCO 2007): the exponential of the entropy of the singular values of the centred embeddings,
// how many dimensions as good as equally used ones there are. Charts: mean and standard deviation of each dimension in
// each bone.
//
// Threshold classifier: a query x is of bone C if |µ - x| < f σ in most dimensions, µ and σ of C's known images; it is
// that of classifier/threshold with rule = "class", with all dimensions and without the sparse ones, over f. Three
// tables: validation images by the training images (the study's; both come from one CT volume, "protocol only"), query
// images of another scan by the training images, and query images of bones never trained on by their gallery images.
// Sparse dimensions are found in the known images of the table. Unknown counts as wrong; chance names one of the
// table's bones. Figures are means over bones; intervals resample people, from 12 on.

#include "embedding/effective_rank.hpp"
#include "recognition/class_deviation.hpp"
#include "recognition/embeddings.hpp"
#include "statistics/statistics.hpp"

#include <osteon/metric.hpp>
#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <numeric>

namespace osteon {
namespace {

constexpr double kUndefined = std::numeric_limits<double>::quiet_NaN();

using Images = std::vector<std::int64_t>;

std::int64_t bone_of(const Evidence& evidence, std::int64_t image) {
  return evidence.bone_of_image().data_ptr<std::int64_t>()[image];
}

/// The images of bones of one column whose role `holds`.
Images images_where(const Evidence& evidence, bool held_out, const std::function<bool(Role)>& holds) {
  Images images;
  for (std::int64_t i = 0; i < std::ssize(evidence.roles()); ++i)
    if (evidence.bones()[static_cast<std::size_t>(bone_of(evidence, i))].held_out == held_out &&
        holds(evidence.roles()[static_cast<std::size_t>(i)]))
      images.push_back(i);
  return images;
}

Images images_of(const Evidence& evidence, bool held_out, Role role) {
  return images_where(evidence, held_out, [role](Role own) { return own == role; });
}

at::Tensor index_of(const Images& images) { return at::tensor(at::ArrayRef<std::int64_t>(images), at::kLong); }

/// One table of the threshold classifier: images whose bones are known, and images that ask.
struct Setting {
  std::string name, note;
  Images known, asked;
};

std::vector<Setting> settings_of(const Evidence& evidence) {
  const Images training = images_of(evidence, false, Role::training);
  std::string shared = evidence.queries_share_volume() ? "from the known images' own CT volumes: says nothing about "
                                                         "identity"
                                                       : "";
  std::vector<Setting> settings = {
      {"validation images", "from the training images' own CT volumes: protocol only", training,
       images_of(evidence, false, Role::validation)},
      {"another scan", shared, training, images_of(evidence, false, Role::query)},
      {"never trained on", shared, images_where(evidence, true, [](Role role) { return role != Role::query; }),
       images_of(evidence, true, Role::query)}};
  if (evidence.folds() > 1)
    settings.back().note += text(shared.empty() ? "" : "; ", "of the first of ", evidence.folds(), " folds");
  std::erase_if(settings, [](const Setting& one) { return one.known.empty() || one.asked.empty(); });
  return settings;
}

/// At most `most` of the images, as many of each bone as of every other where it has them.
Images drawn_evenly(const Evidence& evidence, const Images& images, std::int64_t most) {
  if (std::ssize(images) <= most) return images;
  std::map<std::int64_t, Images> by_bone;
  for (const std::int64_t image : images) by_bone[bone_of(evidence, image)].push_back(image);
  Images drawn;
  for (auto& [bone, own] : by_bone) {
    const auto order =
        Random(evidence.seed(), "effective rank", static_cast<std::uint64_t>(bone)).permutation(std::ssize(own));
    const auto share = std::min(std::ssize(own), most / std::ssize(by_bone));
    for (std::int64_t i = 0; i < share; ++i)
      drawn.push_back(own[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
  }
  std::ranges::sort(drawn);
  return drawn;
}

class EmbeddingStatistics final : public Metric {
 public:
  static Schema schema() {
    return {
        "Sparse dimensions, effective rank, means and deviations by bone, and the threshold classifier over f "
        "(Čavojská et al. 2020).",
        {Parameter::reals("factors", {0.5, 1, 1.5, 2, 2.5, 3, 4, 5},
                          "Standard deviations around a bone's mean: f of the threshold classifier.")
             .above(0)
             .length_at_least(1),
         Parameter::real("sparse_share", 0.99, "Share of zeros above which a dimension is sparse.")
             .at_least(0)
             .below(1),
         Parameter::real("zero_below", 1e-6, "Values of at most this size count as zero.").at_least(0),
         Parameter::integer("rank_images", 1000,
                            "Images at most that the effective rank is of, drawn evenly over bones.")
             .at_least(2)
             .at_most(20000)}};
  }

  explicit EmbeddingStatistics(const Parameters& parameters)
      : factors_(parameters.reals("factors")),
        sparse_share_(parameters.real("sparse_share")),
        zero_below_(parameters.real("zero_below")),
        rank_images_(parameters.integer("rank_images")) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::embeddings}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    MetricResult result;
    const Images training = images_of(evidence, false, Role::training);
    for (const EmbeddingSet& set : evidence.embeddings()) {
      recognition::check_embeddings(set.vectors, set.name.c_str());
      if (!training.empty()) describe(evidence, set, training, result);
    }
    for (const Setting& setting : settings_of(evidence)) {
      for (const EmbeddingSet& set : evidence.embeddings()) classify(evidence, set, setting, result.values);
      add_chance(evidence, setting, result.values);
    }
    return result;
  }

 private:
  static at::Tensor rows_of(const EmbeddingSet& set, const Images& images) {
    return set.vectors.index_select(0, index_of(images)).contiguous();
  }

  void describe(const Evidence& evidence, const EmbeddingSet& set, const Images& training, MetricResult& result) const {
    const at::Tensor rows = rows_of(set, training);
    const auto dense = std::ssize(recognition::dense_dimensions(rows, zero_below_, sparse_share_));
    const Images for_rank = drawn_evenly(evidence, training, rank_images_);
    const double rank = embedding::effective_rank(rows_of(set, for_rank));
    const auto add = [&](const char* column, double figure, const std::string& unit, std::int64_t images) {
      MetricValue value;
      value.table = "embedding space, training images";
      value.row = set.name;
      value.column = column;
      value.value = figure;
      value.unit = unit;
      value.is_baseline = set.is_trivial;
      value.count = images;
      value.counted = "images";
      if (std::isnan(figure)) value.note = "all embeddings are equal";
      result.values.push_back(std::move(value));
    };
    add("sparse dimensions", static_cast<double>(rows.size(1) - dense), text("of ", rows.size(1)),
        std::ssize(training));
    add("effective rank", rank, "", std::ssize(for_rank));
    if (!set.is_trivial) add_charts(evidence, set, rows, training, result.charts);
  }

  /// The study's Figure 5: mean and standard deviation of each dimension, a line for each bone.
  static void add_charts(const Evidence& evidence, const EmbeddingSet& set, const at::Tensor& rows,
                         const Images& training, std::vector<Chart>& charts) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(rows.size(1)));
    std::iota(all.begin(), all.end(), 0);
    const at::Tensor labels = evidence.bone_of_image().index_select(0, index_of(training)).contiguous();
    const auto classes = recognition::class_deviations(rows, labels, all);
    for (const auto& [what, figure] : {std::pair{"mean", &recognition::ClassDeviation::mean},
                                       {"standard deviation", &recognition::ClassDeviation::deviation}}) {
      Chart chart{"Embedding space",
                  text(set.name, ": ", what, " of each dimension in each bone"),
                  "dimension",
                  what,
                  {},
                  {},
                  false,
                  "Training images; one line a bone."};
      for (const recognition::ClassDeviation& one : classes) {
        ChartSeries series{
            evidence.bones()[static_cast<std::size_t>(one.label)].id, ChartSeries::Mark::line, {}, {}, false, {}};
        for (const std::int64_t j : all) series.x.push_back(static_cast<double>(j + 1));
        series.y = one.*figure;
        chart.series.push_back(std::move(series));
      }
      charts.push_back(std::move(chart));
    }
  }

  void classify(const Evidence& evidence, const EmbeddingSet& set, const Setting& setting,
                std::vector<MetricValue>& values) const {
    const at::Tensor known = rows_of(set, setting.known);
    std::vector<std::int64_t> all(static_cast<std::size_t>(known.size(1)));
    std::iota(all.begin(), all.end(), 0);
    const auto dense = recognition::dense_dimensions(known, zero_below_, sparse_share_);
    add_row(evidence, set, setting, known, all, "all dimensions", "", values);
    // Of a trivial method the same row twice would say nothing.
    if (set.is_trivial && dense.size() == all.size()) return;
    add_row(evidence, set, setting, known, dense, "without sparse dimensions",
            dense.size() == all.size() ? "no dimension is sparse" : "", values);
  }

  void add_row(const Evidence& evidence, const EmbeddingSet& set, const Setting& setting, const at::Tensor& known,
               const std::vector<std::int64_t>& dimensions, const char* which, const std::string& note,
               std::vector<MetricValue>& values) const {
    const at::Tensor labels = evidence.bone_of_image().index_select(0, index_of(setting.known)).contiguous();
    const auto classes = recognition::class_deviations(known, labels, dimensions);
    const at::Tensor asked = rows_of(set, setting.asked);
    for (const double factor : factors_) {
      throw_if_stopped();
      MetricValue value = cell(setting, text(set.name, ", ", which), factor);
      value.is_baseline = set.is_trivial;
      if (!note.empty()) value.note += (value.note.empty() ? "" : "; ") + note;
      if (const char* why = why_undefined(classes, dimensions); *why != '\0') {
        value.note = why;
        value.counted.clear();
      } else {
        score(evidence, setting.asked, answers(asked, classes, dimensions, factor), value);
      }
      values.push_back(std::move(value));
    }
  }

  /// "", or why no query can be inside of any class.
  static const char* why_undefined(const std::vector<recognition::ClassDeviation>& classes,
                                   const std::vector<std::int64_t>& dimensions) {
    if (dimensions.empty()) return "all dimensions are sparse";
    const bool has_spread = std::ranges::any_of(classes, [](const recognition::ClassDeviation& one) {
      return std::ranges::any_of(one.deviation, [](double deviation) { return deviation > 0; });
    });
    return has_spread ? "" : "no bone has a deviation in any dimension";
  }

  static std::vector<std::int64_t> answers(const at::Tensor& asked,
                                           const std::vector<recognition::ClassDeviation>& classes,
                                           const std::vector<std::int64_t>& dimensions, double factor) {
    std::vector<std::int64_t> labels(static_cast<std::size_t>(asked.size(0)));
    parallel_for(0, asked.size(0), 16, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t q = first; q < last; ++q)
        labels[static_cast<std::size_t>(q)] =
            recognition::class_within(asked.data_ptr<float>() + q * asked.size(1), classes, dimensions, factor).label;
    });
    return labels;
  }

  static MetricValue cell(const Setting& setting, const std::string& row, double factor) {
    MetricValue value;
    value.table = text("threshold classifier over f, ", setting.name);
    value.row = row;
    value.column = text("f = ", factor);
    value.unit = "%";
    value.counted = "bones";
    value.note = setting.note;
    return value;
  }

  /// Mean over bones of the share of their images that got the right answer.
  static void score(const Evidence& evidence, const Images& asked, const std::vector<std::int64_t>& answers,
                    MetricValue& value) {
    std::map<std::int64_t, statistics::Contribution> bones;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const std::int64_t bone = bone_of(evidence, asked[i]);
      bones[bone].total += 1;
      bones[bone].hits += answers[i] == bone ? 1 : 0;
    }
    std::map<std::string, statistics::Contribution> people;
    double sum = 0;
    for (const auto& [bone, own] : bones) {
      auto& person = people[evidence.bones()[static_cast<std::size_t>(bone)].subject];
      person.total += 1;
      person.hits += own.hits / own.total;
      sum += own.hits / own.total;
    }
    value.count = std::ssize(bones);
    value.value = 100 * sum / static_cast<double>(bones.size());
    statistics::set_people(value, people, evidence.seed(), 100);
  }

  void add_chance(const Evidence& evidence, const Setting& setting, std::vector<MetricValue>& values) const {
    std::set<std::int64_t> known, asked;
    for (const std::int64_t image : setting.known) known.insert(bone_of(evidence, image));
    for (const std::int64_t image : setting.asked) asked.insert(bone_of(evidence, image));
    for (const double factor : factors_) {
      MetricValue value = cell(setting, "chance", factor);
      value.value = 100 / static_cast<double>(known.size());
      value.is_baseline = true;
      value.count = std::ssize(asked);
      values.push_back(std::move(value));
    }
  }

  std::vector<double> factors_;
  double sparse_share_, zero_below_;
  std::int64_t rank_images_;
};

}  // namespace

OSTEON_PLUGIN(metric, embedding_statistics, "0.1.0", EmbeddingStatistics)

}  // namespace osteon
