#pragma once

// What the tests of the reporters share: plugins through the host, folders that go away, captured output.

#include "host/handles.hpp"

#include <osteon/files.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
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

}  // namespace osteon
