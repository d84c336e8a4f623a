// osteon doctor: what it looks at, and that a remedy shows in the exit code.

#include "command.hpp"

#include <osteon/files.hpp>

#include <gtest/gtest.h>

namespace osteon::test {
namespace {

TEST(Doctor, LooksAtWhatMatters) {
  const Workplace place;
  const auto outcome = place.osteon("doctor");
  for (const char* topic : {" LibTorch ", " processor ", " threads ", " memory ", " BLAS ", " GFLOP/s with ",
                            " precision ", " GPU ", " plugins ", " store ", "/runs/.store, "})
    EXPECT_NE(outcome.out.find(topic), std::string::npos) << topic << "\n" << outcome.out;
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.code, outcome.out.find("to look at") == std::string::npos ? 0 : 1) << outcome.out;
  EXPECT_FALSE(fs::exists(place.folder() / "runs")) << "looking makes nothing";
}

TEST(Doctor, WarnsOfACacheSizeThatOpenBlasIsTold) {
  const Workplace place;
  const std::string warning = " BLAS cache ";
  EXPECT_NE(place.osteon("doctor", "OSTEON_THREADS=2 OPENBLAS_L2_SIZE=512").out.find(warning), std::string::npos);
  EXPECT_EQ(place.osteon("doctor", "OSTEON_THREADS=1 OPENBLAS_L2_SIZE=512").out.find(warning), std::string::npos);
}

TEST(Doctor, SaysWhatIsWrongAndTheRemedy) {
  const Workplace place;
  write_file(place.folder() / "broken.so", "no library");
  const auto outcome = place.osteon("doctor --plugins .", "OSTEON_THREADS=1 OSTEON_STORE=/proc/none");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.out.find(" !    plugin     ./broken.so: "), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("build it again for this Osteon, or take it off the search path\n"), std::string::npos);
  EXPECT_NE(outcome.out.find("set OSTEON_STORE to a folder"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find(" things to look at\n"), std::string::npos) << outcome.out;
}

}  // namespace
}  // namespace osteon::test
