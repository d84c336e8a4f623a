// metric/retrieval: how well the gallery's images of the right bone come first when the gallery is ranked by distance
// from a query image.
//
//     [metric.retrieval]
//     k = [1, 5, 10]           # of Recall@k
//
// One table for bones seen in training and one for bones never trained on; a row for each set of embeddings. With R the
// number of gallery images of the query's bone:
//
// - precision at 1: the nearest image is of the right bone;
// - Recall@k: at least one of the k nearest is, as metric learning uses the word;
// - R-precision: the share of the right bone among the R nearest; MAP@R: the same, weighted towards the first places
//   (Musgrave, Belongie and Lim, "A Metric Learning Reality Check", ECCV 2020);
// - MRR: mean of 1 / place of the first right image. Where only the K nearest are known it is MRR@K: queries without a
//   right image among them count 0, as that measure is defined.
//
// Images of one bone are no independent trials: figures are averaged over the queries of a bone, then over bones. From
// 12 people on there is a 95 % interval that resamples people. Beside the methods stands what a random order of the
// gallery gives on average (exact, not sampled). Queries whose bone has no image in the gallery are left out and
// counted in the note; a k larger than the gallery leaves Recall@k undefined. Of images equally far the one with the
// smaller number ranks first.

#include "ranking.hpp"
#include "statistics/statistics.hpp"

#include <osteon/metric.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <vector>

namespace osteon {
namespace {

using retrieval::Chance;
using retrieval::Ranking;

constexpr const char* kSharedVolume = "gallery and queries share a CT volume: says nothing about identity";

struct Query {
  std::int64_t bone = 0, gallery = 0, relevant = 0;
  Ranking ranking;
};

/// The queries of all folds that one set of embeddings answers for in one column.
struct Pool {
  std::string embedding_set;
  bool is_trivial = true, is_held_out = false;
  std::vector<Query> queries;                                       ///< with at least one relevant image
  std::int64_t left_out = 0;                                        ///< queries without
  std::int64_t known = std::numeric_limits<std::int64_t>::max();    ///< neighbours that every query has
  std::int64_t gallery = std::numeric_limits<std::int64_t>::max();  ///< images in the smallest gallery
};

/// A column of the table: its name, and its value of a query and of chance. NaN values are explained by `undefined`.
struct Measure {
  std::string name;
  std::function<double(const Query&)> of_query;
  std::function<double(const Chance&)> of_chance;
  std::string undefined;
};

void check(const NeighbourTable& table, const Evidence& evidence) {
  const auto demand = [&](bool holds, const std::string& what) {
    if (!holds) throw failure(text("neighbours by ", table.embedding_set, ": ", what));
  };
  demand(table.queries.defined() && table.neighbours.defined() && table.relevant.defined(),
         "queries, neighbours and relevant must all be given");
  demand(table.queries.dim() == 1 && table.neighbours.dim() == 2 && table.relevant.dim() == 1 &&
             table.neighbours.size(0) == table.queries.size(0) && table.relevant.size(0) == table.queries.size(0),
         text("queries ", table.queries.sizes(), ", neighbours ", table.neighbours.sizes(), " and relevant ",
              table.relevant.sizes(), " must be [Q], [Q, K] and [Q]"));
  demand(table.queries.scalar_type() == at::kLong && table.neighbours.scalar_type() == at::kInt &&
             table.relevant.scalar_type() == at::kLong,
         "queries and relevant must be int64, neighbours int32");
  demand(table.neighbours.size(1) <= table.gallery,
         text(table.neighbours.size(1), " neighbours of each query, but ", table.gallery, " images in the gallery"));
  if (table.queries.numel() == 0) return;
  const std::int64_t largest = table.relevant.max().item<std::int64_t>();
  demand(table.relevant.min().item<std::int64_t>() >= 0 && largest <= table.neighbours.size(1),
         text("a query has ", largest, " relevant images, but only ", table.neighbours.size(1),
              " neighbours are given; at least as many are needed"));
  const std::int64_t images = evidence.bone_of_image().numel();
  const auto in_range = [&](const at::Tensor& rows) {
    return rows.numel() == 0 || (rows.min().item<std::int64_t>() >= 0 && rows.max().item<std::int64_t>() < images);
  };
  demand(in_range(table.queries) && in_range(table.neighbours),
         text("an image's number is not in 0 … ", images - 1, ", the images of the run"));
  const std::int64_t last_bone = evidence.bone_of_image().max().item<std::int64_t>();
  demand(last_bone < std::ssize(evidence.bones()),
         text("an image shows bone ", last_bone, ", but there are ", evidence.bones().size(), " bones"));
}

/// One of each query of the table; `relevant` is 0 for those that have no ranking.
std::vector<Query> ranked(const NeighbourTable& table, const Evidence& evidence) {
  const at::Tensor bone_of_image = evidence.bone_of_image().contiguous(), queries = table.queries.contiguous(),
                   neighbours = table.neighbours.contiguous(), relevant = table.relevant.contiguous();
  const auto* bone = bone_of_image.data_ptr<std::int64_t>();
  const auto* row = neighbours.data_ptr<std::int32_t>();
  const std::int64_t known = neighbours.size(1);
  std::vector<Query> result(static_cast<std::size_t>(queries.numel()));
  parallel_for(0, queries.numel(), 64, [&](std::int64_t first, std::int64_t last) {
    std::vector<char> is_relevant(static_cast<std::size_t>(known));
    for (std::int64_t q = first; q < last; ++q) {
      Query& query = result[static_cast<std::size_t>(q)];
      query.bone = bone[queries.data_ptr<std::int64_t>()[q]];
      query.gallery = table.gallery;
      query.relevant = relevant.data_ptr<std::int64_t>()[q];
      if (query.relevant == 0) continue;
      for (std::int64_t i = 0; i < known; ++i)
        is_relevant[static_cast<std::size_t>(i)] = bone[row[q * known + i]] == query.bone;
      query.ranking = retrieval::ranking_of(is_relevant, query.relevant);
    }
  });
  return result;
}

/// In the order in which the embedding sets come.
std::vector<Pool> pools_of(const Evidence& evidence, bool held_out) {
  std::vector<Pool> pools;
  for (const NeighbourTable& table : evidence.neighbours()) {
    if (table.held_out != held_out) continue;
    check(table, evidence);
    auto pool = std::ranges::find(pools, table.embedding_set, &Pool::embedding_set);
    if (pool == pools.end())
      pool = pools.insert(pool, {.embedding_set = table.embedding_set, .is_held_out = held_out, .queries = {}});
    pool->is_trivial = table.is_trivial;
    pool->known = std::min(pool->known, table.neighbours.size(1));
    pool->gallery = std::min(pool->gallery, table.gallery);
    for (const Query& query : ranked(table, evidence)) {
      if (query.relevant > 0) {
        pool->queries.push_back(query);
      } else {
        ++pool->left_out;
      }
    }
  }
  return pools;
}

/// ", R 98", ", R 60–98".
std::string relevant_text(const std::vector<Pool>& pools) {
  std::int64_t least = 0, most = 0;
  for (const Pool& pool : pools)
    for (const Query& query : pool.queries) {
      least = least == 0 ? query.relevant : std::min(least, query.relevant);
      most = std::max(most, query.relevant);
    }
  if (most == 0) return "";
  return least == most ? text(", R ", most) : text(", R ", least, "–", most);
}

class Retrieval final : public Metric {
 public:
  static Schema schema() {
    return {"Precision at 1, Recall@k, R-precision, MAP@R (Musgrave et al. 2020) and MRR of the gallery's images.",
            {Parameter::integers("k", {1, 5, 10}, "Recall@k: is one of the k nearest images of the right bone?")
                 .at_least(1)}};
  }

  explicit Retrieval(const Parameters& parameters) : ks_(parameters.integers("k")) {
    for (auto k = ks_.begin(); k != ks_.end(); ++k)
      if (std::find(ks_.begin(), k, *k) != k)
        throw Error(text("parameter \"k\": ", *k, " stands there twice; each k is a column of its own"));
  }

  [[nodiscard]] std::set<Need> needs() const override { return {Need::neighbours}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    MetricResult result;
    for (const bool held_out : {false, true}) {
      const std::vector<Pool> pools = pools_of(evidence, held_out);
      if (pools.empty()) continue;
      const std::vector<Measure> measures = measures_of(pools);
      for (const Pool& pool : pools)
        for (const Measure& measure : measures)
          result.values.push_back(averaged(pool, measure, measure.of_query, evidence));
      for (const Measure& measure : measures) result.values.push_back(by_chance(pools.front(), measure, evidence));
    }
    return result;
  }

 private:
  /// The same for all embedding sets of a column, so that its table has one heading.
  [[nodiscard]] std::vector<Measure> measures_of(const std::vector<Pool>& pools) const {
    std::int64_t known = pools.front().known, gallery = pools.front().gallery;
    for (const Pool& pool : pools) {
      known = std::min(known, pool.known);
      gallery = std::min(gallery, pool.gallery);
    }
    const std::string relevant = relevant_text(pools);
    std::vector<Measure> measures{{"precision at 1", [](const Query& query) { return recall(query, 1); },
                                   [](const Chance& chance) { return chance.recall(1); }, ""}};
    for (const std::int64_t k : ks_) {
      Measure measure{text("Recall@", k), [k](const Query& query) { return recall(query, k); },
                      [k](const Chance& chance) { return chance.recall(k); }, ""};
      if (k > gallery) measure.undefined = text("the gallery has only ", gallery, " images");
      if (k > known && k <= gallery) measure.undefined = text("only the ", known, " nearest images are known");
      measures.push_back(std::move(measure));
    }
    measures.push_back({"R-precision" + relevant, [](const Query& query) { return query.ranking.r_precision; },
                        [](const Chance& chance) { return chance.r_precision(); }, ""});
    measures.push_back({"MAP@R" + relevant, [](const Query& query) { return query.ranking.map_at_r; },
                        [](const Chance& chance) { return chance.map_at_r(); }, ""});
    measures.push_back({known < gallery ? text("MRR@", known) : std::string("MRR"),
                        [known](const Query& query) { return reciprocal_rank(query, known); },
                        [known](const Chance& chance) { return chance.reciprocal_rank(known); }, ""});
    return measures;
  }

  static double recall(const Query& query, std::int64_t k) {
    return query.ranking.first_relevant > 0 && query.ranking.first_relevant <= k ? 1 : 0;
  }

  static double reciprocal_rank(const Query& query, std::int64_t k) {
    return recall(query, k) > 0 ? 1 / static_cast<double>(query.ranking.first_relevant) : 0;
  }

  /// Mean over bones of the mean over their queries, in percent.
  static MetricValue averaged(const Pool& pool, const Measure& measure, const std::function<double(const Query&)>& of,
                              const Evidence& evidence) {
    MetricValue value;
    value.table = pool.is_held_out ? "retrieval, never trained on" : "retrieval, seen in training";
    value.row = pool.embedding_set;
    value.column = measure.name;
    value.is_baseline = pool.is_trivial;
    value.counted = "bones";
    if (evidence.queries_share_volume()) value.note = kSharedVolume;
    if (pool.left_out > 0) {
      value.note +=
          text(value.note.empty() ? "" : "; ", pool.left_out, " of ", pool.left_out + std::ssize(pool.queries),
               " query images left out, as the gallery has none of their bone");
    }
    std::map<std::int64_t, statistics::Contribution> bones;
    for (const Query& query : pool.queries) {
      bones[query.bone].total += 1;
      if (measure.undefined.empty()) bones[query.bone].hits += of(query);
    }
    value.count = std::ssize(bones);
    if (bones.empty() && pool.left_out == 0) value.note = "no query images";
    if (!bones.empty() && !measure.undefined.empty()) value.note = measure.undefined;
    if (bones.empty() || !measure.undefined.empty()) return value;

    std::map<std::string, statistics::Contribution> people;  // total: bones; hits: sum of their means
    for (const auto& [bone, own] : bones) {
      auto& person = people[evidence.bones().at(static_cast<std::size_t>(bone)).subject];
      person.total += 1;
      person.hits += own.hits / own.total;
    }
    double sum = 0;
    for (const auto& [subject, one] : people) sum += one.hits;
    value.unit = '%';
    value.value = 100 * sum / static_cast<double>(value.count);
    statistics::set_people(value, people, evidence.seed(), 100);
    return value;
  }

  /// What the same queries get from a gallery in random order.
  static MetricValue by_chance(const Pool& pool, const Measure& measure, const Evidence& evidence) {
    std::map<std::pair<std::int64_t, std::int64_t>, double> known;
    const auto of = [&](const Query& query) {
      const auto [entry, is_new] = known.try_emplace({query.gallery, query.relevant});
      if (is_new) entry->second = measure.of_chance({query.gallery, query.relevant});
      return entry->second;
    };
    MetricValue value = averaged(pool, measure, of, evidence);
    value.row = "chance";
    value.is_baseline = true;
    value.interval.reset();
    return value;
  }

  std::vector<std::int64_t> ks_;
};

}  // namespace

OSTEON_PLUGIN(metric, retrieval, "0.1.0", Retrieval)

}  // namespace osteon
