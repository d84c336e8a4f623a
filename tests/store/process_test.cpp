// Several processes on one store, and processes that die.

#include "host/fault.hpp"
#include "store/store.hpp"

#include "scratch.hpp"

#include <osteon/files.hpp>

#include <ATen/Functions.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

#include <chrono>
#include <fstream>
#include <thread>

namespace osteon::store {
namespace {

Ingredients rendered_bone(const std::string& subject = "p01") { return {"render", subject, {{"bone", subject}}}; }

Artifact large_artifact() {
  Artifact made;
  made.facts = {{"views", 3}};
  made.tensors["pixels"] = at::arange(60000, at::kInt);
  return made;
}

std::filesystem::path folder_of(const Store& store, const Ingredients& what) {
  return store.root() / what.key().substr(0, 2) / what.key();
}

std::filesystem::path root_of_parent() {
  const char* const root = std::getenv("OSTEON_TEST_ROOT");
  return root != nullptr ? root : "";
}

// What the children do. Disabled: only `start_child` runs them.

TEST(Child, DISABLED_MakesOnceUnderTheLock) {
  Store store(root_of_parent());
  const std::string key = rendered_bone().key();
  const Lock lock = store.lock(key);
  if (store.digest(key)) return;
  std::ofstream(store.root() / "made", std::ios::app) << "x";
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  store.put(rendered_bone(), large_artifact());
}

TEST(Child, DISABLED_PutsWithoutALock) {
  Store store(root_of_parent());
  for (int i = 0; i < 8; ++i) store.put(rendered_bone(std::to_string(i)), large_artifact());
}

TEST(Child, DISABLED_DiesWithTheLock) {
  const Store store(root_of_parent());
  const Lock lock = store.lock(rendered_bone().key());
  ::raise(SIGKILL);
}

TEST(Child, DISABLED_PutsTwo) {
  Store store(root_of_parent());
  store.put(rendered_bone("p01"), large_artifact());
  store.put(rendered_bone("p02"), large_artifact());
}

TEST(Child, DISABLED_RunsOutOfSpace) {
  Store store(root_of_parent());
  // A limit on the size of files is what a full disk looks like to a program.
  ::signal(SIGXFSZ, SIG_IGN);
  const rlimit limit{100000, 100000};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  const std::filesystem::path file =
      store.root() / "tmp" / text(rendered_bone().key(), ".", ::getpid(), ".0") / "pixels.npy";
  try {
    store.put(rendered_bone(), large_artifact());
    FAIL() << "240128 bytes went into a file of at most 100000";
  } catch (const Error& e) {
    EXPECT_EQ(e.cause(), Error::Cause::failure);
    EXPECT_EQ(e.what(),
              file.string() +
                  ": cannot write: File too large; make room there, or set OSTEON_STORE to a folder that can be "
                  "written");
  }
}

class Processes : public ::testing::Test {
 protected:
  pid_t start(const std::string& what, const std::string& fault = "") {
    return start_child("Child.DISABLED_" + what, {{"OSTEON_TEST_ROOT", scratch_.path()}, {"OSTEON_FAULT", fault}});
  }
  static void expect_success(int status) { EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status; }
  static void expect_killed(int status) { EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status; }

  Scratch scratch_;
};

TEST_F(Processes, MakeAnArtifactOnce) {
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) children.push_back(start("MakesOnceUnderTheLock"));
  for (const pid_t child : children) expect_success(wait_for(child));
  EXPECT_EQ(read_file(scratch_.path() / "made"), "x");
  EXPECT_EQ(Store(scratch_.path()).load(rendered_bone().key()).facts.at("views"), 3);
}

TEST_F(Processes, MayPutTheSameArtifactAtOnce) {
  const pid_t first = start("PutsWithoutALock"), second = start("PutsWithoutALock");
  expect_success(wait_for(first));
  expect_success(wait_for(second));
  const Store store(scratch_.path());
  for (int i = 0; i < 8; ++i) EXPECT_NO_THROW((void)store.load(rendered_bone(std::to_string(i)).key()));
  EXPECT_TRUE(names_in(scratch_.path() / "tmp").empty());
}

TEST_F(Processes, ReleaseTheirLocksWhenTheyDie) {
  expect_killed(wait_for(start("DiesWithTheLock")));
  const Store store(scratch_.path());
  const auto before = std::chrono::steady_clock::now();
  const Lock lock = store.lock(rendered_bone().key());
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(5));
}

TEST_F(Processes, KilledBeforeTheRenameLeaveNothingUnderTheKey) {
  expect_killed(wait_for(start("PutsTwo", "rename:1")));
  EXPECT_EQ(names_in(scratch_.path() / "tmp").size(), 1u);
  Store store(scratch_.path());
  EXPECT_TRUE(names_in(scratch_.path() / "tmp").empty());
  EXPECT_EQ(store.digest(rendered_bone("p01").key()), std::nullopt);
  EXPECT_EQ(store.why(rendered_bone("p01")), "first time");
  const std::string digest = store.put(rendered_bone("p01"), large_artifact());
  EXPECT_EQ(store.digest(rendered_bone("p01").key()), digest);
  EXPECT_TRUE(
      at::equal(store.load(rendered_bone("p01").key()).tensors.at("pixels"), large_artifact().tensors.at("pixels")));
}

TEST_F(Processes, KilledLaterKeepWhatWasComplete) {
  expect_killed(wait_for(start("PutsTwo", "rename:2")));
  const Store store(scratch_.path());
  EXPECT_NO_THROW((void)store.load(rendered_bone("p01").key()));
  EXPECT_EQ(store.digest(rendered_bone("p02").key()), std::nullopt);
}

TEST_F(Processes, AreNotKilledAtOtherPoints) {
  for (const char* fault : {"batch:1", "rename:3", "rename:x"}) expect_success(wait_for(start("PutsTwo", fault)));
}

TEST_F(Processes, OutOfSpaceLeaveNothing) {
  expect_success(wait_for(start("RunsOutOfSpace")));
  EXPECT_TRUE(names_in(scratch_.path() / "tmp").empty());
  EXPECT_EQ(Store(scratch_.path()).digest(rendered_bone().key()), std::nullopt);
}

TEST(Leftovers, OfTheLivingStay) {
  const Scratch scratch;
  const std::filesystem::path tmp = scratch.path() / "tmp";
  const pid_t dead = start_child("Nothing", {});
  (void)wait_for(dead);
  const std::string held = text("c.", dead, ".2");
  for (const std::string& name : {text("a.", ::getpid(), ".0"), text("b.", dead, ".1"), held, std::string("other")})
    std::filesystem::create_directories(tmp / name);
  // A process of another container: its number means nothing here, its lock does.
  const int descriptor = ::open((tmp / held).c_str(), O_RDONLY);
  ASSERT_EQ(::flock(descriptor, LOCK_EX | LOCK_NB), 0);
  std::vector<std::string> expected{text("a.", ::getpid(), ".0"), held, "other"}, found;
  const Store store(scratch.path());
  found = names_in(tmp);
  std::ranges::sort(expected);
  std::ranges::sort(found);
  EXPECT_EQ(found, expected);
  ::close(descriptor);
}

TEST(Unwritable, RootIsAFailureThatNamesThePath) {
  const Scratch scratch;
  write_file(scratch.path() / "file", "x");
  const std::filesystem::path root = scratch.path() / "file/store";
  try {
    const Store store(root);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.cause(), Error::Cause::failure);
    EXPECT_EQ(e.what(),
              (root / "tmp").string() +
                  ": cannot make the folder: Not a directory; make room there, or set OSTEON_STORE to a folder "
                  "that can be written");
  }
}

TEST(Unwritable, FolderOfTheArtifactLeavesNothingInTmp) {
  const Scratch scratch;
  Store store(scratch.path());
  const std::filesystem::path parent = folder_of(store, rendered_bone()).parent_path();
  write_file(parent, "a file where the folder should be");
  EXPECT_EQ(message_of([&] { store.put(rendered_bone(), large_artifact()); }),
            parent.string() +
                ": cannot make the folder: Not a directory; make room there, or set OSTEON_STORE to a folder "
                "that can be written");
  EXPECT_TRUE(names_in(scratch.path() / "tmp").empty());
}

TEST(LockTest, ExcludesOtherThreads) {
  const Scratch scratch;
  const Store store(scratch.path());
  int inside = 0, most = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      const Lock lock = store.lock(rendered_bone().key());
      most = std::max(most, ++inside);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      --inside;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

}  // namespace
}  // namespace osteon::store
