// How long the command takes to start without loading a plugin, beside an empty program that links the same LibTorch.
// Goal: at most 0.1 s more. Run both in one call and compare.

#include <benchmark/benchmark.h>

#include <spawn.h>
#include <sys/wait.h>

#include <string>

extern char** environ;

namespace {

/// Starts a program with its output thrown away and waits for its end.
void run(benchmark::State& state, const std::string& program, const char* argument) {
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
  for (auto _ : state) {
    pid_t child = 0;
    char* arguments[] = {const_cast<char*>(program.c_str()), const_cast<char*>(argument), nullptr};
    if (posix_spawn(&child, program.c_str(), &quiet, nullptr, arguments, environ) != 0) {
      state.SkipWithError("cannot start the program");
      break;
    }
    int status = 0;
    waitpid(child, &status, 0);
  }
  posix_spawn_file_actions_destroy(&quiet);
}

void StartOsteon(benchmark::State& state) { run(state, OSTEON_BUILD_DIR "/bin/osteon", "--version"); }
void StartEmptyProgramWithLibTorch(benchmark::State& state) {
  run(state, OSTEON_BUILD_DIR "/bin/empty-libtorch-program", nullptr);
}

BENCHMARK(StartOsteon)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(StartEmptyProgramWithLibTorch)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
