#pragma once

// Figures as tables of box characters, one for each `MetricValue::table`, in the order in which they come.

#include "screen.hpp"

#include <osteon/metric.hpp>

#include <vector>

namespace osteon::terminal {

/// The method's own rows stand first, the trivial ones below a line. Under each table: what was counted, what the
/// brackets are, and the notes. A table that is wider than the terminal becomes a list.
void print_tables(Screen& screen, const std::vector<MetricValue>& values);

}  // namespace osteon::terminal
