#pragma once

// Evidence of held-out bones with given surfaces, for the metrics of shape, and their figures.

#include "loaded.hpp"
#include "solids.hpp"

#include <osteon/error.hpp>

#include <cmath>

namespace osteon {

using Contents = Evidence::Contents;

inline Contents evidence_of(const std::vector<Mesh>& gallery, const std::vector<Mesh>& truths) {
  Contents contents;
  const auto add = [&](const std::string& id, bool held_out) {
    contents.bones.push_back({id, "person of " + id, Side::right, held_out});
    return static_cast<std::int64_t>(contents.bones.size()) - 1;
  };
  for (std::size_t g = 0; g < gallery.size(); ++g) contents.shapes.gallery_bones.push_back(add(text("g", g), false));
  contents.shapes.gallery = gallery;
  for (std::size_t c = 0; c < truths.size(); ++c) {
    ShapeCase one;
    one.bone = add(text("h", c), true);
    one.truth = truths[c];
    for (std::size_t g = 0; g < gallery.size(); ++g) one.candidates.push_back(static_cast<std::int64_t>(g));
    contents.shapes.cases.push_back(one);
  }
  return contents;
}

inline ShapeCase::Answer free_answer(const std::string& estimator, const Mesh& mesh) {
  ShapeCase::Answer answer;
  answer.estimator = estimator;
  answer.together.mesh = mesh;
  return answer;
}

inline ShapeCase::Answer chosen(const std::string& estimator, const Contents& contents, std::int64_t bone) {
  ShapeCase::Answer answer = free_answer(estimator, contents.shapes.gallery[static_cast<std::size_t>(bone)]);
  answer.together.chosen = bone;
  return answer;
}

/// The figure of a row and column, of any table or of the named one.
inline const MetricValue* find(const MetricResult& result, const std::string& row, const std::string& column,
                               const std::string& table = {}) {
  for (const MetricValue& value : result.values)
    if (value.row == row && value.column == column && (table.empty() || value.table == table)) return &value;
  return nullptr;
}

inline double figure(const MetricResult& result, const std::string& row, const std::string& column,
                     const std::string& table = {}) {
  const MetricValue* value = find(result, row, column, table);
  return value == nullptr ? std::nan("") : value->value;
}

}  // namespace osteon
