#pragma once

// What the tests of the config room share: an empty working folder, fixture plugins, and sections like the framework's.

#include "config/experiment.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

namespace osteon::config {

/// Each test works in a folder of its own, so that messages name files as short as a user would.
class Workplace : public testing::Test {
 protected:
  Workplace() : registry({std::filesystem::path(OSTEON_BUILD_DIR) / "tests/config/plugins"}) {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder = std::filesystem::path(OSTEON_BUILD_DIR) / "tests/config/work" / test->test_suite_name() / test->name();
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    std::filesystem::current_path(folder);
  }
  ~Workplace() override { std::filesystem::current_path(OSTEON_BUILD_DIR); }

  void write(const std::string& name, const std::string& content) {
    const std::filesystem::path file = folder / name;
    std::filesystem::create_directories(file.parent_path());
    write_file(file, content);
  }

  Plan load(const std::string& name, const std::vector<std::string>& overrides = {},
            const std::vector<std::string>& profiles = {}) {
    return config::load({name, overrides, profiles}, sections, registry);
  }

  Experiment one(const std::string& name, const std::vector<std::string>& overrides = {}) {
    Plan plan = load(name, overrides);
    EXPECT_EQ(plan.points.size(), 1u);
    return std::move(plan.points.at(0).experiment);
  }

  /// The whole message about a file with mistakes.
  std::string mistakes(const std::string& name, const std::vector<std::string>& overrides = {},
                       const std::vector<std::string>& profiles = {}) {
    try {
      load(name, overrides, profiles);
    } catch (const Error& error) {
      EXPECT_EQ(error.cause(), Error::Cause::mistake);
      return error.what();
    }
    return "(no mistake)";
  }

  std::filesystem::path folder;
  host::Registry registry;
  Sections sections = {
      {"training",
       {"How the network is trained.",
        {Parameter::integer("epochs", 6, "Passes over the images.").at_least(1),
         Parameter::integer("seed", 7, "Seed of the training.").at_least(0).at_most(1000),
         Parameter::text("optimiser", "adam", "Optimiser.").one_of(std::vector<std::string>{"adam", "sgd"}),
         Parameter::reals("rates", {0.001}, "Learning rate of each group of layers.").above(0).length_at_least(1)}}},
      {"views", {"Poses.", {Parameter::reals("axial", {-21, 0, 21}, "Rotation about the bone.").unit("degrees")}}},
  };

  /// Everything that an experiment must have.
  static inline const std::string kWhole =
      "[source]\nplugin = \"phantom\"\n[surface]\nplugin = \"isosurface\"\n[renderer]\nplugin = \"joseph\"\n"
      "[backbone]\nplugin = \"resnet\"\n[loss]\nplugin = \"triplet\"\n";
};

}  // namespace osteon::config
