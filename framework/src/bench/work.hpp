#pragma once

// The standard work of each kind of plugin: what is timed, on which inputs, at which sizes. Inputs are made up, always
// the same, and small enough that all plugins of a kind take seconds.

#include "host/handles.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace osteon::bench {

/// A plugin with its parameters.
struct Subject {
  const host::LoadedPlugin* plugin = nullptr;
  Parameters parameters;
  std::filesystem::path scratch;  ///< a folder for the files that it reads and writes

  template <class Handle>
  [[nodiscard]] std::shared_ptr<Handle> make() const {
    return std::make_shared<Handle>(*plugin, parameters);
  }
};

/// One call at one size, with its inputs.
struct Call {
  std::function<void()> run;
  std::int64_t items = 1;             ///< that one call does
  std::int64_t amount = 1;            ///< what the time is fitted against: voxels where the size is a side
  std::function<void()> before = {};  ///< each time, untimed
};

struct Work {
  std::string name;    ///< "project"
  std::string items;   ///< what `Call::items` counts: "exposures"
  std::string amount;  ///< what `Call::amount` counts: "voxels"
  std::function<Call(std::int64_t size)> make;
};

struct StandardWork {
  std::string size;                 ///< what the sizes count, one word: "images"
  std::vector<std::int64_t> sizes;  ///< without --sizes
  std::int64_t least = 1, most = 1'000'000;
  std::vector<Work> works;
};

/// Throws `Error` where the plugin can't be made or can do nothing that is measured.
[[nodiscard]] StandardWork standard_work(const Subject& subject);

[[nodiscard]] StandardWork source_work(const Subject& subject);
[[nodiscard]] StandardWork format_work(const Subject& subject);
[[nodiscard]] StandardWork surface_work(const Subject& subject);
[[nodiscard]] StandardWork renderer_work(const Subject& subject);
[[nodiscard]] StandardWork backbone_work(const Subject& subject);
[[nodiscard]] StandardWork loss_work(const Subject& subject);
[[nodiscard]] StandardWork classifier_work(const Subject& subject);
[[nodiscard]] StandardWork shape_work(const Subject& subject);
[[nodiscard]] StandardWork metric_work(const Subject& subject);
[[nodiscard]] StandardWork reporter_work(const Subject& subject);

}  // namespace osteon::bench
