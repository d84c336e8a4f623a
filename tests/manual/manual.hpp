#pragma once

// The manual as `osteon docs` writes it, and what stands in its fenced blocks.

#include "pipeline/command.hpp"

#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace osteon::test {

/// Name → text of all pages below a folder.
inline std::map<std::string, std::string> pages_of(const fs::path& folder) {
  std::map<std::string, std::string> pages;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.path().extension() == ".md")
      pages[entry.path().lexically_relative(folder).generic_string()] = read(entry.path());
  return pages;
}

/// The fenced blocks of one language, in order, each ending with a newline.
inline std::vector<std::string> blocks_of(const std::string& page, const std::string& language) {
  std::vector<std::string> blocks;
  std::istringstream lines(page);
  bool inside = false, wanted = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) {
      wanted = !inside && line == "```" + language;
      inside = !inside;
      if (wanted) blocks.emplace_back();
    } else if (wanted) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

}  // namespace osteon::test
