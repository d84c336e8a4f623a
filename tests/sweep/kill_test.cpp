// A sweep that is killed again and again ends as one that was left alone.

#include "sweeps.hpp"

#include <gtest/gtest.h>

#include <osteon/random.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

namespace osteon::test {
namespace {

using Clock = std::chrono::steady_clock;

/// `osteon ARGUMENTS` with all its children in a process group of its own.
pid_t start(const Workplace& place, const std::string& arguments) {
  const pid_t process = ::fork();  // nothing but system calls until exec
  if (process != 0) return process;
  ::setpgid(0, 0);
  const int output = ::open((place.folder() / "killed.txt").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  if (::chdir(place.folder().c_str()) != 0) ::_exit(1);
  const std::string line = std::string("exec ") + OSTEON_BUILD_DIR + "/bin/osteon " + arguments;
  ::execl("/bin/sh", "sh", "-c", line.c_str(), nullptr);
  ::_exit(1);
}

/// Whether the process ended by itself within so many seconds.
bool ended_within(pid_t process, double seconds) {
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    int status = 0;
    if (::waitpid(process, &status, WNOHANG) == process) {
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return false;
}

TEST(KilledSweep, EndsWithTheSameFiguresAsOneLeftAlone) {
  const int most = std::getenv("OSTEON_LONG_TESTS") == nullptr ? 12 : 50;
  const Workplace alone;
  const auto before = Clock::now();
  const auto outcome = alone.osteon("run " + tiny_sweep(alone));
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  const double whole = std::chrono::duration<double>(Clock::now() - before).count();
  const std::vector<std::string> expected = figures(only_run(alone), 3);
  for (const std::string& figure : expected) ASSERT_GT(figure.size(), 100U);

  Random random(7, "moments of death");
  int kills = 0, rounds = 0;
  while (kills < most) {
    const Workplace place;  // a sweep that came to its end begins anew
    const std::string arguments = "run " + tiny_sweep(place) + (rounds % 2 == 0 ? "" : " --jobs 2");
    ++rounds;
    while (true) {
      const pid_t process = start(place, arguments);
      if (ended_within(process, kills < most ? random.uniform() * whole : 600)) break;
      ASSERT_LT(kills, most) << "a sweep that nobody kills does not end: " << read(place.folder() / "killed.txt");
      // Now and then the sweep alone dies, and the point that it had begun goes on without it.
      ::kill(kills % 5 == 4 ? process : -process, SIGKILL);
      int status = 0;
      ASSERT_EQ(::waitpid(process, &status, 0), process);
      ++kills;
    }
    EXPECT_EQ(figures(only_run(place), 3), expected) << "after " << kills << " kills";
    EXPECT_TRUE(artifacts(place.folder() / "runs/.store") == artifacts(alone.folder() / "runs/.store"))
        << "the store holds the same artifacts, bit for bit";
  }
  std::printf("[          ] %d kills in %d sweeps\n", kills, rounds);
}

}  // namespace
}  // namespace osteon::test
