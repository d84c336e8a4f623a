// The table beside a folder of images.

#include "harness.hpp"

#include "itk/subject_table.hpp"

namespace osteon::fuzz {
namespace {

std::string read_table(std::string_view bytes) {
  const std::filesystem::path file = put("subjects.csv", bytes);
  return message_of([&] {
    for (const table::Line& line : table::read(file, {"file", "subject"}, "file, subject and side"))
      (void)line.field("side");
  });
}

const Registered kTable("table", read_table);

}  // namespace
}  // namespace osteon::fuzz
