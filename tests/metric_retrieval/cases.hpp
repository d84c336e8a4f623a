#pragma once

// What the tests of several metrics share.

#include "host/handles.hpp"
#include "host/registry.hpp"

#include <osteon/error.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <map>

namespace osteon {

inline host::MetricHandle make_metric(const char* name, const std::map<std::string, ParameterValue>& given = {}) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("metric", name);
  return {plugin, Parameters(plugin.schema, given)};
}

inline bool has(const MetricResult& result, const std::string& table, const std::string& row,
                const std::string& column) {
  for (const MetricValue& value : result.values)
    if (value.table == table && value.row == row && value.column == column) return true;
  return false;
}

inline const MetricValue& find(const MetricResult& result, const std::string& table, const std::string& row,
                               const std::string& column) {
  for (const MetricValue& value : result.values)
    if (value.table == table && value.row == row && value.column == column) return value;
  throw failure(text("no value ", table, " / ", row, " / ", column));
}

inline nlohmann::json fixture(const char* name) {
  std::ifstream in(std::filesystem::path(OSTEON_SOURCE_DIR) / "tests/metric_retrieval/fixtures" / name);
  return nlohmann::json::parse(in);
}

/// The message of the error that evaluating must throw.
inline std::string refusal(const char* metric, const Evidence::Contents& contents) {
  try {
    (void)make_metric(metric).evaluate(contents);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace osteon
