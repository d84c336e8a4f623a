#pragma once

// What is printed while benchmarks run, and the table of ratios after a comparison.

#include "bench/measure.hpp"

#include <benchmark/benchmark.h>

#include <iosfwd>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace osteon::bench {

using Facts = std::vector<std::pair<std::string, std::string>>;

/// Google Benchmark's own table, without the ends of names that are the same in all ("/process_time/real_time") and,
/// where benchmarks repeat, without every repetition; how a family grows is one line below it. Keeps the times.
class Display : public benchmark::ConsoleReporter {
 public:
  /// `facts` go into the file's context and not to the terminal.
  Display(OutputOptions options, const std::vector<Family>& families, Facts facts)
      : ConsoleReporter(options), families_(&families), facts_(std::move(facts)) {}

  bool ReportContext(const Context& context) override;
  void ReportRuns(const std::vector<Run>& runs) override;

  /// Seconds of every repetition, by the benchmark's name.
  [[nodiscard]] const std::map<std::string, std::vector<double>>& seconds() const { return seconds_; }

 private:
  void print_growth(const Run& fit, const Run& misfit);

  const std::vector<Family>* families_;
  Facts facts_;
  std::map<std::string, std::vector<double>> seconds_;
};

/// The file, with the same short names.
class JsonFile : public benchmark::JSONReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override;
};

/// One line a benchmark that both plugins have: median and spread of each, and how many times as long `other` takes.
void print_ratios(std::ostream& out, const std::vector<Family>& families, const Display& display);

}  // namespace osteon::bench
