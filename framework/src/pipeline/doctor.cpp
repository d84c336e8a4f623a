#include "pipeline/doctor.hpp"

#include "host/registry.hpp"
#include "pipeline/environment.hpp"
#include "pipeline/words.hpp"
#include "store/store.hpp"
#include "training/runtime.hpp"
#include "training/training.hpp"

#include <osteon/build_stamp.hpp>
#include <osteon/error.hpp>

#include <ATen/Context.h>
#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include <unistd.h>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr double kGigabyte = 1e9;
constexpr double kSlowPerThread = 10;                 ///< GFLOP/s in float32; Debian's reference BLAS makes about 3
constexpr double kLittleMemory = 4, kLittleDisk = 5;  ///< GB: the quickstart takes less than half of either

/// Billions of floating-point operations a second of a matrix product.
double matrix_speed() {
  constexpr std::int64_t kSize = 1024;
  const at::Tensor a = at::ones({kSize, kSize}), b = at::ones({kSize, kSize});
  (void)a.mm(b);  // threads start
  std::int64_t products = 0;
  const auto start = Clock::now();
  double seconds = 0;
  for (; seconds < 0.5; seconds = std::chrono::duration<double>(Clock::now() - start).count(), ++products)
    (void)a.mm(b);
  return 2e-9 * kSize * kSize * kSize * static_cast<double>(products) / seconds;
}

Finding blas_speed(int threads) {
  at::set_num_threads(threads);
  const double speed = matrix_speed();
  Finding finding{
      "BLAS", text(blas_name(), ", ", fixed(speed, 0), " GFLOP/s with ", threads, " thread", threads == 1 ? "" : "s"),
      ""};
  if (speed < kSlowPerThread * threads)
    finding.remedy =
        "matrix products are slow here: install libopenblas0-pthread (and choose it with "
        "update-alternatives if another BLAS is in force), or stop what else keeps the processor busy";
  return finding;
}

/// OpenBLAS 0.3.21, told a cache size other than what it finds, wrote beyond its buffers when it used two threads:
/// small networks' trainings ended in heap corruption in five of six runs, and in none without the variable or with one
/// thread.
void look_at_blas_cache(int threads, std::vector<Finding>& findings) {
  const char* size = std::getenv("OPENBLAS_L2_SIZE");
  if (size == nullptr || threads == 1) return;
  findings.push_back({"BLAS cache", text("OPENBLAS_L2_SIZE=", size, " is set"),
                      text("OpenBLAS can corrupt memory with that and several threads: unset it, or set ",
                           training::kThreadsVariable, "=1")});
}

Finding memory() {
  std::ifstream info("/proc/meminfo");
  double total = 0, available = 0;
  for (std::string name, unit; info >> name;) {
    double kilobytes = 0;
    if (!(info >> kilobytes)) break;
    if (name == "MemTotal:") total = kilobytes * 1024 / kGigabyte;
    if (name == "MemAvailable:") available = kilobytes * 1024 / kGigabyte;
    std::getline(info, unit);
  }
  return {
      "memory", text(fixed(available, 1), " of ", fixed(total, 1), " GB free"),
      available < kLittleMemory ? "close other programs, or use fewer bones and smaller images (views.height)" : ""};
}

Finding load(int cores) {
  double average = 0;
  std::ifstream("/proc/loadavg") >> average;
  return {"load", text(fixed(average, 1), " processes on average want the ", cores, " core", cores == 1 ? "" : "s"),
          average > cores + 0.5 ? "other programs slow this machine down: times that are measured now say little" : ""};
}

Finding threads_of(int threads, int cores) {
  return {"threads", text(threads, " of ", cores, " cores are used where [training] says nothing"),
          threads < cores ? text(training::kThreadsVariable, " limits them: unset it to use all") : ""};
}

Finding precision() {
  const Parameters standard(training::training_schema(), {});
  const std::string found = training::resolved_precision(standard);
  return {"precision",
          found == "bf16" ? "bf16: networks train about twice as fast as in fp32"
                          : "fp32: this processor has no fast bf16 (AVX-512)",
          ""};
}

Finding graphics() {
  if (at::hasCUDA()) return {"GPU", "CUDA is there and used where training.device is \"auto\"", ""};
  return {"GPU", "none that this LibTorch uses: the profiles `cpu` of the experiments are made for that", ""};
}

void look_at_plugins(const std::vector<fs::path>& folders, std::vector<Finding>& findings) {
  const host::Registry registry(host::Registry::search_path(folders));
  std::set<std::string> kinds;
  std::int64_t count = 0;
  for (const host::FoundPlugin& plugin : registry.list()) {
    if (plugin.problem.empty()) {
      ++count;
      kinds.insert(plugin.kind);
    } else {
      findings.push_back({"plugin", plugin.library.string() + ": " + plugin.problem,
                          "build it again for this Osteon, or take it off the search path"});
    }
  }
  std::string missing;
  for (const std::string_view kind : host::kKinds)
    if (!kinds.contains(std::string(kind))) missing += (missing.empty() ? "" : ", ") + std::string(kind);
  findings.push_back({"plugins", text(count, ", of ", kinds.size(), " kinds"),
                      missing.empty() ? ""
                                      : "there is none of these kinds: " + missing +
                                            "; build the target `plugins`, or set OSTEON_PLUGIN_PATH"});
}

/// A folder that does not exist yet is judged by the one in which it would be made.
Finding store_folder() {
  const fs::path root = fs::absolute(store::Store::standard_root());
  fs::path there = root;
  std::error_code problem;
  while (!fs::exists(there, problem) && there.has_relative_path()) there = there.parent_path();
  const double free = static_cast<double>(fs::space(there, problem).available) / kGigabyte;
  Finding finding{"store", text(root.string(), ", ", fixed(free, 0), " GB free"), ""};
  if (::access(there.c_str(), W_OK) != 0)
    finding.remedy = there.string() + " cannot be written: set OSTEON_STORE to a folder that can";
  else if (problem || free < kLittleDisk)
    finding.remedy = "there is little room: set OSTEON_STORE to a folder on a larger disk";
  return finding;
}

}  // namespace

std::vector<Finding> examine_machine(const std::vector<fs::path>& plugin_folders) {
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int threads = training::resolved_threads(Parameters(training::training_schema(), {}));
  std::vector<Finding> findings = {
      {"LibTorch", TORCH_VERSION, ""},
      {"compiler", __VERSION__, ""},
      {"processor", text(processor_name(), ", ", cores, " core", cores == 1 ? "" : "s"), ""},
      threads_of(threads, cores),
      load(cores),
      memory(),
      blas_speed(threads),
      precision(),
      graphics()};
  look_at_blas_cache(threads, findings);
  look_at_plugins(plugin_folders, findings);
  findings.push_back(store_folder());
  return findings;
}

}  // namespace osteon::pipeline
