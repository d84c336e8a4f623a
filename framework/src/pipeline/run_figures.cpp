#include "pipeline/run_figures.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <tuple>

namespace osteon::pipeline {

namespace {

/// The same figure of each run of each setting: `[setting][seed]`, null where a run lacks it.
struct Cells {
  const MetricValue* first = nullptr;
  std::vector<std::vector<const MetricValue*>> of;

  /// Calls `use` with every value there is.
  void each(const std::function<void(const MetricValue&)>& use) const {
    for (const auto& setting : of)
      for (const MetricValue* value : setting)
        if (value != nullptr) use(*value);
  }
};

std::vector<Cells> all_cells(const std::vector<RunSetting>& settings) {
  std::vector<Cells> all;
  std::map<std::tuple<std::string, std::string, std::string>, std::size_t> place;
  for (std::size_t s = 0; s < settings.size(); ++s)
    for (std::size_t r = 0; r < settings[s].seeds.size(); ++r)
      for (const MetricValue& value : settings[s].seeds[r].values) {
        if (value.is_baseline) continue;
        const auto [known, is_new] = place.try_emplace({value.table, value.row, value.column}, all.size());
        if (is_new) {
          all.push_back({&value, {}});
          for (const RunSetting& setting : settings) all.back().of.emplace_back(setting.seeds.size());
        }
        all[known->second].of[s][r] = &value;
      }
  return all;
}

double mean_of(const std::vector<PersonPart>& people) {
  double sum = 0, count = 0;
  for (const PersonPart& part : people) sum += part.sum, count += part.count;
  return sum / count;
}

/// How many of `count`, which `MetricValue::people` holds in percent.
bool is_number_of(const MetricValue& value) { return value.count > 0 && value.unit == text("of ", value.count); }

double in_percent(const MetricValue& value) {
  return is_number_of(value) ? 100 * value.value / static_cast<double>(value.count) : value.value;
}

bool agrees(double a, double b) { return std::abs(a - b) <= 1e-6 * std::max(1.0, std::abs(b)); }

/// Whether the people make every figure, read so.
bool agree(const Cells& cells, const std::function<double(const MetricValue&)>& read) {
  bool result = true;
  cells.each([&](const MetricValue& value) {
    if (!value.people.empty() && std::isfinite(value.value)) result &= agrees(mean_of(value.people), read(value));
  });
  return result;
}

/// The units of the defined values, numbers of so many read as percentages or as they stand.
std::set<std::string> units_of(const Cells& cells, bool percent) {
  std::set<std::string> units;
  cells.each([&](const MetricValue& value) {
    if (std::isfinite(value.value)) units.insert(percent && is_number_of(value) ? "%" : value.unit);
  });
  return units;
}

bool has_people(const Cells& cells) {
  bool result = false;
  cells.each([&](const MetricValue& value) { result |= !value.people.empty(); });
  return result;
}

std::map<std::string, PersonOverSeeds> people_of(const std::vector<const MetricValue*>& seeds) {
  std::map<std::string, PersonOverSeeds> people;
  for (const MetricValue* seed : seeds)
    for (const PersonPart& part : seed->people) {
      if (!(part.count > 0) || !std::isfinite(part.sum)) continue;
      people[part.person].means.push_back(part.sum / part.count);
      people[part.person].weight += part.count / static_cast<double>(seeds.size());
    }
  std::erase_if(people, [&](const auto& one) { return one.second.means.size() < seeds.size(); });
  return people;
}

GatheredFigure gathered_figure(const Cells& cells) {
  const MetricValue& first = *cells.first;
  GatheredFigure figure{first.table, first.row, first.column, first.unit, first.counted, first.larger_is_better};
  const bool is_mean = agree(cells, [](const MetricValue& value) { return value.value; });
  const bool is_share = agree(cells, in_percent);
  // Numbers of 3 are read as percentages where the people say so, and where they would not be comparable otherwise.
  const bool percent = has_people(cells)
                           ? is_share && (!is_mean || units_of(cells, false).size() > 1 || is_number_of(first))
                           : units_of(cells, false).size() > 1;
  figure.adds_up = is_mean || is_share;
  const std::set<std::string> units = units_of(cells, percent);
  if (!units.empty()) figure.unit = *units.begin();
  figure.has_one_unit = units.size() < 2;
  for (std::size_t s = 0; s < cells.of.size(); ++s) {
    GatheredSetting setting{s};
    std::vector<const MetricValue*> there;
    for (const MetricValue* value : cells.of[s])
      if (value != nullptr) there.push_back(value);
    if (there.empty()) continue;
    setting.count = there.front()->count;
    for (const MetricValue* value : there) setting.values.push_back(percent ? in_percent(*value) : value->value);
    if (figure.adds_up && figure.has_one_unit) setting.people = people_of(there);
    figure.settings.push_back(std::move(setting));
  }
  return figure;
}

}  // namespace

std::vector<GatheredFigure> gathered_figures(const std::vector<RunSetting>& settings) {
  std::vector<GatheredFigure> figures;
  for (const Cells& cells : all_cells(settings)) figures.push_back(gathered_figure(cells));
  return figures;
}

double value_in(const std::string& unit, const MetricValue& value) {
  return unit == "%" ? in_percent(value) : value.value;
}

PairedPeople paired_people(const std::vector<const GatheredSetting*>& settings) {
  PairedPeople result;
  for (const GatheredSetting* setting : settings) result.settings.emplace_back(setting->values.size());
  for (const auto& [person, own] : settings.front()->people) {
    const auto known = [&](const GatheredSetting* setting) { return setting->people.contains(person); };
    if (!std::ranges::all_of(settings, known)) continue;
    double weight = 0;
    for (std::size_t s = 0; s < settings.size(); ++s) {
      const PersonOverSeeds& part = settings[s]->people.at(person);
      weight += part.weight / static_cast<double>(settings.size());
      for (std::size_t r = 0; r < part.means.size(); ++r) result.settings[s][r].push_back(part.means[r]);
    }
    result.weights.push_back(weight);
  }
  return result;
}

}  // namespace osteon::pipeline
