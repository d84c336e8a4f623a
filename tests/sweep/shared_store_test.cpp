// Several sweeps over one store, and a store whose disk is full.

#include "sweeps.hpp"

#include <gtest/gtest.h>

#include <thread>

namespace osteon::test {
namespace {

/// Of all points of a run: what each stage made.
std::map<std::string, int> made(const fs::path& run) {
  std::map<std::string, int> sum;
  for (const auto& entry : fs::directory_iterator(run))
    if (fs::exists(entry.path() / "stages.json"))
      for (const auto& [stage, count] : stages(entry.path())) sum[stage] += count.made;
  return sum;
}

TEST(TwoSweeps, OverOneStoreMakeNothingTwice) {
  const Workplace one, two, alone;
  const std::string store = "OSTEON_STORE=" + (one.folder() / "store").string();
  Workplace::Outcome first, second;
  std::thread beside([&] { first = one.osteon("run " + tiny_sweep(one), store); });
  second = two.osteon("run " + tiny_sweep(two), store);
  beside.join();
  ASSERT_EQ(first.code, 0) << first.out << first.err;
  ASSERT_EQ(second.code, 0) << second.out << second.err;
  const auto third = alone.osteon("run " + tiny_sweep(alone), "OSTEON_STORE=store");
  ASSERT_EQ(third.code, 0) << third.out << third.err;

  EXPECT_EQ(figures(only_run(one), 3), figures(only_run(alone), 3));
  EXPECT_EQ(figures(only_run(two), 3), figures(only_run(alone), 3));
  EXPECT_TRUE(artifacts(one.folder() / "store") == artifacts(alone.folder() / "store"));
  std::map<std::string, int> together = made(only_run(one));
  for (const auto& [stage, count] : made(only_run(two))) together[stage] += count;
  EXPECT_EQ(together, made(only_run(alone))) << "what both need, one of them made";
}

TEST(FullDisk, EndsARunClearlyAndLeavesTheStoreIntact) {
  const Workplace place, alone;
  if (place.shell("unshare -m sh -c 'mkdir disk && mount -t tmpfs -o size=1m none disk'").code != 0)
    GTEST_SKIP() << "no mount namespace may be made here (it takes a privileged user): "
                 << read(place.folder() / "err.txt");
  const std::string run = std::string(OSTEON_BUILD_DIR) + "/bin/osteon run " + tiny_sweep(place);
  // One shell: the disk is there as long as its namespace is. It holds a part of the volumes (20 MB), of which the plan
  // knows nothing before the first is stored.
  std::ofstream(place.folder() / "full.sh")
      << "mount -t tmpfs -o size=12m none disk\nexport OSTEON_STORE=$PWD/disk/store\n"
      << run << " > first.txt 2>&1; echo $? > first.code\n"
      << "ls disk/store/tmp > left.txt\nmount -o remount,size=400m disk\n"
      << run << " > second.txt 2>&1; echo $? > second.code\ncp -r disk/store kept\n";
  ASSERT_EQ(place.shell("unshare -m sh full.sh").code, 0) << read(place.folder() / "err.txt");
  const std::string first = read(place.folder() / "first.txt");
  EXPECT_EQ(read(place.folder() / "first.code"), "1\n") << first;
  EXPECT_TRUE(
      has(first, "No space left on device; make room there, or set OSTEON_STORE to a folder that can be written"))
      << first;
  EXPECT_TRUE(has(first, "3 of 3 points failed")) << first;
  EXPECT_EQ(read(place.folder() / "left.txt"), "");
  EXPECT_EQ(read(place.folder() / "second.code"), "0\n") << read(place.folder() / "second.txt");

  ASSERT_EQ(alone.osteon("run " + tiny_sweep(alone), "OSTEON_STORE=store").code, 0);
  EXPECT_EQ(figures(only_run(place), 3), figures(only_run(alone), 3));
  EXPECT_TRUE(artifacts(place.folder() / "kept") == artifacts(alone.folder() / "store"));
}

}  // namespace
}  // namespace osteon::test
