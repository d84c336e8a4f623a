#pragma once

// Deaths on request, for the tests of kill-and-resume. A program that may be killed at any instant is tested by killing
// it at chosen instants: each place that matters calls `fault_point` with its name, and OSTEON_FAULT=NAME:N makes the
// N-th passage of that place send SIGKILL to the process, which nothing can catch or tidy up after.

#include <osteon/export.hpp>

#include <string_view>

namespace osteon::host {

/// Does nothing unless OSTEON_FAULT is "`name`:N" and this is the N-th call with this name in this process. Points:
/// "rename" (an artifact is complete under its temporary name), "batch" (before a training step) and "checkpoint"
/// (before a checkpoint gets its name). Safe to call from several threads.
OSTEON_API void fault_point(std::string_view name);

}  // namespace osteon::host
