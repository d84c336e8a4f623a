// The host against deliberately broken plugins: each failure is told in words, before anything is loaded where that can
// be.

#include "host/registry.hpp"
#include "host/handles.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <thread>

namespace osteon::host {
namespace {

namespace fs = std::filesystem;

const fs::path kBroken = fs::path(OSTEON_BUILD_DIR) / "broken_plugins";

std::string library(const std::string& name) { return (kBroken / "loss" / (name + ".so")).string(); }

/// What the host says when it is asked for a plugin.
std::string refusal(const std::string& name) {
  Registry registry({kBroken});
  try {
    const LoadedPlugin& plugin = registry.find("loss", name);
    const LossHandle handle(plugin, Parameters(plugin.schema, {}));
    (void)handle.margin();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Registry, SaysThatALibraryExportsNoPlugin) {
  EXPECT_EQ(refusal("no_symbol"), library("no_symbol") +
                                      ": exports no Osteon plugin; its source must end with OSTEON_PLUGIN(kind, name, "
                                      "version, Class)");
}

TEST(Registry, SaysThatALibraryWasStripped) {
  EXPECT_EQ(
      refusal("stripped"),
      library("stripped") +
          ": has no symbol table, by which a plugin is known before it is loaded; it was stripped: build it again, "
          "or strip no more than --strip-debug");
}

TEST(Registry, ShowsBothSidesOfAnotherSdkVersion) {
  const std::string message = refusal("other_sdk");
  EXPECT_TRUE(message.starts_with(library("other_sdk") + ": loss/other_sdk was built for another Osteon\n  plugin  "
                                                         "sdk0_9_00000000_gnu12_cxx11_torch1_13_0\n  host    sdk"))
      << message;
  EXPECT_TRUE(message.ends_with(
      "\n  rebuild the plugin with the SDK, compiler and LibTorch of this host (find_package(Osteon))"))
      << message;
}

TEST(Registry, RefusesAnotherBuildBeforeLoadingIt) {
  EXPECT_NE(refusal("other_build").find("_and_torch_9_9\n  host    "), std::string::npos) << refusal("other_build");
}

TEST(Registry, RefusesAnotherKindUnderThisOne) {
  EXPECT_EQ(refusal("other_kind"),
            library("other_kind") +
                ": holds classifier/other_kind, not loss/other_kind; its file must be named after "
                "its plugin and lie under its kind");
}

TEST(Registry, RefusesAFileThatIsNotNamedAfterItsPlugin) {
  EXPECT_EQ(refusal("other_name"), library("other_name") +
                                       ": holds loss/renamed, not loss/other_name; its file must be named after its "
                                       "plugin and lie under its kind");
}

TEST(Registry, NamesThePluginWhoseFactoryThrows) {
  EXPECT_EQ(refusal("factory_throws"), "loss/factory_throws: the table of weights is missing");
}

TEST(Registry, NoticesAClassThatIsNotOfItsKind) {
  EXPECT_EQ(refusal("wrong_interface"),
            "loss/wrong_interface: the plugin's class does not implement the interface of its kind");
}

TEST(Registry, NamesTheUndefinedSymbol) {
  const std::string message = refusal("undefined_symbol");
  EXPECT_TRUE(message.starts_with(library("undefined_symbol") + ": loss/undefined_symbol cannot be loaded: "))
      << message;
  EXPECT_NE(message.find("a_function_that_nobody_has"), std::string::npos) << message;
}

TEST(Registry, SaysThatAFileIsNoLibrary) {
  const std::string message = refusal("not_a_library");
  EXPECT_TRUE(message.starts_with(library("not_a_library") + ": not a shared library (")) << message;
}

TEST(RegistryDeathTest, NamesThePluginThatCrashesWhileLoading) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(refusal("crash_while_loading"), testing::ExitedWithCode(1),
              "osteon: loss/crash_while_loading \\(.*\\) crashed while it was being loaded; remove or rebuild it");
}

TEST(Registry, AFoundLibraryThatFailsIsNoReasonToLookFurther) {
  // The first folder holds a broken "other_sdk"; a second one that could serve it must not be tried.
  Registry registry({kBroken, kBroken / "elsewhere"});
  EXPECT_THROW(registry.find("loss", "other_sdk"), Error);
}

TEST(Registry, SuggestsTheNearestName) {
  Registry registry({kBroken});
  try {
    registry.find("loss", "no_simbol");
    FAIL();
  } catch (const Error& e) {
    EXPECT_TRUE(std::string(e.what()).starts_with("no loss plugin \"no_simbol\"; did you mean \"no_symbol\"?") ||
                std::string(e.what()).starts_with("no loss plugin \"no_simbol\"; there are: "))
        << e.what();
  }
}

TEST(Registry, ListsWithoutLoading) {
  const auto found = Registry({kBroken}).list();
  const auto crash = std::ranges::find(found, "crash_while_loading", &FoundPlugin::name);
  ASSERT_NE(crash, found.end());
  EXPECT_EQ(crash->kind, "loss");
  EXPECT_EQ(crash->problem, "");
  const auto old = std::ranges::find(found, "other_sdk", &FoundPlugin::name);
  ASSERT_NE(old, found.end());
  EXPECT_NE(old->problem, "");
}

TEST(Registry, LoadsForSeveralThreadsAtOnce) {
  for (int round = 0; round < 200; ++round) {
    Registry registry({kBroken});
    std::vector<std::thread> threads;
    std::array<const LoadedPlugin*, 8> found{};
    for (std::size_t i = 0; i < found.size(); ++i)
      threads.emplace_back(
          [&, i] { found.at(i) = &registry.find("loss", i % 2 == 0 ? "factory_throws" : "wrong_interface"); });
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 2; i < found.size(); ++i) ASSERT_EQ(found.at(i), found.at(i % 2));
    ASSERT_NE(found[0]->descriptor, found[1]->descriptor);
  }
}

TEST(Registry, RefusesAMissingPluginFolder) {
  try {
    (void)Registry::search_path({"/nowhere/at/all"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "plugin folder /nowhere/at/all does not exist (from --plugins or OSTEON_PLUGIN_PATH)");
  }
}

TEST(NearestWord, FindsMisspellingsOnly) {
  EXPECT_EQ(nearest_word("margn", {"margin", "squared"}), "margin");
  EXPECT_EQ(nearest_word("sqaured", {"margin", "squared"}), "squared");
  EXPECT_EQ(nearest_word("zebra", {"margin", "squared"}), "");
}

TEST(Host, KnowsKindsAndNoPluginsName) {
  // No plugin's name stands, as a word in quotes, in the framework's sources.
  std::vector<std::string> names;
  for (const auto& kind : fs::directory_iterator(fs::path(OSTEON_SOURCE_DIR) / "plugins"))
    if (kind.is_directory() && is_kind(kind.path().filename().string()))
      for (const auto& plugin : fs::directory_iterator(kind.path())) names.push_back(plugin.path().filename().string());
  ASSERT_GT(names.size(), 10U);
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(OSTEON_SOURCE_DIR) / "framework/src")) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path());
    const std::string source((std::istreambuf_iterator<char>(in)), {});
    for (const std::string& name : names)
      EXPECT_EQ(source.find('"' + name + '"'), std::string::npos) << entry.path() << " names the plugin " << name;
  }
}

}  // namespace
}  // namespace osteon::host
