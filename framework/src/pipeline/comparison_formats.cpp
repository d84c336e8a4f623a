// A comparison as Markdown, LaTeX, CSV and JSON.

#include "pipeline/comparison_text.hpp"
#include "pipeline/paired_statistics.hpp"

#include <osteon/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace osteon::pipeline {

namespace {

using Json = nlohmann::ordered_json;

std::string replaced(std::string words, std::string_view what, std::string_view by) {
  for (std::size_t at = words.find(what); at != std::string::npos; at = words.find(what, at + by.size()))
    words.replace(at, what.size(), by);
  return words;
}

std::size_t width_of(std::string_view words) {
  return static_cast<std::size_t>(std::ranges::count_if(words, [](char c) { return (c & 0xC0) != 0x80; }));
}

/// A cell of a Markdown table: a bar would end it, a new line the table.
std::string markdown_cell(std::string words) {
  std::ranges::replace(words, '\n', ' ');
  return replaced(std::move(words), "|", "\\|");
}

/// Numbers at the right, with the minus that is as wide as the plus.
std::string markdown_table(std::vector<std::vector<std::string>> rows, std::size_t texts) {
  std::vector<std::size_t> width(rows.front().size(), 3);
  for (auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c) {
      row[c] = markdown_cell(c < texts ? row[c] : replaced(row[c], "-", "−"));
      width[c] = std::max(width[c], width_of(row[c]));
    }
  std::string table;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      const std::string space(width[c] - width_of(rows[r][c]), ' ');
      table += c < texts ? "| " + rows[r][c] + space + " " : "| " + space + rows[r][c] + " ";
    }
    table += "|\n";
    if (r > 0) continue;
    for (std::size_t c = 0; c < width.size(); ++c)
      table += text('|', c < texts ? ":" : "", std::string(width[c] + 1, '-'), c < texts ? "" : ":");
    table += "|\n";
  }
  return table;
}

std::string superscript(const std::string& marks) {
  static constexpr std::array kDigits{"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string result;
  for (const char c : marks) result += c == ',' ? "," : kDigits[static_cast<std::size_t>(c - '0')];
  return result;
}

std::string seeds_text(const RunSetting& setting) {
  std::string seeds;
  for (const RunResult& run : setting.seeds) seeds += (seeds.empty() ? "" : ", ") + run.training_seed;
  return seeds;
}

std::string settings_markdown(const RunComparison& comparison) {
  std::vector<std::vector<std::string>> rows{{"setting", "seeds", "runs"}};
  for (std::size_t s = 0; s < comparison.settings.size(); ++s) {
    const RunSetting& setting = comparison.settings[s];
    std::string runs = setting.seeds.front().folder.string();
    if (setting.seeds.size() > 1) runs += text(" and ", setting.seeds.size() - 1, " more");
    const bool is_baseline = comparison.settings.size() > 1 && s == comparison.baseline;
    rows.push_back({setting.name + (is_baseline ? " (baseline)" : ""), seeds_text(setting), runs});
  }
  return markdown_table(rows, 3);
}

std::string latex_cell(const std::string& words) { return latex_escaped(replaced(words, "-", "−")); }

std::string latex_row(const ComparedLine& line) {
  std::string row = text("    ", latex_escaped(line.cells[0]));
  for (std::size_t c = 1; c < line.cells.size(); ++c) {
    row += text(" & ", latex_cell(line.cells[c]));
    if (c == 1 && !line.marks.empty()) row += "\\textsuperscript{" + line.marks + "}";
  }
  return row + " \\\\\n";
}

std::string plain_number(double value) {
  if (!std::isfinite(value)) return "";
  char digits[40];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

std::string plain_number(const std::optional<double>& value) { return value ? plain_number(*value) : ""; }

std::string csv_line(const std::vector<std::string>& fields) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) line += ',';
    const bool is_plain = fields[i].find_first_of(",\"\r\n") == std::string::npos;
    line += is_plain ? fields[i] : text('"', replaced(fields[i], "\"", "\"\""), '"');
  }
  return line + "\r\n";
}

Json json_number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }
Json json_number(const std::optional<double>& value) { return value ? json_number(*value) : Json(nullptr); }

Json json_of(const ComparedValue& value, const RunComparison& comparison) {
  Json interval;
  if (value.interval) interval = {value.interval->first, value.interval->second};
  return {{"setting", comparison.settings[value.setting].name},
          {"seeds", value.seeds},
          {"mean", json_number(value.mean)},
          {"deviation", json_number(value.deviation)},
          {"count", value.count},
          {"people", value.people},
          {"paired", value.paired},
          {"difference", json_number(value.difference)},
          {"interval", interval},
          {"p", json_number(value.p)},
          {"p_holm", json_number(value.corrected)},
          {"rank", value.rank > 0 ? Json(value.rank) : Json(nullptr)},
          {"first", json_number(value.first)},
          {"notes", value.notes}};
}

}  // namespace

std::string to_markdown(const RunComparison& comparison) {
  std::string page = settings_markdown(comparison) + "\n";
  for (const std::string& method : methods_of(comparison)) page += method + "\n";
  for (const std::string& notice : comparison.notices) page += "\nNote: " + notice + "\n";
  for (const ComparedTable& table : comparison.tables) {
    page += "\n## " + table.name + "\n";
    if (table.comparisons > 0) page += text("\np by Holm over ", table.comparisons, " comparisons.\n");
    Footnotes notes;
    for (const ComparedFigure& figure : table.figures) {
      std::vector<std::vector<std::string>> rows{column_names(comparison)};
      for (ComparedLine& line : lines_of(figure, comparison, notes)) {
        if (!line.marks.empty()) line.cells[1] += text(" ", superscript(line.marks));
        rows.push_back(line.cells);
      }
      page += text("\n**", title_of(figure), "**\n\n", markdown_table(rows, 1));
    }
    for (std::size_t n = 0; n < notes.all().size(); ++n)
      page += text(n == 0 ? "\n" : "", "- ", superscript(std::to_string(n + 1)), " ", notes.all()[n], "\n");
  }
  return page;
}

std::string latex_escaped(std::string_view words) {
  static constexpr std::pair<std::string_view, std::string_view> kSigns[] = {{"\\", "\\textbackslash{}"},
                                                                             {"{", "\\{"},
                                                                             {"}", "\\}"},
                                                                             {"$", "\\$"},
                                                                             {"&", "\\&"},
                                                                             {"%", "\\%"},
                                                                             {"#", "\\#"},
                                                                             {"_", "\\_"},
                                                                             {"^", "\\textasciicircum{}"},
                                                                             {"~", "\\textasciitilde{}"},
                                                                             {"<", "\\textless{}"},
                                                                             {">", "\\textgreater{}"},
                                                                             {"|", "\\textbar{}"},
                                                                             {"\"", "''"},
                                                                             {"–", "--"},
                                                                             {"±", "$\\pm$"},
                                                                             {"−", "$-$"},
                                                                             {"×", "$\\times$"},
                                                                             {"→", "$\\to$"},
                                                                             {"°", "\\textdegree{}"},
                                                                             {"µ", "\\textmu{}"},
                                                                             {"≤", "$\\le$"},
                                                                             {"≥", "$\\ge$"},
                                                                             {"\n", " "}};
  std::string result;
  while (!words.empty()) {
    const auto* sign = std::ranges::find_if(kSigns, [&](const auto& one) { return words.starts_with(one.first); });
    const bool is_plain = sign == std::end(kSigns);
    result += is_plain ? words.substr(0, 1) : sign->second;
    words.remove_prefix(is_plain ? 1 : sign->first.size());
  }
  return result;
}

std::string to_latex(const RunComparison& comparison) {
  std::string page = "% Of `osteon compare`; needs \\usepackage{booktabs}.\n";
  for (const std::string& method : methods_of(comparison)) page += "% " + method + "\n";
  for (const std::string& notice : comparison.notices) page += text("% Note: ", replaced(notice, "\n", " "), "\n");
  const auto columns = column_names(comparison);
  for (const ComparedTable& table : comparison.tables) {
    page += text("\n\\begin{table}\n  \\caption{", latex_escaped(table.name));
    if (table.comparisons > 0) page += text(" ($p$ by Holm over ", table.comparisons, " comparisons)");
    page += text("}\n  \\begin{tabular}{l", std::string(columns.size() - 1, 'r'), "}\n    \\toprule\n    ");
    for (std::size_t c = 0; c < columns.size(); ++c) page += (c > 0 ? " & " : "") + latex_escaped(columns[c]);
    page += " \\\\\n";
    Footnotes notes;
    for (const ComparedFigure& figure : table.figures) {
      page += text("    \\midrule\n    \\multicolumn{", columns.size(), "}{l}{\\emph{", latex_escaped(title_of(figure)),
                   "}} \\\\\n");
      for (const ComparedLine& line : lines_of(figure, comparison, notes)) page += latex_row(line);
    }
    page += "    \\bottomrule\n  \\end{tabular}\n";
    for (std::size_t n = 0; n < notes.all().size(); ++n)
      page += text("  \\par\\footnotesize\\textsuperscript{", n + 1, "}~", latex_escaped(notes.all()[n]), "\n");
    page += "\\end{table}\n";
  }
  return page;
}

std::string to_csv(const RunComparison& comparison) {
  std::string csv =
      csv_line({"table",      "row",          "column",           "setting", "baseline", "seeds",       "mean",
                "deviation",  "unit",         "larger_is_better", "count",   "counted",  "people",      "paired",
                "difference", "interval_low", "interval_high",    "p",       "p_holm",   "comparisons", "rank",
                "first",      "notes"});
  for (const ComparedTable& table : comparison.tables)
    for (const ComparedFigure& figure : table.figures)
      for (const ComparedValue& value : figure.values) {
        std::string notes;
        for (const std::string& note : value.notes) notes += (notes.empty() ? "" : "; ") + note;
        csv += csv_line({table.name,
                         figure.row,
                         figure.column,
                         comparison.settings[value.setting].name,
                         value.setting == comparison.baseline ? "true" : "false",
                         std::to_string(value.seeds),
                         plain_number(value.mean),
                         plain_number(value.deviation),
                         figure.unit,
                         figure.larger_is_better ? "true" : "false",
                         std::to_string(value.count),
                         figure.counted,
                         std::to_string(value.people),
                         std::to_string(value.paired),
                         plain_number(value.difference),
                         value.interval ? plain_number(value.interval->first) : "",
                         value.interval ? plain_number(value.interval->second) : "",
                         plain_number(value.p),
                         plain_number(value.corrected),
                         std::to_string(table.comparisons),
                         value.rank > 0 ? std::to_string(value.rank) : "",
                         plain_number(value.first),
                         notes});
      }
  return csv;
}

std::string to_json(const RunComparison& comparison) {
  Json settings = Json::array(), tables = Json::array();
  for (const RunSetting& setting : comparison.settings) {
    Json parameters = Json::object(), seeds = Json::array(), runs = Json::array();
    for (const auto& [key, value] : setting.differing) parameters[key] = value;
    for (const RunResult& run : setting.seeds) {
      seeds.push_back(run.training_seed);
      runs.push_back(run.folder.string());
    }
    settings.push_back({{"name", setting.name}, {"parameters", parameters}, {"seeds", seeds}, {"runs", runs}});
  }
  for (const ComparedTable& table : comparison.tables) {
    Json figures = Json::array();
    for (const ComparedFigure& figure : table.figures) {
      Json values = Json::array();
      for (const ComparedValue& value : figure.values) values.push_back(json_of(value, comparison));
      figures.push_back({{"row", figure.row},
                         {"column", figure.column},
                         {"unit", figure.unit},
                         {"larger_is_better", figure.larger_is_better},
                         {"counted", figure.counted},
                         {"values", values}});
    }
    tables.push_back({{"table", table.name}, {"comparisons", table.comparisons}, {"figures", figures}});
  }
  const Json file = {{"baseline", comparison.settings[comparison.baseline].name},
                     {"settings", settings},
                     {"methods", methods_of(comparison)},
                     {"notices", comparison.notices},
                     {"tables", tables}};
  return file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace osteon::pipeline
