// Who needs what, what nobody needs, and how much a store may hold.

#include "store/gc.hpp"
#include "store/quota.hpp"
#include "store/store.hpp"

#include "scratch.hpp"

#include <osteon/files.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace osteon::store {
namespace {

namespace fs = std::filesystem;

Ingredients bone_ingredients(const std::string& subject) { return {"render", subject, {{"bone", subject}}}; }

Artifact small_artifact() {
  Artifact made;
  made.tensors["pixels"] = at::zeros({1000}, at::kByte);
  return made;
}

class Gc : public ::testing::Test {
 protected:
  Gc() {
    fs::create_directories(run_);
    for (const char* bone : {"p01", "p02", "p03"}) Store(root_).put(bone_ingredients(bone), small_artifact());
  }
  static std::string key(const std::string& bone) { return bone_ingredients(bone).key(); }
  [[nodiscard]] std::vector<std::string> strays() const {
    std::vector<std::string> subjects;
    for (const Stray& stray : survey(root_, {}).strays) subjects.push_back(stray.subject);
    std::ranges::sort(subjects);
    return subjects;
  }
  using Subjects = std::vector<std::string>;

  Scratch scratch_;
  fs::path root_ = scratch_.path() / "store", run_ = scratch_.path() / "run";
};

TEST_F(Gc, KeepsWhatARunAskedForAsLongAsItsFolderIsThere) {
  {
    Store store(root_);
    store.serve(run_);
    EXPECT_TRUE(store.use(key("p01")));
    EXPECT_FALSE(store.use(key("p09"))) << "not made yet, but needed from now on";
    store.put(bone_ingredients("p09"), small_artifact());
  }
  EXPECT_EQ(strays(), (Subjects{"p02", "p03"}));
  const Survey found = survey(root_, {{"another", {key("p02"), key("p01")}}});
  ASSERT_EQ(found.strays.size(), 1U);
  EXPECT_EQ(found.strays[0].stage, "render");
  EXPECT_EQ(found.strays[0].key, key("p03"));
  EXPECT_GT(found.strays[0].bytes, 1000U);
  EXPECT_EQ(found.needed.at(run_.string()).artifacts, 2);
  EXPECT_EQ(found.needed.at("another").artifacts, 2);
  EXPECT_EQ(found.all_needed.artifacts, 3) << "one is needed by both";
  fs::remove_all(run_);
  EXPECT_EQ(strays(), (Subjects{"p01", "p02", "p03", "p09"}));
}

TEST_F(Gc, KeepsWhatAProcessWithoutARunAskedForAsLongAsItLives) {
  {
    const Store store(root_);
    EXPECT_TRUE(store.use(key("p01")));
    EXPECT_EQ(strays(), (Subjects{"p02", "p03"}));
  }
  EXPECT_EQ(strays(), (Subjects{"p01", "p02", "p03"}));
}

TEST_F(Gc, KeepsWhatARunInTheMakingAskedForThoughItsFolderIsGone) {
  Store store(root_);
  store.serve(run_);
  EXPECT_TRUE(store.use(key("p01")));
  fs::remove_all(run_);
  EXPECT_EQ(strays(), (Subjects{"p02", "p03"}));
}

TEST_F(Gc, ARunThatBeginsAnewForgetsWhatItAskedForBefore) {
  for (const char* bone : {"p01", "p02"}) {
    Store store(root_);
    store.serve(run_);
    EXPECT_TRUE(store.use(key(bone)));
  }
  EXPECT_EQ(strays(), (Subjects{"p01", "p03"}));
  // A second process of the same run, beside the first, adds to its list.
  Store first(root_), second(root_);
  first.serve(run_);
  EXPECT_TRUE(first.use(key("p01")));
  second.serve(run_);
  EXPECT_TRUE(second.use(key("p03")));
  EXPECT_EQ(strays(), Subjects{"p02"});
}

TEST_F(Gc, RemovesOnlyWhatNobodyHasAskedForMeanwhile) {
  const Survey before = survey(root_, {});
  ASSERT_EQ(before.strays.size(), 3U);
  Store store(root_);
  EXPECT_TRUE(store.use(key("p02")));
  const Lock making = store.lock(key("p03"));
  const std::vector<Stray> gone = remove_strays(root_, {}, before.strays);
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(gone[0].subject, "p01");
  EXPECT_FALSE(store.contains(key("p01")));
  EXPECT_TRUE(store.contains(key("p02")));
  EXPECT_TRUE(store.contains(key("p03")));
  EXPECT_TRUE(names_in(root_ / "tmp").empty());
  EXPECT_NO_THROW((void)store.load(key("p02")));
  EXPECT_EQ(store.use(key("p01")), std::nullopt) << "who asks now makes it again";
}

TEST_F(Gc, FindsCheckpointsThatNoRunAsksForAndLeftovers) {
  Store store(root_);
  EXPECT_EQ(store.use(key("p04")), std::nullopt);
  write_file(store.working_folder(key("p04")) / "checkpoint.pt", "needed");
  write_file(store.working_folder(key("p05")) / "checkpoint.pt", "not needed");
  const pid_t dead = start_child("Nothing", {});
  (void)wait_for(dead);
  fs::create_directories(root_ / "tmp" / text("a.", dead, ".0"));
  std::vector<std::string> stages;
  for (const Stray& stray : survey(root_, {}).strays) stages.push_back(stray.stage);
  EXPECT_EQ(stages, (Subjects{"checkpoint", "leftover", "render", "render", "render"}));
  EXPECT_EQ(remove_strays(root_, {}, survey(root_, {}).strays).size(), 5U);
  EXPECT_TRUE(fs::exists(root_ / "work" / key("p04") / "checkpoint.pt"));
  EXPECT_FALSE(fs::exists(root_ / "work" / key("p05")));
  EXPECT_TRUE(names_in(root_ / "tmp").empty());
}

TEST_F(Gc, ListsADamagedArtifactToo) {
  write_file(root_ / key("p01").substr(0, 2) / key("p01") / "manifest.json", "no JSON");
  EXPECT_EQ(survey(root_, {}).strays[0].stage, "damaged");
}

TEST(GcOfNoStore, SaysWhereOneIsLookedFor) {
  EXPECT_EQ(message_of([] { (void)survey("nowhere", {}); }),
            "nowhere: there is no store; OSTEON_STORE names one, by default runs/.store");
}

TEST(Sizes, AreReadAndWritten) {
  EXPECT_EQ(bytes_from("50 GB"), 50'000'000'000U);
  EXPECT_EQ(bytes_from("1.5TB"), 1'500'000'000'000U);
  EXPECT_EQ(bytes_from("800 MB"), 800'000'000U);
  EXPECT_EQ(bytes_from("1000"), 1000U);
  for (const char* wrong : {"", "lots", "-1 GB", "5 gb", "5 GB more", "1e30 TB", "nan"})
    EXPECT_EQ(bytes_from(wrong), std::nullopt) << wrong;
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(999), "999 B");
  EXPECT_EQ(size_text(16'704'000'000), "16.7 GB");
  EXPECT_EQ(size_text(123'456'789), "123 MB");
}

/// Sets the quota for as long as it lives.
struct Quota {
  explicit Quota(const char* size) { ::setenv(kQuotaVariable, size, 1); }
  Quota(const Quota&) = delete;
  ~Quota() { ::unsetenv(kQuotaVariable); }
};

TEST_F(Gc, AQuotaRefusesTheArtifactThatWouldGoBeyondIt) {
  const Quota quota("20 kB");  // three artifacts of about 2 kB are there
  Store store(root_);
  store.put(bone_ingredients("p04"), small_artifact());
  const std::string refused = message_of([&] {
    for (int bone = 5; bone < 30; ++bone) store.put(bone_ingredients(text("p", bone)), small_artifact());
  });
  EXPECT_TRUE(refused.starts_with(root_.string() + ": holds ")) << refused;
  EXPECT_TRUE(
      refused.ends_with("needs 1.0 kB more, but OSTEON_STORE_QUOTA allows 20.0 kB; `osteon gc` lists what no run "
                        "needs, and removes it with --delete"))
      << refused;
  EXPECT_TRUE(names_in(root_ / "tmp").empty());
  EXPECT_TRUE(room_of(root_).is_of_quota);
  EXPECT_LT(room_of(root_).bytes, 20000U);
}

TEST(Room, IsWhatTheDiskHasFreeWhereNoQuotaIsSet) {
  const Scratch scratch;
  const Room room = room_of(scratch.path() / "not/there/yet");
  EXPECT_FALSE(room.is_of_quota);
  EXPECT_GT(room.bytes, 0U);
  const Quota quota("much");
  EXPECT_EQ(message_of([&] { (void)room_of(scratch.path()); }),
            "OSTEON_STORE_QUOTA=much: must be a size, e.g. \"50 GB\" or \"800 MB\"");
}

}  // namespace
}  // namespace osteon::store
