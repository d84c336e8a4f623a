// Result tables: a row for each method, trivial rows quieter, an arrow that says which way is better, the number of
// bones or people behind each figure, notes below.

#include "markup.hpp"
#include "page.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace osteon::report {

namespace {

/// Position of `word` in `words`, which grows by it when it is new.
std::size_t place_of(std::vector<std::string>& words, const std::string& word) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found != words.end()) return static_cast<std::size_t>(found - words.begin());
  words.push_back(word);
  return words.size() - 1;
}

/// "200,000".
std::string grouped(std::int64_t count) {
  std::string digits = std::to_string(count);
  for (std::ptrdiff_t place = std::ssize(digits) - 3; place > (count < 0 ? 1 : 0); place -= 3)
    digits.insert(static_cast<std::size_t>(place), 1, ',');
  return digits;
}

std::string counted_text(const MetricValue& value) {
  return value.counted.empty() ? std::string() : text(grouped(value.count), " ", value.counted);
}

using Values = std::vector<const MetricValue*>;

const MetricValue* find(const Values& values, const std::string& row, const std::string& column) {
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](const MetricValue* v) { return v->row == row && v->column == column; });
  return found == values.end() ? nullptr : *found;
}

/// What most values of a column count: said once, above them. Nothing where no count is that of more than half.
std::string usual_count(const Values& values, const std::string& column) {
  std::map<std::string, std::size_t> counts;
  std::size_t all = 0;
  for (const MetricValue* value : values) {
    if (value->column != column) continue;
    ++counts[counted_text(*value)];
    ++all;
  }
  for (const auto& [counted, count] : counts)
    if (2 * count > all) return counted;
  return "";
}

using Counts = std::map<std::string, std::string>;  // column → its usual count

std::string head(const Values& values, const std::vector<std::string>& columns, const Counts& usual) {
  std::string html = "<thead><tr><th scope=\"col\"></th>";
  for (const std::string& column : columns) {
    const auto first =
        std::find_if(values.begin(), values.end(), [&](const MetricValue* v) { return v->column == column; });
    const bool up = (*first)->larger_is_better;
    const std::string& counted = usual.at(column);
    html += text("<th scope=\"col\">", escaped(column), " <span class=\"arrow\" title=\"", up ? "larger" : "smaller",
                 " is better\">", up ? "↑" : "↓", "</span>",
                 counted.empty() ? "" : text("<small>", escaped(counted), "</small>"), "</th>");
  }
  return html + "</tr></thead>\n";
}

std::string cell(const MetricValue* value, const Counts& usual, std::vector<std::string>& notes) {
  if (value == nullptr) return "<td class=\"none\" data-v=\"\">–</td>";
  std::string html =
      text("<td class=\"", value->is_baseline ? "baseline" : "own", "\" data-v=\"",
           std::isfinite(value->value) ? number(value->value, 9) : "", "\">", escaped(plain_text(*value)));
  if (!value->note.empty()) html += text("<sup>", place_of(notes, value->note) + 1, "</sup>");
  if (const std::string interval = interval_text(*value); !interval.empty())
    html += text("<small>", escaped(interval), "</small>");
  if (const std::string counted = counted_text(*value); counted != usual.at(value->column))
    html += text("<small>", escaped(counted), "</small>");
  return html + "</td>";
}

/// The note of all values of a table when they share one.
std::string common_note(const Values& values) {
  const std::string& first = values.front()->note;
  const bool shared = std::all_of(values.begin(), values.end(), [&](const MetricValue* v) { return v->note == first; });
  return shared && values.size() > 1 ? first : std::string();
}

std::string table(const std::string& name, const Values& given) {
  const std::string common = common_note(given);
  std::vector<MetricValue> plain;
  for (const MetricValue* value : given) {
    plain.push_back(*value);
    if (!common.empty()) plain.back().note.clear();
  }
  Values values;
  for (const MetricValue& value : plain) values.push_back(&value);
  std::vector<std::string> rows, columns, notes;
  for (const MetricValue* value : values) {
    place_of(rows, value->row);
    place_of(columns, value->column);
  }
  Counts usual;
  for (const std::string& column : columns) usual[column] = usual_count(values, column);
  std::string body;
  for (const std::string& row : rows) {
    const bool baseline = std::all_of(values.begin(), values.end(),
                                      [&](const MetricValue* v) { return v->row != row || v->is_baseline; });
    body += text("<tr class=\"", baseline ? "baseline" : "own", "\"><th scope=\"row\">", escaped(row), "</th>");
    for (const std::string& column : columns) body += cell(find(values, row, column), usual, notes);
    body += "</tr>\n";
  }
  std::string html =
      text("<article class=\"result\"><h3>", escaped(name), "</h3>\n<div class=\"wide\"><table class=\"sortable\">",
           head(values, columns, usual), "<tbody>\n", body, "</tbody></table></div>\n");
  if (!common.empty()) html += text("<p class=\"note\">", escaped(common), "</p>\n");
  for (std::size_t i = 0; i < notes.size(); ++i)
    html += text("<p class=\"note\"><sup>", i + 1, "</sup> ", escaped(notes[i]), "</p>\n");
  return html + "</article>\n";
}

}  // namespace

std::string result_tables(const std::vector<MetricValue>& values) {
  std::vector<std::string> names;
  std::vector<Values> members;
  bool has_interval = false;
  for (const MetricValue& value : values) {
    const std::size_t place = place_of(names, value.table);
    members.resize(names.size());
    members[place].push_back(&value);
    has_interval = has_interval || value.interval;
  }
  std::string html = "<div class=\"results\">\n";
  for (std::size_t i = 0; i < names.size(); ++i) html += table(names[i], members[i]);
  html +=
      "</div>\n<p class=\"quiet\">Quieter rows are trivial methods and bounds that a method has to be compared with. ↑ "
      "larger is better, ↓ "
      "smaller is better.";
  html += has_interval ? " Brackets are 95 % intervals over people or bones, never over images.</p>\n"
                       : " No intervals: there are too few people for one.</p>\n";
  return html;
}

}  // namespace osteon::report
