// Loads, and fails when it is made.
#include <osteon/plugin.hpp>
#include <stdexcept>
namespace {
class Throwing final : public osteon::Plugin {
 public:
  explicit Throwing(const osteon::Parameters& /*parameters*/) {
    throw std::runtime_error("the table of weights is missing");
  }
  static osteon::Schema schema() { return {"A broken plugin for the tests of the host", {}}; }
};
}  // namespace
OSTEON_PLUGIN(loss, factory_throws, "0.1.0", Throwing)
