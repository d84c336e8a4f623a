#pragma once

#include <osteon/metric.hpp>
#include <osteon/plugin.hpp>

#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace osteon {

// What a run tells its reporters, in the order in which it happens.

/// A run (or one point of a sweep) begins.
struct RunStarted {
  std::string title;
  std::filesystem::path folder;  ///< the run's own; reporters write here
  std::string plan;              ///< one line: "12 bones · 9 train / 3 held out · 2,160 X-rays · …"
  std::string command;           ///< what the user typed, to run it again
  std::string point;             ///< of a sweep: "loss.margin = 0.1 · seed 2 of 3 (point 4 of 12)"; else ""
  std::map<std::string, std::string> environment;
  std::string experiment;  ///< the resolved experiment as TOML
};

struct StageStarted {
  std::string stage;   ///< "source", "surface", "render", "train", "embed", "evaluate"
  std::string plugin;  ///< "phantom"; may be empty
  std::int64_t total;  ///< units of work; 0 when not known
  std::string unit;    ///< "volumes", "X-rays", "batches"
};

struct StageProgress {
  std::string stage;
  std::int64_t done, total;
  double seconds_left;  ///< negative while it can't be told
  std::string detail;   ///< "epoch 4/6  loss 0.0214  active triplets 11 %"
};

struct StageFinished {
  std::string stage;
  double seconds;
  std::int64_t made, reused;  ///< artifacts
  std::string detail;         ///< "12 meshes"
  std::string reason;         ///< why it ran: "loss.margin changed 0.1 → 0.2"; "" when all was reused
};

/// A specimen that failed a stage and was left out.
struct SpecimenLeftOut {
  std::string specimen, stage, reason;
};

struct Notice {
  std::string message;
};

/// A point of a learning curve.
struct Scalar {
  std::string curve;  ///< "loss", "triplet accuracy (validation)"
  double step;        ///< epochs
  double value;
};

struct Picture {
  std::string section;  ///< "bones", "X-rays"
  std::string caption;
  at::Tensor image;  ///< uint8 `[H, W]` or `[H, W, 3]`
  /// Nothing, or what `image` is laid over, of its height and width: the X-ray under a heat map.
  at::Tensor beneath = {};
};

/// A map of embeddings with what its points show.
struct PicturedMap {
  EmbeddingMap map;
  at::Tensor thumbnails;           ///< uint8 `[n, h, w]`
  std::vector<std::string> bones;  ///< `[n]`: which bone a point shows
  std::vector<bool> held_out;      ///< `[n]`: never trained on
  std::vector<std::string> roles;  ///< `[n]`: "training", "validation", "gallery", "query"
  std::vector<ImageRow> rows;      ///< `[n]`: how the image was taken
};

struct Results {
  std::vector<MetricValue> values;
};

/// One point of a sweep.
struct SweepPoint {
  std::string name;                    ///< "loss.margin = 0.1 · seed 2 of 3 (point 4 of 12)"
  std::vector<std::string> levels;     ///< of each factor
  std::filesystem::path folder;        ///< below the sweep's: "04"
  std::string status, message;         ///< "complete", "failed", …, and why
  double seconds = 0;                  ///< that it took
  std::optional<std::size_t> setting;  ///< nothing where it has no figures
};

/// A figure of a setting, over its seeds, as `osteon compare` has it.
struct SettingFigure {
  std::size_t setting = 0;
  double mean = std::numeric_limits<double>::quiet_NaN();
  std::optional<double> difference;                   ///< from the baseline
  std::optional<std::pair<double, double>> interval;  ///< 95 %, of the difference
  std::vector<std::string> cells;                     ///< as `SweepSummary::columns` names them
  std::vector<std::string> notes;
};

struct SweepFigure {
  MetricValue figure;          ///< its table, row, column, unit and direction; no value
  std::string title;           ///< row and column, and over what it is
  std::vector<double> points;  ///< of each point; NaN where it has none
  std::vector<SettingFigure> settings;
};

/// What a sweep varied, and what came of it.
struct SweepSummary {
  std::vector<std::string> factors;  ///< "loss.margin"
  std::vector<SweepPoint> points;
  std::vector<std::string> settings;  ///< "loss.margin = 0.1": points that differ in their seeds alone
  std::size_t baseline = 0;
  std::vector<std::string> columns;  ///< "value", "difference [95 %]", …
  std::vector<SweepFigure> figures;
  std::vector<std::string> methods;  ///< how the figures were had, one sentence each
  std::vector<std::string> notices;
};

struct RunFinished {
  std::string status;  ///< "complete", "stopped", "failed"
  double seconds;
  std::string message;  ///< what stopped it, and the command that goes on
};

using Event = std::variant<RunStarted, StageStarted, StageProgress, StageFinished, SpecimenLeftOut, Notice, Scalar,
                           Picture, SurfacePair, Chart, PicturedMap, SweepSummary, Results, RunFinished>;

/// Events → somewhere a person looks. Called from one thread, in order.
class OSTEON_API Reporter : public Plugin {
 public:
  ~Reporter() override;

  virtual void report(const Event& event) = 0;
};

/// A value as every reporter prints it: "98.1 %", "0.88 mm", "undefined (one bone)".
OSTEON_API std::string to_text(const MetricValue& value);

}  // namespace osteon
