#pragma once

// The table that says what each picture is: a CSV file with a row of names on top.

#include <osteon/specimen.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace osteon::radiographs {

struct Row {
  std::string file;  ///< relative to the folder of the pictures
  std::string subject;
  Side side = Side::unknown;
  bool is_ap = true;    ///< else ML
  double spacing = 0;   ///< mm; 0 where the table gives none
  int acquisition = 1;  ///< from 1
  std::string where;    ///< "xrays.csv:3", for messages
};

/// Columns file, subject, side, view and spacing, and if wanted acquisition, in any order. Fields may stand in double
/// quotes. Throws `Error` with file and line for anything else.
[[nodiscard]] std::vector<Row> read_table(const std::filesystem::path& file);

}  // namespace osteon::radiographs
