#include "pipeline/run_comparison.hpp"

#include "pipeline/run_figures.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>

namespace osteon::pipeline {

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kSeed = 1;

/// Who the people of a name are: those of one source are others with another seed.
constexpr const char* kWhoTheyAre[] = {"source.plugin", "source.seed"};

/// The parameter that makes people of the same names others; "" where they are the same.
std::string other_people(const RunSetting& a, const RunSetting& b) {
  const auto value = [](const RunSetting& setting, const char* key) {
    const auto& parameters = setting.seeds.front().parameters;
    const auto found = parameters.find(key);
    return found == parameters.end() ? std::string() : found->second;
  };
  for (const char* key : kWhoTheyAre)
    if (value(a, key) != value(b, key)) return key;
  return "";
}

std::string short_number(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.2g", value);
  return digits;
}

std::string people_words(std::size_t people) { return people == 1 ? "1 person" : text(people, " people"); }

ComparedValue summary(const GatheredSetting& gathered) {
  ComparedValue value;
  value.setting = gathered.setting;
  std::vector<double> defined;
  for (const double one : gathered.values)
    if (std::isfinite(one)) defined.push_back(one);
  value.seeds = defined.size();
  if (!defined.empty()) value.mean = paired::mean(defined);
  value.deviation = paired::deviation(defined);
  value.count = gathered.count;
  value.people = gathered.people.size();
  if (defined.size() < gathered.values.size())
    value.notes.push_back(
        text("undefined in ", gathered.values.size() - defined.size(), " of ", gathered.values.size(), " seeds"));
  return value;
}

void note_p(ComparedValue& value) {
  const std::size_t people = value.paired;
  if (!value.p)
    value.notes.push_back(text("no p-value: with ", people_words(people), " paired the smallest possible one is 2/2^",
                               people, " = ", short_number(paired::smallest_p(people)), "; ", paired::fewest_for_p(),
                               " people are needed to go below ", short_number(paired::kLevel)));
  else if (people > paired::kMostForAllFlips)
    value.notes.push_back(text("p from ", paired::kFlips, " random sign flips of ", people, " people"));
}

void note_interval(ComparedValue& value, std::size_t seeds, std::size_t baseline_seeds) {
  if (!value.interval)
    value.notes.push_back(
        text("no interval: ", people_words(value.paired), " paired, ", paired::kFewestForInterval, " are needed"));
  else if (std::min(seeds, baseline_seeds) < 2)
    value.notes.emplace_back("one seed: the interval holds for these trainings, not for others");
}

/// Difference, interval and p of one setting against the baseline.
void compare_settings(const GatheredSetting& own, const GatheredSetting& baseline, ComparedValue& value) {
  const PairedPeople people = paired_people({&own, &baseline});
  value.paired = people.weights.size();
  if (value.paired == 0) {
    value.notes.emplace_back("no difference: nobody is measured in both");
    return;
  }
  const auto means = paired::over_seeds(people.settings[0]), others = paired::over_seeds(people.settings[1]);
  const double all = paired::mean(people.weights);
  std::vector<double> differences;
  for (std::size_t p = 0; p < means.size(); ++p)
    differences.push_back(people.weights[p] / all * (means[p] - others[p]));
  value.difference = paired::mean(differences);
  value.p = paired::sign_flips(differences, kSeed);
  if (value.paired >= paired::kFewestForInterval) {
    const auto samples = paired::bootstrap(people.weights, people.settings, kSeed);
    value.interval = paired::interval_of_difference(samples[0], samples[1]);
  }
  const std::size_t most = std::max(own.people.size(), baseline.people.size());
  if (value.paired < most)
    value.notes.push_back(text("over the ", value.paired, " of ", most, " people that both have"));
  note_interval(value, own.values.size(), baseline.values.size());
  note_p(value);
}

void rank(ComparedFigure& figure) {
  const auto is_better = [&](double a, double b) {  // by more than rounding
    return (figure.larger_is_better ? a - b : b - a) > 1e-9 * std::max(1.0, std::abs(b));
  };
  for (ComparedValue& value : figure.values) {
    if (!std::isfinite(value.mean)) continue;
    value.rank = 1 + static_cast<std::size_t>(std::ranges::count_if(
                         figure.values, [&](const ComparedValue& other) { return is_better(other.mean, value.mean); }));
  }
}

/// In which share of samples each setting comes first, of the people that all of them have.
void add_shares_of_first(const GatheredFigure& gathered, const std::vector<RunSetting>& settings,
                         ComparedFigure& figure) {
  std::vector<const GatheredSetting*> all;
  for (const GatheredSetting& one : gathered.settings) {
    if (!other_people(settings[one.setting], settings[gathered.settings.front().setting]).empty()) return;
    all.push_back(&one);
  }
  const PairedPeople people = paired_people(all);
  if (all.size() < 2 || people.weights.size() < 2) return;
  const auto shares =
      paired::shares_of_first(paired::bootstrap(people.weights, people.settings, kSeed), gathered.larger_is_better);
  for (std::size_t s = 0; s < shares.size(); ++s) figure.values[s].first = shares[s];
}

ComparedFigure compared(const GatheredFigure& gathered, const std::vector<RunSetting>& settings, std::size_t baseline) {
  ComparedFigure figure{gathered.row, gathered.column, gathered.unit, gathered.counted, gathered.larger_is_better, {}};
  const auto reference = std::ranges::find(gathered.settings, baseline, &GatheredSetting::setting);
  for (const GatheredSetting& own : gathered.settings) {
    ComparedValue value = summary(own);
    if (!gathered.has_one_unit) value.notes.emplace_back("not compared: its unit is not the same in all runs");
    if (!gathered.adds_up) value.notes.emplace_back("no difference: what its people add does not make the figure");
    if (own.setting != baseline && !own.people.empty()) {
      if (reference == gathered.settings.end())
        value.notes.emplace_back("no difference: the baseline does not have this figure");
      else if (const std::string key = other_people(settings[own.setting], settings[baseline]); !key.empty())
        value.notes.push_back(text("no difference: people of the same names are others, as ", key, " differs"));
      else
        compare_settings(own, *reference, value);
    }
    figure.values.push_back(std::move(value));
  }
  if (gathered.has_one_unit && figure.values.size() > 1) {
    rank(figure);
    add_shares_of_first(gathered, settings, figure);
  }
  return figure;
}

void correct(ComparedTable& table) {
  std::vector<std::optional<double>> p;
  for (const ComparedFigure& figure : table.figures)
    for (const ComparedValue& value : figure.values) p.push_back(value.p);
  table.comparisons =
      static_cast<std::size_t>(std::ranges::count_if(p, [](const auto& one) { return one.has_value(); }));
  const auto corrected = paired::holm(p);
  std::size_t i = 0;
  for (ComparedFigure& figure : table.figures)
    for (ComparedValue& value : figure.values) value.corrected = corrected[i++];
}

void require_common_figure(const std::vector<RunSetting>& settings, const std::vector<ComparedTable>& tables) {
  if (settings.size() < 2) return;
  for (const ComparedTable& table : tables)
    for (const ComparedFigure& figure : table.figures)
      if (figure.values.size() > 1) return;
  std::string names;
  for (const RunSetting& setting : settings)
    names += (names.empty() ? "" : "; ") + setting.seeds.front().folder.string();
  throw Error(
      "the runs have no figure in common (table, row and column would have to agree): give them the same "
      "metrics and run them again, which costs nothing but the metrics: " +
      names);
}

void keep(std::vector<ComparedTable>& tables, const std::vector<std::string>& wanted) {
  if (wanted.empty()) return;
  std::string names;
  for (const ComparedTable& table : tables) names += (names.empty() ? "" : "; ") + table.name;
  std::erase_if(tables, [&](const ComparedTable& table) {
    return std::ranges::none_of(wanted,
                                [&](const std::string& part) { return table.name.find(part) != std::string::npos; });
  });
  if (tables.empty()) throw Error(text("no table's name contains \"", wanted.front(), "\"; there are: ", names));
}

}  // namespace

std::vector<ComparedTable> compared_tables(const std::vector<RunSetting>& settings, std::size_t baseline) {
  std::vector<ComparedTable> tables;
  for (const GatheredFigure& figure : gathered_figures(settings)) {
    auto table = std::ranges::find(tables, figure.table, &ComparedTable::name);
    if (table == tables.end()) table = tables.insert(table, ComparedTable{figure.table, 0, {}});
    table->figures.push_back(compared(figure, settings, baseline));
  }
  for (ComparedTable& table : tables) correct(table);
  return tables;
}

RunComparison compare_runs(std::vector<fs::path> folders, const std::string& baseline,
                           const std::vector<std::string>& wanted) {
  if (!baseline.empty() && fs::is_directory(baseline)) folders.emplace_back(baseline);
  RunComparison comparison;
  RunResults results = read_runs(folders);
  comparison.notices = results.notices;
  comparison.settings = settings_of(std::move(results), comparison.notices);
  if (!baseline.empty()) comparison.baseline = find_setting(comparison.settings, baseline);
  comparison.tables = compared_tables(comparison.settings, comparison.baseline);
  require_common_figure(comparison.settings, comparison.tables);
  keep(comparison.tables, wanted);
  return comparison;
}

}  // namespace osteon::pipeline
