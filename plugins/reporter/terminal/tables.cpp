// Figures as tables of box characters; see the header.

#include "tables.hpp"

#include "words.hpp"

#include <osteon/error.hpp>
#include <osteon/reporter.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

namespace osteon::terminal {

namespace {

/// Position of `word` in `words`, at the end if it is new.
std::size_t place(std::vector<std::string>& words, const std::string& word) {
  const auto found = std::ranges::find(words, word);
  const auto at = static_cast<std::size_t>(found - words.begin());
  if (found == words.end()) words.push_back(word);
  return at;
}

std::string superscript(std::size_t number) {
  static constexpr const char* kDigits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string result;
  for (const char digit : std::to_string(number)) result += kDigits[digit - '0'];
  return result;
}

/// One table: texts of its cells, and what is said below it.
class Table {
 public:
  explicit Table(std::string title) : title_(std::move(title)) {}

  void add(const MetricValue& value) {
    const std::size_t row = place(rows_, harmless(value.row)), column = place(columns_, harmless(value.column));
    MetricValue without_note = value;
    without_note.note.clear();
    std::string cell = harmless(to_text(without_note));
    if (!value.note.empty()) cell += superscript(place(notes_, harmless(value.note)) + 1);
    cells_[{row, column}] = cell;
    if (value.is_baseline) baselines_.insert(row);
    if (!value.counted.empty()) counts_[column].insert({value.counted, value.count});
    // A person's bones are drawn together.
    const bool are_drawn_by_person = !value.people.empty() && std::ssize(value.people) < value.count;
    if (value.interval) interval_units_.insert(are_drawn_by_person ? "people" : value.counted);
    (value.larger_is_better ? some_larger_ : some_smaller_) = true;
  }

  void print(Screen& screen) const {
    if (screen.is_terminal() && total_width() > screen.width()) {
      print_list(screen);
    } else {
      print_box(screen);
    }
    const std::string legend = join({counted_text(), direction_text(), interval_text()});
    if (!legend.empty()) screen.line(screen.painted(Style::dim, text(" ", legend)));
    for (std::size_t i = 0; i < notes_.size(); ++i)
      screen.line(screen.painted(Style::dim, text(" ", superscript(i + 1), " ", notes_[i])));
  }

 private:
  /// Rows in the order of printing: the method's, then the trivial ones.
  [[nodiscard]] std::vector<std::size_t> row_order() const {
    std::vector<std::size_t> order(rows_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::ranges::stable_partition(order, [this](std::size_t row) { return !baselines_.contains(row); });
    return order;
  }

  [[nodiscard]] std::string cell(std::size_t row, std::size_t column) const {
    const auto found = cells_.find({row, column});
    return found == cells_.end() ? "–" : found->second;
  }

  /// Of the row labels, then of each column. A head "─ seen ─" needs two columns more than its word.
  [[nodiscard]] std::vector<std::int64_t> widths() const {
    std::vector<std::int64_t> result{width_of(title_) + 1};
    for (const std::string& row : rows_) result[0] = std::max(result[0], width_of(row));
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      std::int64_t width = columns_[column].empty() ? 0 : width_of(columns_[column]) + 2;
      for (std::size_t row = 0; row < rows_.size(); ++row) width = std::max(width, width_of(cell(row, column)));
      result.push_back(width);
    }
    return result;
  }

  [[nodiscard]] std::int64_t total_width() const {
    std::int64_t total = 2;
    for (const std::int64_t width : widths()) total += width + 3;
    return total;
  }

  void print_box(Screen& screen) const {
    const std::vector<std::int64_t> width = widths();
    const auto rule = [&width](const char* left, const char* between, const char* right) {
      std::string line = text(" ", left);
      for (std::size_t i = 0; i < width.size(); ++i)
        line += repeated("─", width[i] + 2) + (i + 1 < width.size() ? between : right);
      return line;
    };
    std::string head = " ┌ " + title_ + " " + repeated("─", width[0] - width_of(title_));
    for (std::size_t column = 0; column < columns_.size(); ++column) {
      const std::string& name = columns_[column];
      head += name.empty() ? "┬" : "┬─ " + name + " ";
      head += repeated("─", width[column + 1] + 2 - (name.empty() ? 0 : width_of(name) + 3));
    }
    screen.line(head + "┐");
    bool is_first = true, after_baseline = false;
    for (const std::size_t row : row_order()) {
      const bool is_baseline = baselines_.contains(row);
      if (is_baseline && !after_baseline && !is_first) screen.line(rule("├", "┼", "┤"));
      is_first = false;
      after_baseline = is_baseline;
      const Style style = is_baseline ? Style::plain : Style::bold;
      std::string line = text(" │ ", screen.painted(style, padded(rows_[row], width[0])), " │");
      for (std::size_t column = 0; column < columns_.size(); ++column)
        line += text(" ", screen.painted(style, padded(cell(row, column), width[column + 1], true)), " │");
      screen.line(line);
    }
    screen.line(rule("└", "┴", "┘"));
  }

  void print_list(Screen& screen) const {
    screen.line(" " + title_);
    for (const std::size_t row : row_order()) {
      screen.line("   " + screen.painted(baselines_.contains(row) ? Style::plain : Style::bold, rows_[row]));
      for (std::size_t column = 0; column < columns_.size(); ++column)
        if (cells_.contains({row, column}))
          screen.line("     " + (columns_[column].empty() ? "" : columns_[column] + ": ") + cell(row, column));
    }
  }

  /// "over 3 bones", "seen: 9 bones, never trained: 3 bones", or the range within the columns that differ.
  [[nodiscard]] std::string counted_text() const {
    const auto range = [](const std::set<std::pair<std::string, std::int64_t>>& counts) {
      std::map<std::string, std::pair<std::int64_t, std::int64_t>> ranges;
      for (const auto& [counted, count] : counts) {
        const auto [found, is_new] = ranges.try_emplace(counted, count, count);
        found->second = {std::min(found->second.first, count), std::max(found->second.second, count)};
      }
      std::string words;
      for (const auto& [counted, bounds] : ranges)
        words += (words.empty() ? "" : " or ") +
                 (bounds.first == bounds.second ? "" : thousands(bounds.first) + " to ") +
                 amount(bounds.second, harmless(counted));
      return words;
    };
    if (counts_.empty()) return "";
    const auto& first = counts_.begin()->second;
    if (std::ranges::all_of(counts_, [&first](const auto& entry) { return entry.second == first; }))
      return "over " + range(first);
    std::string words;
    for (const auto& [column, counts] : counts_)
      words += (words.empty() ? "" : ", ") + columns_[column] + ": " + range(counts);
    return words;
  }

  [[nodiscard]] std::string direction_text() const { return some_smaller_ && !some_larger_ ? "smaller is better" : ""; }

  [[nodiscard]] std::string interval_text() const {
    if (interval_units_.empty()) return "";
    const std::string unit = interval_units_.size() == 1 ? *interval_units_.begin() : "";
    return "brackets: 95 % intervals over " + (unit == "bones" || unit == "people" ? unit : "people or bones");
  }

  static std::string join(const std::vector<std::string>& words) {
    std::string result;
    for (const std::string& word : words)
      if (!word.empty()) result += (result.empty() ? "" : " · ") + word;
    return result;
  }

  std::string title_;
  std::vector<std::string> rows_, columns_, notes_;
  std::map<std::pair<std::size_t, std::size_t>, std::string> cells_;
  std::map<std::size_t, std::set<std::pair<std::string, std::int64_t>>> counts_;
  std::set<std::size_t> baselines_;
  std::set<std::string> interval_units_;
  bool some_larger_ = false, some_smaller_ = false;
};

}  // namespace

void print_tables(Screen& screen, const std::vector<MetricValue>& values) {
  std::vector<std::string> titles;
  std::vector<Table> tables;
  for (const MetricValue& value : values) {
    const std::size_t at = place(titles, value.table);
    if (at == tables.size()) tables.emplace_back(harmless(value.table));
    tables[at].add(value);
  }
  for (const Table& table : tables) {
    screen.line("");
    table.print(screen);
  }
}

}  // namespace osteon::terminal
