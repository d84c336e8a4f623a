// An experiment file, as `osteon check` reads it: parsed, laid over what it extends, its sweep expanded and every point
// held against the declarations of all sections and plugins.

#include "harness.hpp"

#include "config/experiment.hpp"

namespace osteon::pipeline {
config::Sections sections();  // of pipeline/runner.hpp, which would bring LibTorch's headers
}

namespace osteon::fuzz {
namespace {

std::string read_toml(std::string_view bytes) {
  static const config::Sections sections = pipeline::sections();
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  static const std::filesystem::path base =
      put("base.toml", "title = \"base\"\n[source]\nplugin = \"phantom\"\n[surface]\nplugin = \"isosurface\"\n");
  const std::filesystem::path file = put("experiment.toml", bytes);
  return message_of([&] {
    const config::Plan plan = config::load({file, {}, {}}, sections, registry);
    (void)plan.base.to_toml();
    (void)plan.points.at(0).experiment.digest();
  });
}

const Registered kToml("toml", read_toml);

}  // namespace
}  // namespace osteon::fuzz
