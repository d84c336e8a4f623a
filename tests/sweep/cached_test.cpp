// Points that are done are known to be done without a process of their own, and what is not done is noticed.

#include "sweeps.hpp"

#include <gtest/gtest.h>

#include <regex>

namespace osteon::test {
namespace {

/// One sweep, run once, for all tests of this file.
class DoneSweep : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    place_ = new Workplace;
    arguments_ = "run " + tiny_sweep(*place_);
    const auto outcome = place_->osteon(arguments_);
    ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
    run_ = only_run(*place_);
  }
  static void TearDownTestSuite() { delete place_; }

  /// Runs the sweep again and expects these points, and no others, to have been run.
  static void expect_run_again(const std::vector<int>& points, const std::string& more = "",
                               const std::string& environment = "") {
    const std::vector<std::string> before = figures(run_, 3);
    std::map<int, std::string> states;
    for (int point = 1; point <= 3; ++point) states[point] = state(point);
    const auto outcome = place_->osteon(arguments_ + more, environment);
    ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
    EXPECT_EQ(figures(run_, 3), before);
    for (int point = 1; point <= 3; ++point)
      EXPECT_EQ(states[point] != state(point), std::ranges::count(points, point) > 0) << "point " << point;
    const std::string done = std::to_string(3 - points.size());
    EXPECT_EQ(has(outcome.out, " · " + done + " up to date"), points.size() < 3) << outcome.out;
  }

  /// What a process of a point writes at its begin and end: its number is in it.
  static std::string state(int point) { return read(run_ / ("0" + std::to_string(point)) / "state.json"); }

  static Workplace* place_;
  static std::string arguments_;
  static fs::path run_;
};
Workplace* DoneSweep::place_ = nullptr;
std::string DoneSweep::arguments_;
fs::path DoneSweep::run_;

TEST_F(DoneSweep, StartsNoProcessAndShowsItsTableAgain) {
  const auto outcome = place_->osteon(arguments_);
  EXPECT_TRUE(has(outcome.out, " plan       3 loss.margin = 3 points · 3 up to date\n")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "3 points, all up to date")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "loss.margin = 0.2")) << outcome.out;
  EXPECT_FALSE(has(outcome.out, " train ")) << outcome.out;
  expect_run_again({});
}

TEST_F(DoneSweep, RunsAPointWhoseReportIsGone) {
  fs::remove(run_ / "02/report.html");
  expect_run_again({2});
  EXPECT_TRUE(fs::exists(run_ / "02/report.html"));
}

TEST_F(DoneSweep, RunsAPointWhoseFiguresWereChanged) {
  std::string values = read(run_ / "01/values.json");
  const std::string right = values;
  values[values.find_first_of("0123456789")] ^= 1;
  std::ofstream(run_ / "01/values.json") << values;
  const auto outcome = place_->osteon(arguments_);
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_TRUE(has(outcome.out, "2 up to date · to do: 1 point")) << outcome.out;
  EXPECT_EQ(read(run_ / "01/values.json"), right);
}

TEST_F(DoneSweep, RunsAPointOneOfWhoseArtifactsIsGone) {
  std::set<std::string> others;
  for (const char* point : {"01", "02"})
    for (const std::string& key : named_keys(run_ / point)) others.insert(key);
  std::string own;
  for (const std::string& key : named_keys(run_ / "03"))
    if (!others.contains(key)) own = key;
  ASSERT_FALSE(own.empty());
  fs::remove_all(place_->folder() / "runs/.store" / own.substr(0, 2) / own);
  expect_run_again({3});
}

TEST_F(DoneSweep, RunsAllWhenTheStoreIsAnotherOne) { expect_run_again({1, 2, 3}, "", "OSTEON_STORE=another"); }

TEST_F(DoneSweep, RunsAllWhenAPluginWasRebuilt) {
  const fs::path plugins = place_->folder() / "plugins/loss";
  fs::create_directories(plugins);
  fs::copy_file(std::string(OSTEON_BUILD_DIR) + "/lib/osteon/plugins/loss/triplet.so", plugins / "triplet.so");
  expect_run_again({}, " --plugins plugins");                    // the same bytes are the same build
  std::ofstream(plugins / "triplet.so", std::ios::app) << '\0';  // another file, as a rebuilt one is
  expect_run_again({1, 2, 3}, " --plugins plugins");
}

TEST_F(DoneSweep, RunsOnlyTheNewPointsOfALargerSweep) {
  const auto outcome = place_->osteon("run " + tiny_sweep(*place_, "\"loss.margin\" = [0.1, 0.2, 1.0, 2.0]"));
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_TRUE(has(outcome.out, "shared: source, surface, render (stored)")) << outcome.out;
  // Another sweep has another folder, so all its points run; their stages are in the store.
  EXPECT_TRUE(has(outcome.out, "to do: 4 points, 4 trainings   about ")) << outcome.out;
  arguments_ = "run " + tiny_sweep(*place_);
}

TEST(SourceOfFiles, WhenAFileChangesAllItsPointsRunAgain) {
  const Workplace place;
  const auto exported = place.osteon("export open3d " + small_profile() + " --surfaces .ply --out surfaces");
  ASSERT_EQ(exported.code, 0) << exported.out << exported.err;
  fs::create_directory(place.folder() / "femurs");
  int number = 0;
  for (const auto& bone : fs::directory_iterator(place.folder() / "surfaces"))
    fs::copy_file(bone.path() / "acquisition-1.ply",
                  place.folder() / "femurs" / ("femur-" + std::to_string(++number) + "_left.ply"));
  std::string arguments =
      "run " + tiny_sweep(place) + " --set 'source={plugin=\"mesh\", path=\"femurs\", spacing=4.0}'";
  arguments = std::regex_replace(arguments, std::regex("--set source\\.\\S+ "), "");  // the phantom's
  const auto first = place.osteon(arguments);
  ASSERT_EQ(first.code, 0) << first.out << first.err;
  EXPECT_TRUE(has(place.osteon(arguments).out, "3 up to date"));
  // The same size and name, another bone's surface is not needed: one vertex moved by a hair.
  std::string bytes = read(place.folder() / "femurs/femur-1_left.ply");
  const auto written = fs::last_write_time(place.folder() / "femurs/femur-1_left.ply");
  bytes[bytes.find("end_header") + 40] ^= 1;
  std::ofstream(place.folder() / "femurs/femur-1_left.ply", std::ios::binary) << bytes;
  fs::last_write_time(place.folder() / "femurs/femur-1_left.ply", written);
  const auto changed = place.osteon(arguments);
  EXPECT_TRUE(has(changed.out, "to do: 3 points")) << changed.out << changed.err;
}

}  // namespace
}  // namespace osteon::test
