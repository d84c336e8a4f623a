// What a reporter promises (osteon/reporter.hpp): it takes the events of a run, whatever they hold.

#include "contract/evidence.hpp"
#include "contract/kind.hpp"
#include "contract/workroom.hpp"

#include <osteon/reporter.hpp>

#include <ATen/Functions.h>

#include <limits>

namespace osteon::contract {

namespace {

namespace fs = std::filesystem;

constexpr double kNoNumber = std::numeric_limits<double>::quiet_NaN();

RunStarted begun_run(const fs::path& folder) {
  return {"Contract of a reporter",
          folder,
          "2 bones · 8 X-rays",
          "osteon run contract.toml",
          "",
          {{"LibTorch", "any"}},
          "title = \"Contract of a reporter\"\n"};
}

MetricValue rate_of(double value) {
  MetricValue figure;
  figure.table = "identity, rank-1";
  figure.row = "fingerprint";
  figure.column = "never trained";
  figure.value = value;
  figure.unit = "%";
  figure.count = 8;
  figure.counted = "bones";
  figure.interval = {value - 1, value + 1};
  return figure;
}

PicturedMap pictured_map(std::int64_t images) {
  PicturedMap map;
  map.map = {"fingerprint, PCA", "", at::arange(images, at::kLong), unit_rows(images, 2, 90)};
  map.thumbnails = at::full({images, 4, 4}, 100, at::kByte);
  for (std::int64_t i = 0; i < images; ++i) {
    map.bones.push_back(text("bone-", i));
    map.held_out.push_back(i % 2 == 1);
    map.roles.emplace_back("query");
    map.rows.emplace_back();
  }
  return map;
}

std::vector<Event> events_of_run(const fs::path& folder) {
  const Mesh bone = ellipsoid({12, 10, 40});
  Chart chart;
  chart.section = "Separation";
  chart.title = "Pairs";
  chart.series = {{"pairs", ChartSeries::Mark::line, {0, 1, 2}, {1, 4, 2}, false, {}}};
  return {begun_run(folder),
          StageStarted{"train", "a_network", 4, "batches"},
          StageProgress{"train", 2, 4, 1.5, "epoch 1/2"},
          Scalar{"loss", 0, 0.7},
          Scalar{"loss", 1, 0.4},
          Notice{"Something that one should know."},
          SpecimenLeftOut{"bone-3", "surface", "there is no bone in it"},
          StageFinished{"train", 2.5, 1, 0, "1 model", "it is new"},
          Picture{"X-rays", "bone-1", at::full({8, 8}, 128, at::kByte), {}},
          SurfacePair{"bone-1", bone, bone, at::zeros({bone.vertices.size(0)})},
          chart,
          pictured_map(6),
          Results{{rate_of(50), rate_of(75)}},
          RunFinished{"complete", 12.5, ""}};
}

/// What a run may say when all goes wrong: undefined figures, empty charts, an end without a result.
std::vector<Event> poor_events(const fs::path& folder) {
  MetricValue undefined;
  undefined.table = "identity, rank-1";
  undefined.row = "fingerprint";
  undefined.note = "there is no bone";
  return {begun_run(folder),
          StageStarted{"render", "", 0, ""},
          StageProgress{"render", 0, 0, -1, ""},
          Scalar{"loss", 0, kNoNumber},
          Scalar{"loss", 1, std::numeric_limits<double>::infinity()},
          Notice{""},
          Picture{"X-rays", "<b>\"&\n", at::zeros({1, 1}, at::kByte), {}},
          Chart{},
          pictured_map(0),
          Results{{undefined}},
          Results{{}},
          RunFinished{"failed", 0, "there is no space left on the disk"}};
}

void report_all(Reporter& reporter, const std::vector<Event>& events) {
  for (const Event& event : events) reporter.report(event);
}

/// A run as the host has it: `runs/NAME`, made before it is told of.
fs::path run_folder(const Workroom& room) {
  const fs::path folder = room.file("runs") / "contract-0";
  fs::create_directories(folder);
  return folder;
}

/// While it lives, the working folder is the room: a reporter that was told of no folder may write into that.
class Within {
 public:
  explicit Within(const Workroom& room) : before_(fs::current_path()) { fs::current_path(room.file("")); }
  Within(const Within&) = delete;
  Within& operator=(const Within&) = delete;
  ~Within() {
    std::error_code ignored;
    fs::current_path(before_, ignored);
  }

 private:
  fs::path before_;
};

/// One of a run's reporters, from the first event to the last.
class ReporterInUse final : public Subject {
 public:
  ReporterInUse(const Candidate& candidate, const Parameters& values) : candidate_(&candidate), values_(values) {}
  std::string use(int /*input*/) override {
    const Workroom room;
    const auto reporter = candidate_->make<Reporter>(values_);
    report_all(*reporter, events_of_run(run_folder(room)));
    return "";
  }

 private:
  const Candidate* candidate_;
  Parameters values_;
};

std::unique_ptr<Subject> reporter_subject(const Candidate& candidate, const Parameters& values,
                                          std::uint64_t /*seed*/) {
  (void)candidate.make<Reporter>(values);
  return std::make_unique<ReporterInUse>(candidate, values);
}

std::string reporter_outputs(const Candidate& candidate) {
  const Workroom room;
  const auto reporter = candidate.make<Reporter>();
  const std::vector<Event> events = events_of_run(run_folder(room));
  report_all(*reporter, events);
  const auto& picture = std::get<Picture>(events[8]);
  expect(picture.image.equal(at::full({8, 8}, 128, at::kByte)), "a picture", "to be left as it is",
         "that it has written into it");
  std::int64_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(room.file("runs")))
    files += entry.is_regular_file() ? 1 : 0;
  return text(events.size(), " events of a run; ", files, " files in its folder");
}

std::string reporter_degenerate(const Candidate& candidate) {
  const Workroom room;
  const Within within(room);
  (void)answers_or_refuses("a run that fails without a figure",
                           [&] { report_all(*candidate.make<Reporter>(), poor_events(run_folder(room))); });
  (void)answers_or_refuses("an end without a beginning", [&] {
    candidate.make<Reporter>()->report(RunFinished{"failed", 0, "it could not begin"});
  });
  (void)answers_or_refuses("a run without an end", [&] {
    std::vector<Event> events = events_of_run(run_folder(room));
    events.pop_back();
    report_all(*candidate.make<Reporter>(), events);
  });
  (void)answers_or_refuses("a folder that cannot be written", [&] {
    report_all(*candidate.make<Reporter>(), events_of_run("/dev/null/runs/contract-0"));
  });
  return "undefined figures, empty charts, no beginning, no end and no folder: taken, or refused in words";
}

constexpr const char* kNothingAnswered = "it answers nothing that could be compared";

}  // namespace

KindContract reporter_contract() {
  return {reporter_subject,   reporter_outputs, reporter_degenerate, nothing_declared_of_threads,
          nothing_is_trained, nothing_is_kept,  kNothingAnswered};
}

}  // namespace osteon::contract
