#include "bench/display.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cstdio>
#include <ostream>

namespace osteon::bench {

namespace {

using Run = benchmark::BenchmarkReporter::Run;

constexpr const char* kTimeType = "process_time/real_time";

Run with_short_name(Run run) {
  run.run_name.time_type.clear();
  return run;
}

/// Linear between the two nearest of the sorted values.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

struct Spread {
  double median, half_width;  ///< half of the range of the middle half, relative to the median
};

Spread spread_of(std::vector<double> values) {
  std::ranges::sort(values);
  const double median = quantile(values, 0.5);
  return {median, (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median};
}

std::string time_text(double seconds) {
  const auto [scale, unit] = seconds < 1e-6   ? std::pair(1e9, "ns")
                             : seconds < 1e-3 ? std::pair(1e6, "µs")
                             : seconds < 1    ? std::pair(1e3, "ms")
                                              : std::pair(1.0, "s");
  char text[40];
  std::snprintf(text, sizeof text, seconds * scale < 100 ? "%.3g %s" : "%.0f %s", scale * seconds, unit);
  return text;
}

std::string shown(const Spread& time) {
  char spread[40];
  std::snprintf(spread, sizeof spread, " ± %.0f %%", 100 * time.half_width);
  return time_text(time.median) + spread;
}

const char* growth_text(benchmark::BigO growth) {
  switch (growth) {
    case benchmark::o1:
      return " at any N";
    case benchmark::oLogN:
      return " · lg N";
    case benchmark::oN:
      return " · N";
    case benchmark::oNLogN:
      return " · N lg N";
    case benchmark::oNSquared:
      return " · N²";
    case benchmark::oNCubed:
      return " · N³";
    default:
      return "";
  }
}

/// Characters, where every one of them but ASCII has a first byte of its own.
std::string padded(const std::string& word, std::size_t width) {
  const auto characters =
      static_cast<std::size_t>(std::ranges::count_if(word, [](char c) { return (c & 0xC0) != 0x80; }));
  return word + std::string(width > characters ? width - characters : 1, ' ');
}

}  // namespace

bool Display::ReportContext(const Context& context) {
  Context narrower = context;
  const std::size_t end = std::string(kTimeType).size() + 1;
  narrower.name_field_width -= std::min(narrower.name_field_width, end);
  const bool goes_on = ConsoleReporter::ReportContext(narrower);
#ifndef NDEBUG
  GetErrorStream() << "***WARNING*** Osteon was built without NDEBUG: preset \"release\" is what an experiment runs\n";
#endif
  for (const auto& [name, value] : facts_) benchmark::AddCustomContext(name, value);
  return goes_on;
}

void Display::ReportRuns(const std::vector<Run>& runs) {
  std::vector<Run> shown_runs;
  const Run* fit = nullptr;
  for (const Run& full : runs) {
    const Run run = with_short_name(full);
    const bool is_one = run.run_type == Run::RT_Iteration;
    if (run.report_big_o) fit = &full;
    if (run.report_rms && fit != nullptr) {
      if (!shown_runs.empty()) ConsoleReporter::ReportRuns(shown_runs);
      shown_runs.clear();
      print_growth(*fit, full);
    }
    if (is_one && !run.error_occurred && run.iterations > 0)
      seconds_[run.benchmark_name()].push_back(run.real_accumulated_time / static_cast<double>(run.iterations));
    const bool is_shown = run.error_occurred ||
                          (is_one ? run.repetitions < 2 : run.aggregate_name == "median" || run.aggregate_name == "cv");
    if (is_shown) shown_runs.push_back(run);
  }
  if (!shown_runs.empty()) ConsoleReporter::ReportRuns(shown_runs);
}

void Display::print_growth(const Run& fit, const Run& misfit) {
  const std::string name = fit.run_name.function_name;
  const auto family = std::ranges::find(*families_, name, [](const Family& one) { return one.name(); });
  char line[200];
  std::snprintf(line, sizeof line, "%s %s %s%s, N %s; misfit %.0f %%\n", name.c_str(),
                fit.complexity == benchmark::o1 ? "takes" : "grows as", time_text(fit.real_accumulated_time).c_str(),
                growth_text(fit.complexity), family == families_->end() ? "" : family->work.amount.c_str(),
                100 * misfit.GetAdjustedRealTime());
  GetOutputStream() << line;
}

void JsonFile::ReportRuns(const std::vector<Run>& runs) {
  std::vector<Run> short_runs;
  for (const Run& run : runs) short_runs.push_back(with_short_name(run));
  JSONReporter::ReportRuns(short_runs);
}

void print_ratios(std::ostream& out, const std::vector<Family>& families, const Display& display) {
  constexpr std::size_t kWork = 28, kTime = 26;
  const std::string first = families.front().plugin, second = families.back().plugin;
  const auto times = [&](const std::string& name) -> const std::vector<double>* {
    const auto found = display.seconds().find(name);
    return found == display.seconds().end() ? nullptr : &found->second;
  };
  out << "\n" << padded("", kWork) << padded(first, kTime) << padded(second, kTime) << "ratio\n";
  for (const Family& family : families) {
    if (family.plugin != first) continue;
    for (const std::int64_t size : family.sizes) {
      Family other = family;
      other.plugin = second;
      const auto* ours = times(family.name(size));
      const auto* theirs = times(other.name(size));
      if (ours == nullptr || theirs == nullptr) continue;
      const Spread a = spread_of(*ours), b = spread_of(*theirs);
      char ratio[32];
      std::snprintf(ratio, sizeof ratio, "%.2f", b.median / a.median);
      out << padded(text(family.work.name, " ", family.size, ":", size), kWork) << padded(shown(a), kTime)
          << padded(shown(b), kTime) << ratio << "\n";
    }
  }
  out << "ratio: how many times as long " << second << " takes as " << first
      << "; medians, ± half of the range of the middle half\n";
}

}  // namespace osteon::bench
