#pragma once

#include <filesystem>

namespace osteon::contract {

/// A fresh folder, removed at the end.
class Workroom {
 public:
  Workroom();
  Workroom(const Workroom&) = delete;
  Workroom& operator=(const Workroom&) = delete;
  ~Workroom();
  [[nodiscard]] std::filesystem::path file(const std::filesystem::path& name) const { return folder_ / name; }

 private:
  std::filesystem::path folder_;
};

}  // namespace osteon::contract
