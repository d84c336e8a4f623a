#include "bench/parameters.hpp"

#include "config/assemble.hpp"
#include "config/check.hpp"

namespace osteon::bench {

Parameters plugin_parameters(const host::LoadedPlugin& plugin, std::span<const std::string> words,
                             host::Registry& registry) {
  config::Mistakes mistakes;
  config::Value table;
  const std::string prefix = text(plugin.descriptor->kind, ".");
  int rank = 0;
  for (const std::string& word : words) {
    auto source = std::make_shared<config::Source>();
    source->name = "--set " + word;
    source->folder = std::filesystem::current_path();
    source->rank = rank++;
    const config::Place place{source, 0, 0, 1};
    const std::size_t sign = word.find('=');
    if (sign == std::string::npos || sign == 0) {
      mistakes.add(place, "must be NAME=VALUE, e.g. --set margin=0.2");
      continue;
    }
    std::string name = word.substr(0, sign);
    if (name.starts_with(prefix)) name = name.substr(prefix.size());
    try {
      config::put(table, name, place, config::parse_override(word.substr(sign + 1), source));
    } catch (const config::SyntaxError& error) {
      mistakes.add(place, error.description);
    }
  }
  const config::Sections none;
  const auto parameters = config::Checker(none, registry, config::Place()).check_plugin(plugin, table, mistakes);
  mistakes.throw_if_any();
  return *parameters;
}

}  // namespace osteon::bench
