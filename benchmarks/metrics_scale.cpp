// How long the metrics of the embedding space take, and how much memory, at the size of the study: 29 bones × 900
// images (225 poses × 4 energies), 128 dimensions, 270 images of each bone as queries and the other 630 as the gallery;
// 5 bones never trained on. Goal: all together at most 60 s and 1 GB.
//
//     metrics-scale [METRIC …] [--dimensions N]
//
// Runs every metric plugin on the search path that needs embeddings, neighbours or trials, or the named ones, each
// through the host's handle. One line a metric: seconds, and the peak of the whole process while it ran (LibTorch and
// the evidence included). Embeddings are directions of the bones with noise, one set; a run has several.

#include "host/handles.hpp"
#include "host/registry.hpp"
#include "pipeline/comparisons.hpp"

#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <string>
#include <thread>

namespace osteon {
namespace {

constexpr std::int64_t kBones = 29, kNeverTrainedOn = 5, kPoses = 225, kEnergies = 4, kImages = kPoses * kEnergies;
constexpr std::int64_t kQueries = 270, kValidation = 150;  ///< of each bone
constexpr double kNoise = 1.5;  ///< beside directions of length 1: most ranks are right, not all

Role role_of(std::int64_t bone, std::int64_t image) {
  if (image < kQueries) return Role::query;
  if (bone < kNeverTrainedOn) return Role::gallery;
  return image < kQueries + kValidation ? Role::validation : Role::training;
}

ImageRow row_of(std::int64_t image) {
  ImageRow row;
  row.pose = image / kEnergies;
  row.axial = row.ml_axial = -22.0 + 44.0 * static_cast<double>(row.pose % 15) / 14;
  row.in_plane = row.ml_in_plane = -22.0 + 44.0 * static_cast<double>(row.pose / 15) / 14;
  row.energy = 140 + 6 * static_cast<double>(image % kEnergies);
  row.pixel_spacing = 1;
  return row;
}

/// float32 `[kBones · kImages, d]`, unit rows.
at::Tensor embeddings(std::int64_t d) {
  std::vector<float> centres(static_cast<std::size_t>(kBones * d));
  Random random(1, "centres");
  const double scale = 1 / std::sqrt(static_cast<double>(d));
  for (float& value : centres) value = static_cast<float>(random.normal(0, scale));
  at::Tensor rows = at::empty({kBones * kImages, d}, at::kFloat);
  auto* data = rows.data_ptr<float>();
  parallel_for(0, rows.size(0), 64, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      Random noise(1, "noise", static_cast<std::uint64_t>(i));
      for (std::int64_t j = 0; j < d; ++j)
        data[i * d + j] = centres[static_cast<std::size_t>(i / kImages * d + j)] +
                          static_cast<float>(noise.normal(0, kNoise * scale));
    }
  });
  return rows.div_(rows.norm(2, {1}, true));
}

/// Neighbours and trials of one column.
void compare_queries_with_gallery(Evidence::Contents& contents, bool held_out) {
  std::vector<std::int64_t> queries, gallery;
  const auto* bone = contents.bone.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < contents.role.size(); ++i) {
    if (contents.role[i] != Role::query)
      gallery.push_back(static_cast<std::int64_t>(i));
    else if (contents.bones[static_cast<std::size_t>(bone[i])].held_out == held_out)
      queries.push_back(static_cast<std::int64_t>(i));
  }
  pipeline::Comparison one =
      pipeline::compare(contents.embeddings.front(), contents.bone, kBones, at::tensor(gallery, at::kLong),
                        at::tensor(queries, at::kLong), held_out);
  contents.neighbours.push_back(std::move(one.neighbours));
  contents.trials.push_back(std::move(one.trials));
}

Evidence::Contents evidence(std::int64_t dimensions) {
  Evidence::Contents contents;
  for (std::int64_t b = 0; b < kBones; ++b)
    contents.bones.push_back({text("bone ", b), text("person ", b), Side::left, b < kNeverTrainedOn});
  contents.bone = at::arange(kBones, at::kLong).repeat_interleave(kImages);
  for (std::int64_t b = 0; b < kBones; ++b)
    for (std::int64_t i = 0; i < kImages; ++i) {
      contents.role.push_back(role_of(b, i));
      contents.rows.push_back(row_of(i));
    }
  contents.embeddings = {{"fingerprint", false, embeddings(dimensions)}};
  contents.margin = 0.1;
  contents.seed = 1;
  for (const bool held_out : {false, true}) compare_queries_with_gallery(contents, held_out);
  return contents;
}

void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

/// Megabytes that this process held at most since `forget_peak`.
double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  return std::nan("");
}

double timed(const std::string& name, const std::function<std::string()>& work) {
  forget_peak();
  const auto start = std::chrono::steady_clock::now();
  const std::string outcome = work();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::printf("%-28s %9.2f s %9.0f MB  %s\n", name.c_str(), seconds, peak_megabytes(), outcome.c_str());
  std::fflush(stdout);
  return seconds;
}

bool is_of_the_embedding_space(const host::MetricHandle& metric) {
  return std::ranges::any_of(metric.needs(), [](Need need) {
    return need == Need::embeddings || need == Need::neighbours || need == Need::trials;
  });
}

std::string amount(const MetricResult& result) {
  const auto undefined =
      std::ranges::count_if(result.values, [](const MetricValue& value) { return std::isnan(value.value); });
  return text(result.values.size(), " figures (", undefined, " undefined), ", result.charts.size(), " charts, ",
              result.maps.size(), " maps");
}

void run(std::int64_t dimensions, const std::vector<std::string>& wanted) {
  host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  Evidence::Contents contents;
  std::printf("%lld images of %lld dimensions, %d threads\n", static_cast<long long>(kBones * kImages),
              static_cast<long long>(dimensions), thread_count());
  timed("(making the evidence)", [&] { return contents = evidence(dimensions), std::string(); });
  double total = 0;
  for (const host::FoundPlugin& found : registry.list()) {
    if (found.kind != "metric" || (!wanted.empty() && std::ranges::find(wanted, found.name) == wanted.end())) continue;
    const host::LoadedPlugin& plugin = registry.find("metric", found.name);
    const host::MetricHandle metric(plugin, Parameters(plugin.schema, {}));
    if (is_of_the_embedding_space(metric))
      total += timed(found.name, [&] { return amount(metric.evaluate(contents)); });
  }
  std::printf("%-28s %9.2f s\n", "all", total);
}

}  // namespace
}  // namespace osteon

int main(int argc, char** argv) {
  at::set_num_threads(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  try {
    std::int64_t dimensions = 128;
    std::vector<std::string> wanted;
    for (int i = 1; i < argc; ++i) {
      if (std::string(argv[i]) == "--dimensions" && i + 1 < argc)
        dimensions = std::stoll(argv[++i]);
      else
        wanted.emplace_back(argv[i]);
    }
    osteon::run(dimensions, wanted);
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
}
