// split.folds through the command: every person is held out once, a fold is what a run with the same people held out
// is, and a killed run goes on.

#include "command.hpp"

#include "pipeline/split.hpp"

#include <gtest/gtest.h>

#include <set>

namespace osteon::test {
namespace {

const std::string kTwoFolds = small_profile() + " --set split.folds=2";

/// All records of a stage: each fold trains once.
StageCount all_of(const fs::path& run, const std::string& stage) {
  StageCount sum;
  for (const auto& record : nlohmann::json::parse(read(run / "stages.json"))) {
    if (record.at("stage") != stage) continue;
    sum.made += record.at("made").get<int>();
    sum.reused += record.at("reused").get<int>();
  }
  return sum;
}

/// Content digests of the networks in a store.
std::set<std::string> networks(const fs::path& store) {
  std::set<std::string> result;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    if (entry.path().filename() != "manifest.json") continue;
    const auto manifest = nlohmann::json::parse(read(entry.path()));
    if (manifest.at("stage") == "train") result.insert(manifest.at("digest").get<std::string>());
  }
  return result;
}

using Figures = std::map<std::string, std::pair<double, int>>;  ///< row → value and number of bones

Figures identity(const fs::path& run, const std::string& column) {
  Figures result;
  const auto metrics = nlohmann::json::parse(read(run / "metrics.json"));
  for (const auto& value : metrics.at("values"))
    if (value.at("table") == "identity, rank-1" && value.at("column") == column)
      result[value.at("row")] = {value.at("value"), value.at("count")};
  return result;
}

/// The one run below a folder.
fs::path run_in(const fs::path& folder) {
  fs::path found;
  for (const auto& entry : fs::directory_iterator(folder)) found = entry.path();
  return found;
}

/// The people whom the small profile's phantoms are, held out in a fold of two.
std::set<std::string> people_of(std::int64_t fold) {
  std::vector<SpecimenInfo> specimens;
  for (int i = 1; i <= 4; ++i) {
    const std::string id = "phantom-00" + std::to_string(i);
    specimens.push_back({id, id, Side::right, 3});
  }
  return pipeline::held_out_subjects({pipeline::split_schema(), {{"folds", std::int64_t{2}}}}, specimens, fold);
}

std::string named(const std::set<std::string>& people) {
  std::string list;
  for (const std::string& one : people) list += (list.empty() ? "\"" : ", \"") + one + "\"";
  return " --set 'split.subjects=[" + list + "]'";
}

TEST(Folds, AreTheRunsWithTheirPeopleHeldOutAndPoolAllQueriesOnce) {
  const Workplace place;
  const auto outcome = place.osteon("run " + kTwoFolds);
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  const fs::path run = only_run(place);
  EXPECT_EQ(all_of(run, "train").made, 2);
  EXPECT_EQ(networks(place.folder() / "runs/.store").size(), 2U) << "each fold has a network of its own";
  EXPECT_NE(outcome.out.find("2 held out in the first of 2 folds"), std::string::npos) << outcome.out;

  std::vector<Figures> alone, seen;
  for (const std::int64_t fold : {0, 1}) {
    const std::string folder = "fold-" + std::to_string(fold);
    const auto single = place.osteon("run " + small_profile() + named(people_of(fold)) + " --runs " + folder);
    ASSERT_EQ(single.code, 0) << single.out << single.err;
    const fs::path own = run_in(place.folder() / folder);
    EXPECT_EQ(all_of(own, "train").made, 0) << "another network than the fold's";
    EXPECT_EQ(all_of(own, "embed").made, 0);
    alone.push_back(identity(own, "never trained on"));
    seen.push_back(identity(own, "seen in training"));
  }
  const Figures pooled = identity(run, "never trained on");
  ASSERT_GE(pooled.size(), 7U);
  EXPECT_TRUE(pooled.contains("fingerprint + knn") && pooled.contains("raw pixels + knn") &&
              pooled.contains("shuffled labels + knn"));
  for (const auto& [row, value] : pooled) {
    EXPECT_EQ(value.second, 4) << row << ": every person's bone, once";
    EXPECT_NEAR(value.first, alone[0].at(row).first + alone[1].at(row).first, 1e-12) << row;
  }
  EXPECT_EQ(identity(run, "seen in training"), seen[0]) << "of the first fold";
}

TEST(Folds, KilledInTheSecondOneGoOnThere) {
  static const std::set<std::string> uninterrupted = [] {
    const Workplace whole;
    EXPECT_EQ(whole.osteon("run " + kTwoFolds).code, 0);
    return networks(whole.folder() / "runs/.store");
  }();
  ASSERT_EQ(uninterrupted.size(), 2U);
  const Workplace place;
  const fs::path store = place.folder() / "runs/.store";
  // Each training writes a checkpoint after each of its two epochs: the fourth is the second fold's last.
  const auto killed = place.osteon("run " + kTwoFolds, "OSTEON_FAULT=checkpoint:4");
  EXPECT_EQ(killed.code, 128 + 9) << killed.out << killed.err;
  EXPECT_EQ(networks(store).size(), 1U) << "the first fold's network is kept";
  const auto resumed = place.osteon("run " + kTwoFolds);
  ASSERT_EQ(resumed.code, 0) << resumed.out << resumed.err;
  EXPECT_EQ(networks(store), uninterrupted);
  const StageCount trained = all_of(only_run(place), "train");
  EXPECT_EQ(trained.made, 1);
  EXPECT_EQ(trained.reused, 1);
  const auto again = place.osteon("run " + kTwoFolds);
  ASSERT_EQ(again.code, 0) << again.out << again.err;
  for (const char* stage : {"source", "render", "train", "embed", "evaluate"})
    EXPECT_EQ(all_of(only_run(place), stage).made, 0) << stage;
}

TEST(Folds, MoreThanPeopleAreRefusedBeforeAnythingIsMade) {
  const Workplace place;
  const auto outcome = place.osteon("run " + small_profile() + " --set split.folds=5");
  EXPECT_EQ(outcome.code, 2) << outcome.out << outcome.err;
  EXPECT_NE(outcome.err.find("split.folds is 5, but there are 4 people, and each fold holds out one of them at least; "
                             "set split.folds to at most 4 or add people"),
            std::string::npos)
      << outcome.err;
  EXPECT_TRUE(digests(place.folder() / "runs/.store", "source").empty());
}

}  // namespace
}  // namespace osteon::test
