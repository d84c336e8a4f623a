#pragma once

// Folders as runs leave them behind, with figures that are chosen.

#include "pipeline/command.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>
#include <osteon/metric.hpp>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace osteon::test {

/// A figure of which each person adds one bone.
inline MetricValue mean_figure(const std::string& table, const std::string& column, const std::vector<double>& people,
                               const std::string& unit = "mm", bool larger_is_better = false) {
  MetricValue value;
  value.table = table;
  value.row = "fingerprint";
  value.column = column;
  value.unit = unit;
  value.larger_is_better = larger_is_better;
  value.counted = "bones";
  value.count = std::ssize(people);
  value.value = 0;
  for (std::size_t p = 0; p < people.size(); ++p) {
    value.people.push_back({text("person ", p < 10 ? "0" : "", p), people[p], 1});
    value.value += people[p] / static_cast<double>(people.size());
  }
  return value;
}

/// How many bones are right, of people who each have one; below 12 people as metrics write it ("of 3").
inline MetricValue recognised(const std::vector<double>& percent) {
  MetricValue value = mean_figure("identity, rank-1", "never trained on", percent, "%", true);
  if (percent.size() >= 12) return value;
  value.unit = text("of ", percent.size());
  value.value *= static_cast<double>(percent.size()) / 100;
  return value;
}

inline nlohmann::json json_of(const MetricValue& value) {
  nlohmann::json people = nlohmann::json::object();
  for (const PersonPart& part : value.people) people[part.person] = {part.sum, part.count};
  nlohmann::json number = std::isfinite(value.value) ? nlohmann::json(value.value) : nlohmann::json(nullptr);
  return {{"table", value.table},   {"row", value.row},
          {"column", value.column}, {"value", number},
          {"unit", value.unit},     {"larger_is_better", value.larger_is_better},
          {"count", value.count},   {"is_baseline", value.is_baseline},
          {"people", people},       {"counted", value.counted},
          {"interval", nullptr},    {"note", value.note}};
}

/// What an experiment.toml says beside the seed.
inline std::string experiment(const std::string& loss = "plugin = \"triplet\"\nmargin = 0.1",
                              const std::string& more = "") {
  return "[source]\nplugin = \"phantom\"\nseed = 1\n\n[loss]\n" + loss + "\n\n" + more;
}

/// Writes a finished run.
inline void write_run(const fs::path& folder, int seed, const std::string& parameters,
                      const std::vector<MetricValue>& values, const std::string& status = "complete") {
  fs::create_directories(folder);
  nlohmann::json list = nlohmann::json::array();
  for (const MetricValue& value : values) list.push_back(json_of(value));
  write_file(folder / "status", status + "\n");
  write_file(folder / "experiment.toml",
             text("title = \"A run\"\nrepeats = 1\n\n[training]\nepochs = 6\nseed = ", seed, "\n\n", parameters));
  write_file(folder / "metrics.json", nlohmann::json({{"status", status}, {"values", list}}).dump());
  write_file(folder / "environment.json", R"({"command": "osteon run a.toml", "LibTorch": "1.13.0"})");
}

/// The message of the `Error` that `action` must throw.
inline std::string refusal(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was refused";
}

}  // namespace osteon::test
