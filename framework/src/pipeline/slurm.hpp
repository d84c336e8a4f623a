#pragma once

// A sweep as a job array of Slurm: what [slurm] of an experiment file says, and the scripts that sbatch takes.

#include <osteon/parameters.hpp>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace osteon::pipeline {

/// [slurm]: nothing of it is part of a key, so that a run that moves to another partition is still the same run.
[[nodiscard]] Schema slurm_schema();

/// What [slurm] asks for as words of sbatch: "--partition=gpu", "--mem=16000M", …. Throws `Error` for a line break.
[[nodiscard]] std::vector<std::string> resource_words(const Parameters& slurm);

/// Ascending numbers as sbatch's --array takes them: "1-4,7,9-12".
[[nodiscard]] std::string array_text(const std::vector<std::size_t>& numbers);

/// The points that one job array runs.
struct ArrayPart {
  std::size_t offset = 0;            ///< a point's number is its array index plus this
  std::string folder = "%2a";        ///< the point's folder, where %na is the array index in n digits
  std::vector<std::size_t> indices;  ///< of the array, ascending
};

/// Splits points (numbers from 1, ascending) into arrays whose indices stay below the cluster's MaxArraySize. Throws
/// `Error` where that allows no useful array.
[[nodiscard]] std::vector<ArrayPart> array_parts(const std::vector<std::size_t>& numbers, std::size_t max_array_size);

struct JobScript {
  std::string comment;                                           ///< one line
  std::vector<std::string> words;                                ///< of sbatch, one a line
  std::vector<std::pair<std::string, std::string>> environment;  ///< set for the command
  std::string command;                                           ///< as the shell reads it
};

[[nodiscard]] std::string script_text(const JobScript& script);

/// A word as the shell takes it: 'it'\''s'.
[[nodiscard]] std::string shell_word(const std::string& word);

/// A path as sbatch's --output takes it, where % has a meaning.
[[nodiscard]] std::string output_pattern(const std::filesystem::path& path);

}  // namespace osteon::pipeline
