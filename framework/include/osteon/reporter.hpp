#pragma once

#include <osteon/metric.hpp>
#include <osteon/plugin.hpp>

#include <filesystem>
#include <map>
#include <string>
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

struct RunFinished {
  std::string status;  ///< "complete", "stopped", "failed"
  double seconds;
  std::string message;  ///< what stopped it, and the command that goes on
};

using Event = std::variant<RunStarted, StageStarted, StageProgress, StageFinished, SpecimenLeftOut, Notice, Scalar,
                           Picture, SurfacePair, Chart, PicturedMap, Results, RunFinished>;

/// Events → somewhere a person looks. Called from one thread, in order.
class OSTEON_API Reporter : public Plugin {
 public:
  ~Reporter() override;

  virtual void report(const Event& event) = 0;
};

/// A value as every reporter prints it: "98.1 %", "0.88 mm", "undefined (one bone)".
OSTEON_API std::string to_text(const MetricValue& value);

}  // namespace osteon
