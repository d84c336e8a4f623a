#include "contract/workroom.hpp"

#include <osteon/error.hpp>

#include <cerrno>
#include <cstring>

#include <stdlib.h>

namespace osteon::contract {

Workroom::Workroom() {
  std::string pattern = (std::filesystem::temp_directory_path() / "osteon-check-XXXXXX").string();
  const char* made = ::mkdtemp(pattern.data());
  if (made == nullptr) throw failure(text("cannot make a temporary folder: ", std::strerror(errno)));
  folder_ = made;
}

Workroom::~Workroom() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace osteon::contract
