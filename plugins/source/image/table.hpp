#pragma once

// The table that says what each image is: a CSV file with a row of names on top.

#include <osteon/specimen.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace osteon::image {

struct TableRow {
  std::string file;  ///< relative to the folder of the images
  std::string subject;
  Side side = Side::unknown;
  std::string id;       ///< "" where the table has no such column
  int acquisition = 0;  ///< from 0
  std::string where;    ///< "subjects.csv:3", for messages
};

/// Columns file, subject and side, and if wanted id and acquisition, in any order; side is left, right, l, r or empty.
/// Fields may stand in double quotes. Throws `Error` with file and line for anything else.
[[nodiscard]] std::vector<TableRow> read_table(const std::filesystem::path& file);

}  // namespace osteon::image
