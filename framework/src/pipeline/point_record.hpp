#pragma once

// What a run's folder remembers of how its figures came about, so that the same point of a sweep is known to be done
// without a process of its own: everything that they depend on, and the files that tell them.

#include "pipeline/stages.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace osteon::pipeline {

/// In a run's folder, only when the run is complete.
inline constexpr const char* kRecordFile = "record.json";

/// All that the figures of a point depend on, as text: the resolved experiment with its paths, the host's and every
/// plugin's build, threads, precision and device, and the content of weights and of the source's files.
using PointInputs = std::map<std::string, std::string>;

/// Works out the inputs of points, what they share only once.
class InputReader {
 public:
  explicit InputReader(host::Registry& registry) : registry_(registry) {}

  /// All but the source's files. Throws `Error` when a plugin or the weights' file is gone.
  [[nodiscard]] PointInputs read(const config::Experiment& experiment);
  /// The whole; `listing` is the cohort's `listing_digest`.
  [[nodiscard]] static PointInputs with_source(PointInputs inputs, const std::string& listing);

 private:
  host::Registry& registry_;
  std::map<std::string, std::string> weights_;  ///< content by path and key
};

/// Waits until no other process runs in the folder (a point may outlive its killed sweep), and says so where it must.
[[nodiscard]] store::Lock take_turn(const std::filesystem::path& folder);

/// Takes the record away: from now on the folder is that of a run that is not complete.
void forget_point(const std::filesystem::path& folder);

/// Writes the record of a complete run. Every file that its folder holds now belongs to it.
void remember_point(const std::filesystem::path& folder, const PointInputs& inputs);

/// Whether the folder holds the complete run of exactly these inputs: its files are there, unchanged in size (the
/// figures in content), and so are its artifacts in the store.
[[nodiscard]] bool is_up_to_date(const std::filesystem::path& folder, const PointInputs& inputs,
                                 const store::Store& store);

/// The keys of the artifacts that the run of a folder used; none when it says nothing of them.
[[nodiscard]] std::vector<std::string> artifacts_of(const std::filesystem::path& folder);

}  // namespace osteon::pipeline
