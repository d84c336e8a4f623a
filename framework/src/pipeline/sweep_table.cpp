#include "pipeline/sweep_table.hpp"

#include <osteon/error.hpp>

#include <cmath>
#include <map>

namespace osteon::pipeline {

namespace {

std::string setting(const config::Point& point) {
  std::string result;
  for (const auto& [path, value] : point.changes) result += (result.empty() ? "" : ", ") + path + " = " + value;
  return result.empty() ? "as in the file" : result;
}

std::string csv_field(const std::string& field) {
  if (field.find_first_of(",\"\n") == std::string::npos) return field;
  std::string result = "\"";
  for (const char c : field) result += c == '"' ? "\"\"" : std::string(1, c);
  return result + '"';
}

}  // namespace

std::vector<MetricValue> sweep_table(const config::Plan& plan, const SweepResults& results) {
  // One table a metric table, rows are settings, columns "row: column" of the methods' own figures.
  struct Cell {
    MetricValue first;
    std::vector<double> values;
  };
  std::vector<std::pair<std::string, Cell>> cells;  // in order of appearance
  std::map<std::string, std::size_t> position;
  for (std::size_t i = 0; i < results.size(); ++i)
    for (const MetricValue& value : results[i].value_or(std::vector<MetricValue>())) {
      if (value.is_baseline) continue;
      const std::string row = setting(plan.points[i]),
                        key = value.table + "\n" + row + "\n" + value.row + "\n" + value.column;
      const auto [where, is_new] = position.emplace(key, cells.size());
      if (is_new) {
        MetricValue shown = value;
        shown.row = row;
        shown.column = value.row + ": " + value.column;
        shown.interval.reset();
        cells.push_back({row, {shown, {}}});
      }
      cells[where->second].second.values.push_back(value.value);
    }

  std::vector<MetricValue> table;
  for (auto& [row, cell] : cells) {
    double sum = 0, squares = 0;
    for (const double v : cell.values) sum += v;
    const double n = static_cast<double>(cell.values.size()), mean = sum / n;
    for (const double v : cell.values) squares += (v - mean) * (v - mean);
    cell.first.value = mean;
    if (cell.values.size() > 1) {
      char spread[64];
      std::snprintf(spread, sizeof spread, "± %.3g over %zu seeds", std::sqrt(squares / (n - 1)), cell.values.size());
      cell.first.note = spread;
    }
    table.push_back(cell.first);
  }
  return table;
}

std::string sweep_csv(const config::Plan& plan, const SweepResults& results) {
  std::string csv = "point,setting,repeat,table,row,column,value,unit,count,counted,baseline\n";
  for (std::size_t i = 0; i < results.size(); ++i)
    for (const MetricValue& v : results[i].value_or(std::vector<MetricValue>())) {
      csv +=
          text(i + 1, ",", csv_field(setting(plan.points[i])), ",", plan.points[i].repeat + 1, ",", csv_field(v.table),
               ",", csv_field(v.row), ",", csv_field(v.column), ",", std::isnan(v.value) ? "" : text(v.value), ",",
               csv_field(v.unit), ",", v.count, ",", v.counted, ",", v.is_baseline ? "yes" : "no", "\n");
    }
  return csv;
}

}  // namespace osteon::pipeline
