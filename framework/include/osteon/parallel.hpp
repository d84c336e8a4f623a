#pragma once

#include <osteon/export.hpp>

#include <cstdint>
#include <functional>

namespace osteon {

/// Calls `body(first, last)` on pieces of [begin, end) of at least `grain` items, on the host's threads (LibTorch's
/// pool, so that a plugin never brings a second one). Nested calls run in the caller's thread. The first exception
/// thrown is rethrown here.
OSTEON_API void parallel_for(std::int64_t begin, std::int64_t end, std::int64_t grain,
                             const std::function<void(std::int64_t, std::int64_t)>& body);

/// Threads that `parallel_for` uses.
OSTEON_API int thread_count();

/// True once the user has asked the program to stop (Ctrl-C). Long loops look at it between pieces of work.
OSTEON_API bool stop_requested();

/// Throws the host's stop signal, which no plugin should catch, when `stop_requested()`.
OSTEON_API void throw_if_stopped();

}  // namespace osteon
