#pragma once

// Plugins of the tree, loaded through the host.

#include "host/handles.hpp"

#include <filesystem>
#include <map>
#include <string>

namespace osteon {

using Given = std::map<std::string, ParameterValue>;

inline host::Registry& registry() {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  return registry;
}

template <class Handle>
Handle made(const char* kind, const char* name, const Given& given) {
  const auto& plugin = registry().find(kind, name);
  return Handle(plugin, Parameters(plugin.schema, given));
}

template <class Body>
std::string complaint(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no complaint";
}

}  // namespace osteon
