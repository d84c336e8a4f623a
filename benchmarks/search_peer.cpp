// Both sides of `scripts/peers search`: the ten nearest of random unit rows with 128 dimensions, by our knn classifier
// as an experiment calls it (the vote included) and by FAISS's IndexFlatL2 (Debian's, with its BLAS). Two threads.
// One task a call; prints numbers and nothing else, so that a script can alternate between the two.
//
//     search-peer ours|faiss one ENTRIES       seconds a query, one by one
//     search-peer ours|faiss batch ENTRIES     seconds a query, in batches of 1,000
//     search-peer ours million                 seconds a query among 1,000,000, peak resident megabytes of the program
//     search-peer same ENTRIES                 fails unless both sides find neighbours equally far

#include "host/handles.hpp"
#include "host/registry.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <faiss/IndexFlat.h>

#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>

namespace osteon {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kDimensions = 128, kNearest = 10, kQueries = 1000;
constexpr int kThreads = 2;

at::Tensor unit_rows(std::int64_t count, std::uint64_t index) {
  at::Tensor rows = at::empty({count, kDimensions});
  Random random(1, "search peer", index);
  for (std::int64_t i = 0; i < count; ++i) {
    float* row = rows.data_ptr<float>() + i * kDimensions;
    double squares = 0;
    for (std::int64_t j = 0; j < kDimensions; ++j) {
      row[j] = static_cast<float>(random.normal());
      squares += static_cast<double>(row[j]) * row[j];
    }
    for (std::int64_t j = 0; j < kDimensions; ++j) row[j] /= static_cast<float>(std::sqrt(squares));
  }
  return rows;
}

host::ClassifierHandle knn(std::int64_t k) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("classifier", "knn");
  return {plugin, Parameters(plugin.schema, {{"k", k}})};
}

using Search = std::function<void(const at::Tensor& queries)>;

/// Seconds a query: passes over all queries for half a second at least, after one that is not counted.
double seconds_a_query(const Search& search, const at::Tensor& queries, std::int64_t together) {
  const auto pass = [&](std::int64_t count) {
    for (std::int64_t q = 0; q < count; q += together) search(queries.narrow(0, q, together));
  };
  pass(std::max<std::int64_t>(together, 20));
  const Clock::time_point start = Clock::now();
  std::int64_t done = 0;
  double seconds = 0;
  do {
    pass(std::max<std::int64_t>(together, 20));
    done += std::max<std::int64_t>(together, 20);
    seconds = std::chrono::duration<double>(Clock::now() - start).count();
  } while (seconds < 0.5);
  return seconds / static_cast<double>(done);
}

double measured(const std::string& side, std::int64_t entries, std::int64_t together) {
  const at::Tensor gallery = unit_rows(entries, 0), queries = unit_rows(kQueries, 1);
  if (side == "ours") {
    const auto classifier = knn(kNearest);
    classifier.fit(gallery, at::arange(entries, at::kLong));
    return seconds_a_query([&](const at::Tensor& q) { (void)classifier.predict(q); }, queries, together);
  }
  faiss::IndexFlatL2 index(kDimensions);
  index.add(entries, gallery.data_ptr<float>());
  std::vector<float> distances(static_cast<std::size_t>(together * kNearest));
  std::vector<faiss::Index::idx_t> rows(distances.size());
  return seconds_a_query(
      [&](const at::Tensor& q) {
        index.search(q.size(0), q.data_ptr<float>(), kNearest, distances.data(), rows.data());
      },
      queries, together);
}

void check_same(std::int64_t entries) {
  const at::Tensor gallery = unit_rows(entries, 0), queries = unit_rows(kQueries, 1);
  const auto classifier = knn(1);
  classifier.fit(gallery, at::arange(entries, at::kLong));
  const Prediction ours = classifier.predict(queries);
  faiss::IndexFlatL2 index(kDimensions);
  index.add(entries, gallery.data_ptr<float>());
  std::vector<float> distances(kQueries);
  std::vector<faiss::Index::idx_t> rows(kQueries);
  index.search(kQueries, queries.data_ptr<float>(), 1, distances.data(), rows.data());
  for (std::int64_t q = 0; q < kQueries; ++q) {
    const double score = ours.scores[q].item<double>();
    if (std::abs(score * score - distances[static_cast<std::size_t>(q)]) > 1e-5)
      throw failure(text("query ", q, ": ", score * score, " and ", distances[static_cast<std::size_t>(q)]));
  }
}

}  // namespace
}  // namespace osteon

int main(int argc, char** argv) {
  using namespace osteon;
  at::set_num_threads(kThreads);
  const std::string side = argc > 1 ? argv[1] : "", task = argc > 2 ? argv[2] : "";
  try {
    if (side == "same" && argc == 3) return check_same(std::stoll(task)), 0;
    if (side == "ours" && task == "million") {
      const double seconds = measured(side, 1000000, 1);
      rusage usage{};
      ::getrusage(RUSAGE_SELF, &usage);
      std::printf("%.9f %.1f\n", seconds, static_cast<double>(usage.ru_maxrss) / 1024);
      return 0;
    }
    if ((side == "ours" || side == "faiss") && (task == "one" || task == "batch") && argc == 4) {
      std::printf("%.9f\n", measured(side, std::stoll(argv[3]), task == "one" ? 1 : kQueries));
      return 0;
    }
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
  std::cerr << "search-peer ours|faiss one|batch ENTRIES | ours million | same ENTRIES\n";
  return 2;
}
