#pragma once

// Standard output, a terminal or not: lines that stay, and on a terminal one line that is written over.

#include <cstdint>
#include <string>

namespace osteon::terminal {

enum class Style { plain, bold, dim, good, warning, bad };

class Screen {
 public:
  /// `colour` is auto (a terminal, and NO_COLOR unset: no-color.org), never or always.
  explicit Screen(const std::string& colour);
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen();

  /// Whether a line can be written over.
  [[nodiscard]] bool is_terminal() const { return is_terminal_; }

  /// Columns: the terminal's, which may change at any time; 100 elsewhere.
  [[nodiscard]] std::int64_t width() const;

  [[nodiscard]] std::string painted(Style style, const std::string& words) const;

  /// A line that stays. Blanks at its end are dropped.
  void line(std::string words);

  /// On a terminal: a line below all others, until the next call of `line` or `transient`. It must fit the width.
  void transient(const std::string& words);

 private:
  void erase_transient();

  bool is_terminal_, has_colour_, has_transient_ = false;
};

}  // namespace osteon::terminal
