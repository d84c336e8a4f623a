// Enrolments that die, and enrolments that happen at once.

#include "place.hpp"

#include "pipeline/gallery.hpp"

#include <osteon/files.hpp>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <iterator>
#include <sstream>
#include <thread>

namespace osteon {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

class GalleryProcesses : public test::GalleryPlace {
 protected:
  /// Starts `osteon enroll` of a bone's scan and returns the child's number. Words have no spaces.
  static pid_t start(const std::string& gallery, int bone, int scan) {
    std::istringstream words(std::string(OSTEON_BUILD_DIR) + "/bin/osteon enroll --model model.osteon --gallery " +
                             gallery + " --id bone-" + std::to_string(bone) + " " + scaled(bone, scan));
    std::vector<std::string> all{std::istream_iterator<std::string>(words), {}};
    std::vector<char*> arguments;
    for (std::string& word : all) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const std::string here = folder().string();
    const pid_t child = ::fork();
    if (child != 0) return child;
    const int nowhere = ::open("/dev/null", O_RDWR);
    for (const int stream : {0, 1, 2}) ::dup2(nowhere, stream);
    if (::chdir(here.c_str()) == 0) ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  static int wait_for(pid_t child) {
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
  }
  static pipeline::Gallery read(const std::string& gallery) { return pipeline::read_gallery(folder() / gallery); }
};

TEST_F(GalleryProcesses, AKillLeavesTheOldGalleryOrTheNewOne) {
  const auto before = Clock::now();
  ASSERT_EQ(wait_for(start("killed.gallery", 1, 1)), 0);
  const auto whole = Clock::now() - before;
  const std::string old = read_file(folder() / "killed.gallery");
  constexpr int kKills = 8;
  int killed = 0;
  for (int i = 0; i < kKills; ++i) {
    const pid_t child = start("killed.gallery", 2, 1);
    // Most of the time goes into loading; the moments that matter come at the end.
    std::this_thread::sleep_for(whole * (kKills / 2 + i) / (kKills + kKills / 2));
    ::kill(child, SIGKILL);
    const int status = wait_for(child);
    killed += WIFSIGNALED(status) ? 1 : 0;
    const std::size_t bones = read("killed.gallery").bones().size();
    EXPECT_EQ(read("killed.gallery").entries.size(), bones);
    EXPECT_TRUE(bones == 1 || bones == 2) << bones;
    if (!WIFSIGNALED(status)) {
      EXPECT_EQ(bones, 2U);
    }
    write_file(folder() / "killed.gallery", old);
  }
  EXPECT_GT(killed, 0);
  // Just before the new file gets its name.
  const Outcome fault = osteon("enroll --model model.osteon --gallery killed.gallery --id bone-2 " + scaled(2, 1),
                               "OSTEON_FAULT=rename:1");
  EXPECT_EQ(fault.code, 128 + SIGKILL);
  EXPECT_EQ(read_file(folder() / "killed.gallery"), old);
  EXPECT_TRUE(fs::exists(folder() / "killed.gallery.partial"));
  // What is left of it stops nobody.
  ASSERT_EQ(wait_for(start("killed.gallery", 2, 1)), 0);
  EXPECT_EQ(read("killed.gallery").bones(), (std::vector<std::string>{"bone-1", "bone-2"}));
  EXPECT_FALSE(fs::exists(folder() / "killed.gallery.partial"));
}

TEST_F(GalleryProcesses, TwoAtOnceLoseNoEntry) {
  for (int scan = 1; scan <= test::kScans; ++scan) {
    const pid_t one = start("both.gallery", 1, scan), other = start("both.gallery", 2, scan);
    EXPECT_EQ(wait_for(one), 0);
    EXPECT_EQ(wait_for(other), 0);
    EXPECT_EQ(std::ssize(read("both.gallery").entries), 2 * scan);
  }
  std::map<std::string, int> count;
  for (const pipeline::GalleryEntry& entry : read("both.gallery").entries) ++count[entry.id];
  EXPECT_EQ(count, (std::map<std::string, int>{{"bone-1", test::kScans}, {"bone-2", test::kScans}}));
}

}  // namespace
}  // namespace osteon
