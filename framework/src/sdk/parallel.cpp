#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include "host/stop.hpp"

#include <ATen/Parallel.h>

// Without this, at::parallel_for silently runs its body in the calling thread alone.
#if AT_PARALLEL_OPENMP && !defined(_OPENMP)
#error "compile this file for OpenMP, as LibTorch was"
#endif

namespace osteon {

void parallel_for(std::int64_t begin, std::int64_t end, std::int64_t grain,
                  const std::function<void(std::int64_t, std::int64_t)>& body) {
  at::parallel_for(begin, end, grain, body);
}

int thread_count() { return at::get_num_threads(); }

bool stop_requested() { return host::stop_flag(); }

void throw_if_stopped() {
  if (stop_requested()) throw host::Stopped{};
}

}  // namespace osteon
