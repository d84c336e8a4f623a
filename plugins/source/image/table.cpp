#include "table.hpp"

#include "itk/subject_table.hpp"

namespace osteon::image {

std::vector<TableRow> read_table(const std::filesystem::path& file) {
  std::vector<TableRow> rows;
  for (const table::Line& line : table::read(file, {"file", "subject", "side"}, "file, subject and side"))
    rows.push_back({line.file, line.subject, line.side, line.field("id"), line.acquisition - 1, line.where});
  return rows;
}

}  // namespace osteon::image
