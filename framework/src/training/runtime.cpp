// Threads, device and precision.

#include "training/runtime.hpp"

#include "training/torch_compat.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/cuda.h>

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

namespace osteon::training {

namespace {

/// What this process takes of a machine that several share; set once, before anything is computed.
struct Portion {
  int of_cores = 1;  ///< one of so many
  int device = 0;
};
Portion& portion() {
  static Portion one;
  return one;
}

int threads_where_cores_are(const Parameters& training, int cores) {
  const auto asked = static_cast<int>(training.integer("threads"));
  if (asked > 0) return asked;
  // What a run of several jobs leaves to each.
  if (const char* share = std::getenv(kThreadsVariable); share != nullptr && std::atoi(share) > 0)
    return std::atoi(share);
  return std::max(1, cores);
}

int all_cores() { return static_cast<int>(std::thread::hardware_concurrency()); }

}  // namespace

void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that glibc allows
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

int resolved_threads(const Parameters& training) {
  return threads_where_cores_are(training, all_cores() / portion().of_cores);
}

int threads_of_one_process(const Parameters& training) { return threads_where_cores_are(training, all_cores()); }

void divide_cores(int processes) { portion().of_cores = std::max(1, processes); }

void use_device(int number) { portion().device = number; }

at::Device resolved_device(const Parameters& training) {
  if (training.text("device") != "auto" || !torch::cuda::is_available()) return at::kCPU;
  return {at::kCUDA, static_cast<at::DeviceIndex>(portion().device % static_cast<int>(torch::cuda::device_count()))};
}

std::string resolved_precision(const Parameters& training) {
  const std::string& asked = training.text("precision");
  if (asked != "auto") return asked;
#if defined(__x86_64__)
  // What oneDNN asks for before it computes in bf16 (LibTorch's mkldnn_bf16_device_check).
  const bool has_bf16 =
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#else
  const bool has_bf16 = false;
#endif
  return has_bf16 || resolved_device(training).is_cuda() ? "bf16" : "fp32";
}

void prepare_device(at::Device device) {
  if (!device.is_cuda()) return;
  at::globalContext().setDeterministicCuDNN(true);
  at::globalContext().setBenchmarkCuDNN(false);
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
}

ThreadScope::ThreadScope(int threads) : before_(at::get_num_threads()) { at::set_num_threads(threads); }
ThreadScope::~ThreadScope() { at::set_num_threads(before_); }

AutocastScope::AutocastScope(at::Device device, bool enabled)
    : device_(device.type()), before_(compat::autocast_enabled(device_)) {
  compat::set_autocast_type(device_, at::kBFloat16);
  compat::set_autocast_enabled(device_, enabled);
}
AutocastScope::~AutocastScope() {
  at::autocast::clear_cache();
  compat::set_autocast_enabled(device_, before_);
}

FullPrecisionScope::FullPrecisionScope(at::Device device)
    : device_(device.type()), before_(compat::autocast_enabled(device_)) {
  compat::set_autocast_enabled(device_, false);
}
FullPrecisionScope::~FullPrecisionScope() { compat::set_autocast_enabled(device_, before_); }

}  // namespace osteon::training
