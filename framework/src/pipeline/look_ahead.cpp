#include "pipeline/look_ahead.hpp"

#include "imaging/film.hpp"
#include "imaging/views.hpp"
#include "pipeline/earlier_runs.hpp"
#include "pipeline/settings_groups.hpp"
#include "pipeline/split.hpp"
#include "pipeline/sweep_run.hpp"
#include "store/layout.hpp"
#include "store/quota.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <map>
#include <numeric>

#include <stdlib.h>

namespace osteon::pipeline {

namespace fs = std::filesystem;

namespace {

/// More settings of the images than this are not looked up in the store one by one.
constexpr std::size_t kMostLooks = 64;

/// What the source of some points lists, with what the store has of it.
struct SourceLook {
  bool is_right = false;
  Cohort cohort;
  Records records;
  std::string listing;
};

class Looker {
 public:
  Looker(const config::Plan& plan, const fs::path& folder, host::Registry& registry, store::Store& store)
      : plan_(plan), folder_(folder), registry_(registry), store_(store), inputs_(registry) {}

  Outlook look() {
    std::set<std::string> done_trainings, needed_trainings;
    const bool is_sweep = plan_.points.size() > 1;
    for (std::size_t i = 0; i < plan_.points.size(); ++i) {
      const config::Experiment& experiment = plan_.points[i].experiment;
      outlook_.is_done.push_back(is_sweep && is_done(experiment, point_folder(folder_, i)));
      std::set<std::string>& trainings = outlook_.is_done.back() ? done_trainings : needed_trainings;
      if (trainings.insert(groups_.training(experiment)).second && !outlook_.is_done.back()) look_at_images(experiment);
    }
    for (const std::string& training : needed_trainings)
      if (!done_trainings.contains(training)) outlook_.trainings += folds_;
    if (looked_.size() > kMostLooks) outlook_.stages.clear();
    count_disk(std::ranges::count(outlook_.is_done, false));
    return std::move(outlook_);
  }

 private:
  bool is_done(const config::Experiment& experiment, const fs::path& folder) {
    std::error_code ignored;
    if (!fs::exists(folder / kRecordFile, ignored)) return false;
    const SourceLook& source = look_at_source(experiment);
    if (!source.is_right) return false;
    try {
      return is_up_to_date(folder, InputReader::with_source(inputs_.read(experiment), source.listing), store_);
    } catch (const Error&) {
      return false;  // the run will say what is wrong
    }
  }

  const SourceLook& look_at_source(const config::Experiment& experiment) {
    const auto [look, is_new] = sources_.try_emplace(groups_.source(experiment));
    if (!is_new) return look->second;
    SourceLook& source = look->second;
    const RunContext run{experiment, registry_, store_, none_, training::Group::alone(), true};
    try {
      source.cohort = make_volumes(run, source.records);
      source.listing = listing_digest(source.cohort);
      source.is_right = source.cohort.left_out.empty();
    } catch (const Error&) {
      source.cohort = {};
    }
    return source;
  }

  /// The stages that make the images of a point, once for all points that have them alike.
  void look_at_images(const config::Experiment& experiment) {
    folds_ = experiment.sections.at("split").integer("folds");
    if (!looked_.insert(groups_.images(experiment)).second) return;
    const SourceLook& source = look_at_source(experiment);
    Cohort cohort = source.cohort;
    if (cohort.scans.empty()) return;
    Records records = source.records;
    if (looked_.size() <= kMostLooks) try {
        const RunContext run{experiment, registry_, store_, none_, training::Group::alone(), true};
        make_surfaces(run, cohort, records);
        make_images(run, cohort, records);
        make_network_input(run, cohort, records);
      } catch (const Error&) {
        return;  // the run will say what is wrong
      }
    for (const StageRecord& record : records) {
      auto stage = std::ranges::find(outlook_.stages, record.stage, &StageNeed::stage);
      if (stage == outlook_.stages.end()) stage = outlook_.stages.insert(outlook_.stages.end(), {record.stage, {}, {}});
      stage->stored.insert(record.artifacts.begin(), record.artifacts.end());
      stage->lacking.insert(record.lacking.begin(), record.lacking.end());
    }
    count_images(experiment, cohort);
  }

  /// Bytes of the X-rays that the store lacks, and how many X-rays a point has.
  void count_images(const config::Experiment& experiment, const Cohort& cohort) {
    const auto& sections = experiment.sections;
    const Parameters& views = sections.at("views");
    const std::int64_t height = views.integer("height"), width = height / 2 * 2;
    const auto energies = std::ssize(imaging::Film(sections.at("film")).energies());
    const auto gallery = std::ssize(imaging::gallery_poses(views)),
               queries = std::ssize(imaging::query_poses(views, 0, ""));
    images_ = 0;
    for (const Scan& scan : cohort.scans) {
      const bool is_gallery = is_gallery_scan(sections.at("split"), cohort.specimens[scan.specimen], scan.acquisition);
      const std::int64_t images = (is_gallery ? gallery : queries) * (scan.has_volume ? energies : 1);
      const auto bytes = static_cast<std::uint64_t>(images * height * width);
      images_ += images;
      if (scan.images.key.empty() || !store_.contains(scan.images.key)) xray_bytes_ += bytes;
      if (!scan.network_input.key.empty() && !store_.contains(scan.network_input.key)) xray_bytes_ += bytes;
    }
    const Parameters& head = sections.at("head");
    const bool is_known = head.integer("pairs") > 0 || head.flag("whitening");
    fingerprint_bytes_ =
        is_known ? static_cast<std::uint64_t>(images_ * head.integer("dimensions")) * sizeof(float) : 0;
  }

  void count_disk(std::int64_t to_do) {
    DiskNeed& disk = outlook_.disk;
    const auto add = [&](const std::string& what, std::uint64_t bytes) {
      if (bytes > 0) disk.parts.emplace_back(what, bytes);
    };
    add("X-rays", xray_bytes_);
    for (const StageNeed& stage : outlook_.stages) {
      if (stage.lacking.empty() || (stage.stage != "source" && stage.stage != "surface")) continue;
      const std::string name = stage.stage == "source" ? "volumes" : "surfaces";
      if (stage.stored.empty()) {
        disk.unknown.push_back(name);
      } else {
        add(name, mean_bytes(stage.stored) * stage.lacking.size());
      }
    }
    if (to_do == 0) return;
    const EarlierRuns earlier = earlier_runs(folder_, store_);
    outlook_.seconds = seconds_of(earlier, to_do);
    if (const auto each = earlier.bytes.value()) {
      add("networks and fingerprints", static_cast<std::uint64_t>(*each * static_cast<double>(to_do)));
    } else {
      add("fingerprints", fingerprint_bytes_ * static_cast<std::uint64_t>(outlook_.trainings + 1));
      disk.unknown.emplace_back("networks");
    }
  }

  [[nodiscard]] std::uint64_t mean_bytes(const std::set<std::string>& keys) const {
    constexpr std::uint64_t kMostWeighed = 16;
    std::uint64_t bytes = 0, weighed = 0;
    for (const std::string& key : keys) {
      if (weighed == kMostWeighed) break;
      bytes += store::bytes_below(store::artifact_folder(store_.root(), key));
      ++weighed;
    }
    return weighed == 0 ? 0 : bytes / weighed;
  }

  /// One after another; nothing when no earlier run has trained.
  [[nodiscard]] std::optional<double> seconds_of(const EarlierRuns& earlier, std::int64_t to_do) const {
    if (outlook_.trainings > 0 && !earlier.seconds.contains("train")) return std::nullopt;
    double sum = 0;
    for (const auto& [stage, mean] : earlier.seconds) {
      std::int64_t times = stage == "train" ? outlook_.trainings : to_do;
      if (is_shared_stage(stage)) {
        const auto need = std::ranges::find(outlook_.stages, stage, &StageNeed::stage);
        times = need == outlook_.stages.end() ? 0 : std::ssize(need->lacking);
      }
      sum += *mean.value() * static_cast<double>(times);
    }
    return sum;
  }

  const config::Plan& plan_;
  const fs::path& folder_;
  host::Registry& registry_;
  store::Store& store_;
  InputReader inputs_;
  SettingsGroups groups_;
  Reporters none_;
  Outlook outlook_;
  std::map<std::string, SourceLook> sources_;  ///< by their group
  std::set<std::string> looked_;               ///< groups of images
  std::int64_t folds_ = 1, images_ = 0;
  std::uint64_t xray_bytes_ = 0, fingerprint_bytes_ = 0;
};

}  // namespace

std::uint64_t DiskNeed::bytes() const {
  return std::accumulate(parts.begin(), parts.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const auto& part) { return sum + part.second; });
}

std::int64_t Outlook::to_do() const { return std::ranges::count(is_done, false); }

Outlook look_ahead(const config::Plan& plan, const fs::path& folder, host::Registry& registry, store::Store& store,
                   std::int64_t jobs) {
  Outlook outlook = Looker(plan, folder, registry, store).look();
  const std::int64_t at_once = std::clamp<std::int64_t>(outlook.to_do(), 1, jobs);
  if (outlook.seconds) *outlook.seconds /= static_cast<double>(at_once);
  return outlook;
}

Outlook look_ahead(const config::Plan& plan, const fs::path& folder, host::Registry& registry) {
  if (const fs::path root = store::Store::standard_root(); fs::is_directory(root)) {
    store::Store store(root);
    return look_ahead(plan, folder, registry, store, 1);
  }
  // A source wants a store's secret, so it gets one of a store that is gone afterwards.
  std::string root = (fs::temp_directory_path() / "osteon-empty-store-XXXXXX").string();
  if (::mkdtemp(root.data()) == nullptr) throw failure(root + ": cannot make the folder");
  struct Removed {
    const std::string& path;
    ~Removed() {
      std::error_code ignored;
      fs::remove_all(path, ignored);
    }
  } const removed{root};
  store::Store store{fs::path(root)};
  return look_ahead(plan, folder, registry, store, 1);
}

}  // namespace osteon::pipeline
