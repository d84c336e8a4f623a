#pragma once

// How the numbers are computed: threads, device and precision, each set for as long as an object lives.

#include <osteon/parameters.hpp>

#include <c10/core/Device.h>

namespace osteon::training {

/// Keeps freed memory for the next tensor of its size: each batch asks for the same ones again, and glibc would give
/// the larger back to the system and have their pages cleared anew. VGG-16 at a quarter of its width, 32 pixels, one
/// thread of a virtual machine: 1.8 times the images a second. At most 256 MiB are kept. For the start of a program.
void keep_freed_memory();

/// How many threads a process may take where nothing else is said: set for each of several jobs that run at once.
inline constexpr const char* kThreadsVariable = "OSTEON_THREADS";

/// Threads that [training] asks for; where it says 0 those of OSTEON_THREADS, or else all cores of the machine, or this
/// process's share of them (`divide_cores`).
[[nodiscard]] int resolved_threads(const Parameters& training);
/// The same without such a division.
[[nodiscard]] int threads_of_one_process(const Parameters& training);
/// From now on so many processes share the cores of this machine.
void divide_cores(int processes);

/// From now on "auto" is the CUDA device of this number, counted round where there are fewer.
void use_device(int number);
/// The device that [training] asks for; "auto" is the first CUDA device where LibTorch finds one (or that of
/// `use_device`), else the CPU.
[[nodiscard]] at::Device resolved_device(const Parameters& training);

/// "bf16" or "fp32": what [training] asks for; "auto" is bf16 on a CUDA device and on processors that oneDNN computes
/// it on (AVX-512). Elsewhere LibTorch falls back to convolutions of its own, which take a hundred times as long.
[[nodiscard]] std::string resolved_precision(const Parameters& training);

/// On a CUDA device: the same numbers each time where cuDNN can, and float32 that is float32 (no TF32).
void prepare_device(at::Device device);

/// Sets LibTorch's thread count and puts the old one back.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int before_;
};

/// Convolutions and matrix products in bfloat16 while `enabled`: LibTorch's autocast. Weights, batch normalisation's
/// statistics and the optimiser stay float32. The copies of the weights that autocast keeps are dropped at the end.
class AutocastScope {
 public:
  AutocastScope(at::Device device, bool enabled);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  at::DeviceType device_;
  bool before_;
};

/// Switches autocast off inside an `AutocastScope` without dropping its copies.
class FullPrecisionScope {
 public:
  explicit FullPrecisionScope(at::Device device);
  ~FullPrecisionScope();
  FullPrecisionScope(const FullPrecisionScope&) = delete;
  FullPrecisionScope& operator=(const FullPrecisionScope&) = delete;

 private:
  at::DeviceType device_;
  bool before_;
};

}  // namespace osteon::training
