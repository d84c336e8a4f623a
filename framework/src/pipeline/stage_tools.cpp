#include "pipeline/stage_tools.hpp"

#include "host/log.hpp"

#include <ATen/Functions.h>

namespace osteon::pipeline {

namespace {

void log_artifact(const store::Ingredients& ingredients, const std::string& key, const std::string& what) {
  host::log(host::LogLevel::debug, text(ingredients.stage, " of ", ingredients.subject, ", ", key, ": ", what));
}

}  // namespace

Stored find_or_make(const RunContext& run, const store::Ingredients& ingredients, StageReport& report,
                    const std::function<store::Artifact()>& make) {
  const std::string key = ingredients.key();
  if (run.looks_only) {
    const auto digest = run.store.digest(key);
    if (digest) report.reused(key);
    if (!digest) report.lacks(key);
    return {key, digest.value_or("to be made: " + key)};
  }
  if (const auto digest = run.store.use(key)) {
    report.reused(key);
    log_artifact(ingredients, key, "found");
    return {key, *digest};
  }
  if (!run.group.is_first())
    throw Error(text(ingredients.stage, " of ", ingredients.subject, ": rank 0 has not made it"));
  const store::Lock lock = run.store.lock(key);
  if (const auto digest = run.store.digest(key)) {
    report.reused(key);
    log_artifact(ingredients, key, "another process made it");
    return {key, *digest};
  }
  const std::string reason = run.store.why(ingredients);
  log_artifact(ingredients, key, reason.empty() ? "making it" : "making it: " + reason);
  const store::Artifact artifact = make();
  Stored stored{key, run.store.put(ingredients, artifact)};
  report.made(key, reason);
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

std::vector<std::int64_t> as_vector(const at::Tensor& rows) {
  return {rows.data_ptr<std::int64_t>(), rows.data_ptr<std::int64_t>() + rows.numel()};
}

at::Tensor raw_pixels(const training::Pixels& pixels, const NetworkInput& input) {
  constexpr std::int64_t kRows = 96, kChunk = 512;
  const std::int64_t factor = (pixels.height() + kRows - 1) / kRows;
  const std::vector<std::int64_t> rows = training::every_row(pixels);
  std::vector<at::Tensor> chunks;
  for (std::size_t first = 0; first < rows.size(); first += kChunk) {
    const auto some = std::span(rows).subspan(first, std::min<std::size_t>(kChunk, rows.size() - first));
    at::Tensor chunk = as_seen(pixels.gather(some), input);
    chunk = chunk.to(at::kFloat).div(255);
    if (factor > 1) chunk = at::avg_pool2d(chunk.unsqueeze(1), factor);
    chunks.push_back(chunk.flatten(1));
  }
  return at::cat(chunks);
}

void finish(StageReport& report, Records& records, const std::string& detail) {
  report.finish(detail);
  records.push_back({report.stage(), report.reason(), report.made_count(), report.reused_count(), report.seconds(),
                     report.artifacts(), report.lacking()});
}

}  // namespace osteon::pipeline
