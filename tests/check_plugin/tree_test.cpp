// Every plugin of the tree, and of $OSTEON_PLUGIN_PATH, keeps what its kind promises. In this process, where LibTorch
// is loaded once; the tests of the command give each check a process of its own.

#include "captured.hpp"
#include "host/registry.hpp"

#include <cctype>

namespace osteon {
namespace {

namespace fs = std::filesystem;

struct Built {
  std::string id;
  fs::path library;
};

std::vector<Built> built_plugins() {
  std::vector<Built> built;
  for (const host::FoundPlugin& plugin : host::Registry(host::Registry::search_path({})).list())
    built.push_back({plugin.kind + "/" + plugin.name, plugin.library});
  return built;
}

/// What costs, made small: the width of networks, the points of distances between surfaces.
std::vector<std::string> cheap_settings(const fs::path& library) {
  host::Registry registry({library.parent_path()});
  const host::Stamp stamp = host::probe(library);
  const Schema& schema = registry.find(stamp.kind, stamp.name).schema;
  std::vector<std::string> settings;
  if (const Parameter* width = schema.find("width"); width != nullptr && width->type == Parameter::Type::real)
    settings.emplace_back("width=0.125");
  if (schema.find("samples") != nullptr) settings.emplace_back("samples=1000");
  if (stamp.kind == "shape" && schema.find("triangles") != nullptr)
    settings.insert(settings.end(), {"triangles=500", "draws=2", "level=0.5"});
  if (stamp.kind == "shape" && schema.find("modes") != nullptr) settings.emplace_back("modes=20");
  if (stamp.kind == "shape" && schema.find("members") != nullptr) settings.emplace_back("members=400");
  return settings;
}

class EveryPluginOfTheTree : public testing::TestWithParam<Built> {};

TEST_P(EveryPluginOfTheTree, KeepsItsContract) {
  const contract::Request request{GetParam().library, cheap_settings(GetParam().library)};
  int passed = 0;
  for (const std::string_view check : contract::kChecks) {
    const auto [outcome, printed] = test::captured_check(check, request);
    EXPECT_TRUE(printed.empty() || GetParam().id.starts_with("reporter/")) << check << ": " << printed;
    EXPECT_TRUE(outcome.result != contract::Result::failed && outcome.result != contract::Result::mistake)
        << check << ": " << outcome.says;
    // Only a source may want data before it can be made, and not every machine has a second device.
    EXPECT_TRUE(outcome.result != contract::Result::not_run || GetParam().id.starts_with("source/") ||
                check == "devices")
        << check << ": " << outcome.says;
    EXPECT_NE(outcome.says, "") << check;
    if (outcome.result == contract::Result::ok) ++passed;
  }
  EXPECT_GE(passed, 2);
}

std::string test_name_of(const testing::TestParamInfo<Built>& info) {
  std::string name = info.param.id;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Built, EveryPluginOfTheTree, testing::ValuesIn(built_plugins()), test_name_of);

}  // namespace
}  // namespace osteon
