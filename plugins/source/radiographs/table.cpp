#include "table.hpp"

#include "itk/subject_table.hpp"

#include <osteon/error.hpp>

namespace osteon::radiographs {

std::vector<Row> read_table(const std::filesystem::path& file) {
  std::vector<Row> rows;
  for (const table::Line& line :
       table::read(file, {"file", "subject", "side", "view", "spacing"}, "file, subject, side, view and spacing")) {
    const std::string view = table::lower(line.field("view")), spacing = line.field("spacing");
    if (view != "ap" && view != "ml")
      throw Error(text(line.where, ": view is \"", line.field("view"), "\"; it must be ap or ml"));
    Row row{line.file, line.subject, line.side, view == "ap", 0, line.acquisition, line.where};
    if (!spacing.empty() && (!table::reads_as(spacing, row.spacing) || !(row.spacing > 0) || row.spacing > 100))
      throw Error(text(line.where, ": spacing is \"", spacing, "\"; it must be mm above 0, or empty"));
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace osteon::radiographs
