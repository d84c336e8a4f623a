#pragma once

#include <osteon/plugin.hpp>

namespace broken {

/// Implements no kind's interface.
class Nothing final : public osteon::Plugin {
 public:
  explicit Nothing(const osteon::Parameters& /*parameters*/) {}
  static osteon::Schema schema() { return {"A broken plugin for the tests of the host", {}}; }
};

}  // namespace broken
