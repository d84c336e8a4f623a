#include "pipeline/slurm.hpp"

#include <osteon/error.hpp>

#include <cmath>

namespace osteon::pipeline {

namespace {

constexpr double kSlurmMegabyte = 1 << 20;

/// A word on a line of #SBATCH, which sbatch takes apart as a shell does, without its variables.
std::string directive_word(const std::string& word) {
  if (word.find_first_of(" \t\"'\\#;") == std::string::npos) return word;
  std::string result = "\"";
  for (const char c : word) result += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return result + '"';
}

void refuse_line_break(const std::string& name, const std::string& word) {
  if (word.find_first_of("\n\r") != std::string::npos)
    throw Error(text("slurm.", name, ": has a line break; it goes into one line of a script"));
}

}  // namespace

Schema slurm_schema() {
  return {
      "Jobs of `osteon run --executor slurm`: what each point of the sweep asks the cluster for. Where a point runs "
      "is no part of the experiment: another value keeps the run's folder and all that is stored.",
      {Parameter::text("partition", "", "Partition; \"\" is the cluster's default.").not_in_key(),
       Parameter::text("account", "", "Account that the time is charged to; \"\" is the user's default.").not_in_key(),
       Parameter::text("qos", "", "Quality of service; \"\" is the cluster's default.").not_in_key(),
       Parameter::real("time", 0,
                       "Longest time of a point, in full minutes; 0 is the partition's default. A point that runs out "
                       "of it goes on where it was when it is submitted again.")
           .unit("h")
           .at_least(0)
           .not_in_key(),
       Parameter::real("memory", 0, "Memory of a point; 0 is the cluster's default.")
           .unit("GB")
           .at_least(0)
           .not_in_key(),
       Parameter::integer("cores", 0, "Cores of a point, which are its threads too; 0 is the cluster's default.")
           .at_least(0)
           .at_most(4096)
           .not_in_key(),
       Parameter::integer("gpus", 0, "GPUs of a point.").at_least(0).at_most(64).not_in_key(),
       Parameter::texts("options", {}, "More words of sbatch: [\"--constraint=a100\", \"--mail-type=END\"].")
           .not_in_key()}};
}

std::vector<std::string> resource_words(const Parameters& slurm) {
  std::vector<std::string> words;
  for (const char* name : {"partition", "account", "qos"}) {
    const std::string& value = slurm.text(name);
    refuse_line_break(name, value);
    if (!value.empty()) words.push_back(text("--", name, "=", value));
  }
  if (const double hours = slurm.real("time"); hours > 0)
    words.push_back(text("--time=", static_cast<std::int64_t>(std::ceil(hours * 60 - 1e-6))));
  if (const double memory = slurm.real("memory"); memory > 0)
    words.push_back(text("--mem=", static_cast<std::int64_t>(std::ceil(memory * 1e9 / kSlurmMegabyte)), "M"));
  if (const std::int64_t cores = slurm.integer("cores"); cores > 0) words.push_back(text("--cpus-per-task=", cores));
  if (const std::int64_t gpus = slurm.integer("gpus"); gpus > 0) words.push_back(text("--gres=gpu:", gpus));
  for (const std::string& word : slurm.texts("options")) {
    refuse_line_break("options", word);
    words.push_back(word);
  }
  return words;
}

std::string array_text(const std::vector<std::size_t>& numbers) {
  std::string result;
  for (std::size_t from = 0; from < numbers.size();) {
    std::size_t to = from;
    while (to + 1 < numbers.size() && numbers[to + 1] == numbers[to] + 1) ++to;
    result += text(result.empty() ? "" : ",", numbers[from]);
    if (to > from) result += text("-", numbers[to]);
    from = to + 1;
  }
  return result;
}

std::vector<ArrayPart> array_parts(const std::vector<std::size_t>& numbers, std::size_t max_array_size) {
  std::vector<ArrayPart> parts;
  if (numbers.empty()) return parts;
  if (numbers.back() < max_array_size) return {{0, "%2a", numbers}};
  // So many that the last digits of a point's number are its index: then sbatch itself can name the point's folder.
  std::size_t size = 1, digits = 0;
  for (; size * 10 <= max_array_size; size *= 10) ++digits;
  if (digits == 0)
    throw Error(text("this cluster takes no job arrays of more than ", max_array_size == 0 ? 0 : max_array_size - 1,
                     " jobs (MaxArraySize = ", max_array_size,
                     "); ask its administrator for more, or run without --executor slurm"));
  for (const std::size_t number : numbers) {
    const std::size_t chunk = number / size;
    if (parts.empty() || parts.back().offset != chunk * size)
      parts.push_back({chunk * size, chunk == 0 ? "%2a" : text(chunk, "%", digits, "a"), {}});
    parts.back().indices.push_back(number - chunk * size);
  }
  return parts;
}

std::string script_text(const JobScript& script) {
  std::string result = text("#!/bin/bash\n# ", script.comment, "\n");
  for (const std::string& word : script.words) result += "#SBATCH " + directive_word(word) + "\n";
  for (const auto& [name, value] : script.environment) result += text("export ", name, "=", value, "\n");
  return result + "exec " + script.command + "\n";
}

std::string shell_word(const std::string& word) {
  std::string result = "'";
  for (const char c : word) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

std::string output_pattern(const std::filesystem::path& path) {
  std::string result;
  for (const char c : path.string()) result += c == '%' ? std::string("%%") : std::string(1, c);
  return result;
}

}  // namespace osteon::pipeline
