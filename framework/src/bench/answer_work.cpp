// Shapes, metrics and reporters.

#include "bench/inputs.hpp"
#include "bench/work.hpp"

#include <osteon/error.hpp>

#include <ATen/ATen.h>

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>

namespace osteon::bench {

namespace fs = std::filesystem;

namespace {

/// What is printed while one lives goes nowhere: a reporter for people prints a page each call.
class Silence {
 public:
  Silence() {
    flush();
    const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) ::dup2(nowhere, STDOUT_FILENO);
    ::close(nowhere);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  ~Silence() {
    flush();
    if (before_ >= 0) ::dup2(before_, STDOUT_FILENO);
    ::close(before_);
  }

 private:
  static void flush() {
    std::cout.flush();
    std::fflush(stdout);
  }
  int before_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
};

/// What a run with so many figures, points of a curve and lines of progress tells its reporters.
std::vector<Event> events_of_a_run(std::int64_t figures, const fs::path& folder) {
  std::vector<Event> events{RunStarted{"Benchmark", folder, "", "osteon bench", "", {}, "title = \"Benchmark\"\n"},
                            StageStarted{"train", "", figures, "batches"}};
  for (std::int64_t i = 0; i < figures; ++i) {
    const auto step = static_cast<double>(i);
    events.push_back(Scalar{"loss", step, 1 / (step + 1)});
    if (i % 10 == 0) events.push_back(StageProgress{"train", i, figures, -1, ""});
  }
  events.push_back(StageFinished{"train", 1, 1, 0, "", "first run"});
  events.push_back(Picture{"X-rays", "bone 1", at::zeros({64, 64}, at::kByte)});
  Results results;
  for (std::int64_t i = 0; i < figures; ++i) {
    MetricValue value;
    value.table = text("table ", i / 20);
    value.row = text("row ", i % 20);
    value.column = "never trained";
    value.value = 0.5;
    value.unit = "%";
    value.count = 10;
    value.counted = "bones";
    results.values.push_back(value);
  }
  events.push_back(results);
  events.push_back(RunFinished{"complete", 1, ""});
  return events;
}

}  // namespace

StandardWork shape_work(const Subject& subject) {
  static_cast<void>(subject.make<host::ShapeHandle>());
  return {"bones",
          {2, 4},
          2,
          1000,
          {{"fit", "bones", "bones",
            [subject](std::int64_t bones) {
              const auto shape = subject.make<host::ShapeHandle>();
              const auto gallery = std::make_shared<ShapeGallery>(shape_gallery(bones));
              // Bones that differ a little each time: methods remember what they worked out of known ones.
              return Call{[shape, gallery] { shape->fit(*gallery); }, bones, bones,
                          [gallery] {
                            for (Mesh& mesh : gallery->meshes) mesh.vertices = mesh.vertices * (1 + 1e-5);
                          }};
            }},
           {"predict", "bones", "bones in the gallery", [subject](std::int64_t bones) {
              const auto shape = subject.make<host::ShapeHandle>();
              shape->fit(shape_gallery(bones));
              return Call{[shape, query = shape_query()] { static_cast<void>(shape->predict(query)); }, 1, bones};
            }}}};
}

StandardWork metric_work(const Subject& subject) {
  const auto metric = subject.make<host::MetricHandle>();
  const auto call = [metric](Evidence::Contents contents, std::int64_t items) {
    const auto kept = std::make_shared<Evidence::Contents>(std::move(contents));
    return Call{[metric, kept] { static_cast<void>(metric->evaluate(*kept)); }, items, items};
  };
  if (metric->needs().contains(Need::meshes))
    return {"bones", {1, 2, 4}, 1, 1000, {{"evaluate", "bones", "bones", [call](std::int64_t bones) {
                                             return call(evidence(2 * bones, 8, true), bones);
                                           }}}};
  constexpr std::int64_t kBones = 10;
  return {"images",
          {200, 400, 800, 1600},
          8 * kBones,
          1'000'000,
          {{"evaluate", "images", "images",
            [call](std::int64_t images) { return call(evidence(kBones, images / kBones, false), images); }}}};
}

StandardWork reporter_work(const Subject& subject) {
  static_cast<void>(subject.make<host::ReporterHandle>());
  return {"figures", {10, 100, 300}, 1, 100'000, {{"report", "figures", "figures", [subject](std::int64_t figures) {
                                                     // Beside the folder of all runs is where some keep a store of
                                                     // several runs.
                                                     const fs::path folder = subject.scratch / "runs" / "bench";
                                                     return Call{[subject, events = events_of_a_run(figures, folder)] {
                                                                   const Silence silence;
                                                                   const auto reporter =
                                                                       subject.make<host::ReporterHandle>();
                                                                   for (const Event& event : events)
                                                                     reporter->report(event);
                                                                 },
                                                                 figures, figures,
                                                                 [scratch = subject.scratch, folder] {
                                                                   fs::remove_all(scratch);
                                                                   fs::create_directories(folder);
                                                                 }};
                                                   }}}};
}

}  // namespace osteon::bench
