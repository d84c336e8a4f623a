#pragma once

// What the tests of the reporters share: plugins through the host, folders that go away, captured output.

#include "host/handles.hpp"

#include <osteon/files.hpp>

#include <ATen/Functions.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <string>

namespace osteon {

inline host::ReporterHandle make_reporter(const std::string& name,
                                          const std::map<std::string, ParameterValue>& given = {}) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("reporter", name);
  return {plugin, Parameters(plugin.schema, given)};
}

class Scratch {
 public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "osteon-reporter-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw failure("cannot make a folder for a test");
    path_ = name;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Standard output goes to `descriptor` while this lives.
class Redirected {
 public:
  explicit Redirected(int descriptor) {
    std::fflush(stdout);
    saved_ = ::dup(STDOUT_FILENO);
    ::dup2(descriptor, STDOUT_FILENO);
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;
  ~Redirected() {
    std::fflush(stdout);
    ::dup2(saved_, STDOUT_FILENO);
    ::close(saved_);
  }

 private:
  int saved_;
};

/// One figure with the fields that most tests set.
inline MetricValue figure(const std::string& table, const std::string& row, const std::string& column, double value,
                          const std::string& unit, bool is_baseline = false) {
  MetricValue made;
  made.table = table;
  made.row = row;
  made.column = column;
  made.value = value;
  made.unit = unit;
  made.is_baseline = is_baseline;
  return made;
}

/// A line with a gap and texts, and a quieter cloud of points, on a logarithmic axis with a guide.
inline Chart chart(const std::string& title) {
  Chart made{"Pairwise separation", title, "distance, mm", "share \"of\" pairs", {}, {}, true, "a <note>"};
  made.series.push_back({"same, bone",
                         ChartSeries::Mark::line,
                         {0.1, 0.25, 1.0 / 3},
                         {1, std::numeric_limits<double>::quiet_NaN(), 2},
                         false,
                         {"first", "gap", "third"}});
  made.series.push_back({"others", ChartSeries::Mark::points, {4}, {5}, true, {}});
  made.guides.push_back({"margin", 0.2});
  return made;
}

/// Two images: bone "p01, left", never trained on, and "p02", trained on.
inline PicturedMap map(const std::string& title) {
  PicturedMap made;
  made.map = {title, "perplexity 30", at::tensor(std::vector<std::int64_t>{17, 4}, at::kLong),
              at::tensor(std::vector<float>{0.5F, -1.25F, 3, 1e-3F}).reshape({2, 2})};
  made.thumbnails = at::full({2, 4, 4}, 100, at::kByte);
  made.bones = {"p01, left", "p02"};
  made.held_out = {true, false};
  made.roles = {"query", "training"};
  made.rows.resize(2);
  made.rows[0].pose = 3;
  made.rows[0].axial = -21;
  made.rows[0].tilt = 2.5;
  made.rows[0].in_plane = 10;
  made.rows[0].energy = 60;
  return made;
}

}  // namespace osteon
