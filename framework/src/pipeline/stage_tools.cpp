#include "pipeline/stage_tools.hpp"

namespace osteon::pipeline {

Stored find_or_make(const RunContext& run, const store::Ingredients& ingredients, StageReport& report,
                    const std::function<store::Artifact()>& make) {
  const std::string key = ingredients.key();
  if (const auto digest = run.store.digest(key)) {
    report.reused();
    return {key, *digest};
  }
  const store::Lock lock = run.store.lock(key);
  if (const auto digest = run.store.digest(key)) {
    report.reused();
    return {key, *digest};
  }
  const std::string reason = run.store.why(ingredients);
  const store::Artifact artifact = make();
  Stored stored{key, run.store.put(ingredients, artifact)};
  report.made(reason);
  return stored;
}

std::map<std::string, std::string> section_parts(const config::Experiment& experiment, const std::string& section) {
  std::map<std::string, std::string> parts;
  for (const auto& [name, value] : experiment.sections.at(section).canonical()) parts[section + "." + name] = value;
  return parts;
}

void merge(std::map<std::string, std::string>& parts, const std::map<std::string, std::string>& more) {
  parts.insert(more.begin(), more.end());
}

void finish(StageReport& report, Records& records, const std::string& detail) {
  report.finish(detail);
  records.push_back({report.stage(), report.reason(), report.made_count(), report.reused_count(), report.seconds()});
}

}  // namespace osteon::pipeline
