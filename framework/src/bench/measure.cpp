#include "bench/measure.hpp"

#include "host/stop.hpp"

#include <osteon/error.hpp>

#include <benchmark/benchmark.h>

#include <malloc.h>

#include <fstream>
#include <optional>

namespace osteon::bench {

namespace {

/// A line of /proc/self/status in bytes; 0 where there is none.
double bytes_in_status(const std::string& name) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(name)) return 1024 * std::stod(line.substr(name.size()));
  return 0;
}

/// What `call` takes at most beyond what the program holds already. Memory that was freed before is given back to the
/// system first, or the call would use it unseen.
double memory_of(const std::function<void()>& call) {
  ::malloc_trim(0);
  std::ofstream("/proc/self/clear_refs") << 5;  // the peak begins anew
  const double before = bytes_in_status("VmRSS:");
  call();
  return std::max(0.0, bytes_in_status("VmHWM:") - before);
}

/// One benchmark: a family's work at one size, made when it first runs.
class Prepared {
 public:
  Prepared(Work work, std::int64_t size) : work_(std::move(work)), size_(size) {}

  Call& call() {
    if (call_) return *call_;
    call_ = work_.make(size_);
    if (call_->before) call_->before();
    memory_ = memory_of(call_->run);
    return *call_;
  }
  [[nodiscard]] double memory() const { return memory_; }
  [[nodiscard]] const std::string& items() const { return work_.items; }

 private:
  Work work_;
  std::int64_t size_;
  std::optional<Call> call_;
  double memory_ = 0;
};

void time_calls(benchmark::State& state, Call& call) {
  for (auto _ : state) {
    if (call.before) {
      state.PauseTiming();
      call.before();
      state.ResumeTiming();
    }
    call.run();
  }
}

void measure(benchmark::State& state, Prepared& prepared, Outcome& outcome) {
  if (host::stop_flag()) {
    outcome.stopped = true;
    return state.SkipWithError("stopped");
  }
  try {
    Call& call = prepared.call();
    time_calls(state, call);
    state.SetItemsProcessed(state.iterations() * call.items);
    state.SetComplexityN(call.amount);
    state.SetLabel(prepared.items());
    state.counters["memory"] =
        benchmark::Counter(prepared.memory(), benchmark::Counter::kDefaults, benchmark::Counter::kIs1024);
  } catch (const std::exception& e) {
    ++outcome.failed;
    state.SkipWithError(e.what());
  }
}

}  // namespace

std::string Family::name(std::int64_t at_size) const { return text(name(), "/", size, ":", at_size); }

void register_family(const Family& family, Outcome& outcome) {
  auto prepared = std::make_shared<std::map<std::int64_t, Prepared>>();
  for (const std::int64_t size : family.sizes) prepared->emplace(size, Prepared(family.work, size));
  auto* benchmark = benchmark::RegisterBenchmark(family.name().c_str(), [prepared, &outcome](benchmark::State& state) {
    measure(state, prepared->at(state.range(0)), outcome);
  });
  benchmark->ArgName(family.size)->MeasureProcessCPUTime()->UseRealTime()->Unit(benchmark::kMicrosecond);
  for (const std::int64_t size : family.sizes) benchmark->Arg(size);
  if (family.sizes.size() > 1) benchmark->Complexity(benchmark::oAuto);
}

}  // namespace osteon::bench
