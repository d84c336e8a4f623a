// Every plugin of the tree keeps what its kind promises. In this process, where LibTorch is loaded once; the tests of
// the command give each check a process of its own.

#include "contract/contract.hpp"
#include "host/registry.hpp"

#include <gtest/gtest.h>

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
  for (const host::FoundPlugin& plugin : host::Registry({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"}).list())
    built.push_back({plugin.kind + "/" + plugin.name, plugin.library});
  return built;
}

/// What costs, made small: the width of networks, the points of distances between surfaces.
std::vector<std::string> cheap_settings(const fs::path& library) {
  host::Registry registry({library.parent_path()});
  const host::Stamp stamp = host::probe(library);
  const Schema& schema = registry.find(stamp.kind, stamp.name).schema;
  std::vector<std::string> settings;
  if (schema.find("width") != nullptr) settings.emplace_back("width=0.125");
  if (schema.find("samples") != nullptr) settings.emplace_back("samples=1000");
  return settings;
}

class EveryPluginOfTheTree : public testing::TestWithParam<Built> {};

TEST_P(EveryPluginOfTheTree, KeepsItsContract) {
  const contract::Request request{GetParam().library, cheap_settings(GetParam().library)};
  int passed = 0;
  for (const std::string_view check : contract::kChecks) {
    const contract::Outcome outcome = contract::run_check(check, request);
    EXPECT_TRUE(outcome.result != contract::Result::failed && outcome.result != contract::Result::mistake)
        << check << ": " << outcome.says;
    // Only a source may want data before it can be made.
    EXPECT_TRUE(outcome.result != contract::Result::not_run || GetParam().id.starts_with("source/"))
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
