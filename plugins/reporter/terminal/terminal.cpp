// reporter/terminal: what a person sees who runs an experiment.
//
// One line for each stage, with a bar and the time left while it works, and a table for each group of figures. A
// terminal gets the bar rewritten in place, at most ten times a second; a file or a pipe gets plain lines, with one
// line of progress every ten seconds and no control characters.
//
// Parameters
//   colour   auto: on a terminal unless NO_COLOR is set; never; always. Default auto.
//
//     [reporter.terminal]
//     colour = "never"

#include "screen.hpp"
#include "tables.hpp"
#include "words.hpp"

#include <osteon/error.hpp>
#include <osteon/reporter.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>

namespace osteon {

namespace {

using terminal::Screen;
using terminal::Style;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kLabelWidth = 11, kPluginWidth = 18, kTimeWidth = 12;
constexpr int kBarWidth = 10;

class Terminal : public Reporter {
 public:
  static Schema schema() {
    return {"Progress, result tables and what was left out, for a person at a terminal or a log.",
            {Parameter::text("colour", "auto", "Colours: auto means on a terminal unless NO_COLOR is set.")
                 .one_of({"auto", "never", "always"})
                 .not_in_key()}};
  }

  explicit Terminal(const Parameters& parameters) : screen_(parameters.text("colour")) {}

  void report(const Event& event) override {
    std::visit([this](const auto& what) { on(what); }, event);
  }

 private:
  void on(const RunStarted& run) {
    if (!run_.folder.empty()) screen_.line("");  // the next point of a sweep
    run_ = run;
    left_out_.clear();
    say("run", run.title + " · " + run.folder.string(), Style::bold);
    if (!run.point.empty()) say("point", run.point);
    say("plan", run.plan);
  }

  void on(const Chart& /*chart*/) {}

  void on(const PicturedMap& /*map*/) {}

  void on(const SweepSummary& /*sweep*/) {}  // its results follow as a table

  void on(const StageStarted& stage) {
    stage_ = stage;
    last_shown_ = Clock::now();
    if (screen_.is_terminal()) show({stage.stage, 0, stage.total, -1, ""});
  }

  void on(const StageProgress& progress) {
    using std::chrono::milliseconds;
    const Clock::time_point now = Clock::now();
    if (now - last_shown_ < (screen_.is_terminal() ? milliseconds(100) : milliseconds(10000))) return;
    last_shown_ = now;
    show(progress);
  }

  void on(const StageFinished& stage) {
    const bool is_cached = stage.made == 0 && stage.reused > 0;
    std::string time = is_cached ? "cached" : terminal::duration(stage.seconds);
    if (!is_cached && stage.reused > 0)
      time += " (" + terminal::thousands(stage.reused) + " of " + terminal::thousands(stage.made + stage.reused) +
              " cached)";
    const std::string detail = padded_detail(terminal::harmless(stage.detail));
    const std::string bar = screen_.is_terminal() ? terminal::bar(1, kBarWidth) + "  " : "";
    screen_.line(head(stage.stage) + detail + screen_.painted(Style::good, bar) +
                 screen_.painted(is_cached ? Style::dim : Style::plain, time));
    if (!stage.reason.empty() && stage.reason != "first time") say("", "because " + stage.reason, Style::dim);
    stage_ = {};
  }

  void on(const SpecimenLeftOut& specimen) {
    left_out_.push_back(specimen.specimen);
    say("left out", specimen.specimen + " (" + specimen.stage + "): " + specimen.reason, Style::warning);
  }

  void on(const Notice& notice) { say("note", notice.message, Style::warning); }

  void on(const Results& results) {
    terminal::print_tables(screen_, results.values);
    if (!results.values.empty()) screen_.line("");
  }

  void on(const RunFinished& end) {
    if (!left_out_.empty()) {
      std::string names;
      for (const std::string& name : left_out_) names += (names.empty() ? "" : ", ") + name;
      say("left out", terminal::amount(std::ssize(left_out_), "specimens") + ": " + names, Style::warning);
    }
    const bool is_complete = end.status == "complete";
    const Style style = is_complete ? Style::good : end.status == "failed" ? Style::bad : Style::warning;
    say(end.status, (is_complete ? "in " : "after ") + terminal::duration(end.seconds), style);
    if (!end.message.empty()) say("", end.message);
    const std::filesystem::path page = run_.folder / "report.html";
    std::error_code ignored;
    if (std::filesystem::exists(page, ignored)) say("report", page.string());
  }

  // For the page and the files; a terminal shows neither pictures nor curves.
  void on(const Scalar& /*point*/) {}
  void on(const Picture& /*picture*/) {}
  void on(const SurfacePair& /*pair*/) {}

  /// A label and what it says; further lines of it stand below the first.
  void say(const std::string& label, const std::string& words, Style style = Style::plain) {
    std::string left = label;
    for (std::size_t begin = 0; begin <= words.size();) {
      const std::size_t end = std::min(words.find('\n', begin), words.size());
      const std::string line = terminal::harmless(words.substr(begin, end - begin));
      const bool paint_line = label.empty() || style == Style::bold;
      screen_.line(text(" ", screen_.painted(style, terminal::column(terminal::harmless(left), kLabelWidth)),
                        paint_line ? screen_.painted(style, line) : line));
      left.clear();
      begin = end + 1;
    }
  }

  /// Of a stage's line: its name and its plugin's.
  [[nodiscard]] std::string head(const std::string& stage) const {
    const std::string plugin = stage == stage_.stage ? stage_.plugin : "";
    return text(" ", terminal::column(terminal::harmless(stage), kLabelWidth),
                terminal::column(terminal::harmless(plugin), kPluginWidth));
  }

  /// Columns between the plugin's name and the bar.
  [[nodiscard]] std::int64_t detail_width() const {
    const std::int64_t rest = screen_.width() - 1 - kLabelWidth - kPluginWidth - kBarWidth - 2 - kTimeWidth;
    return std::clamp<std::int64_t>(rest, 12, 66);
  }

  [[nodiscard]] std::string padded_detail(const std::string& words) const {
    return terminal::padded(words, detail_width() - 2) + "  ";
  }

  void show(const StageProgress& progress) {
    std::string detail = progress.detail;
    if (detail.empty() && progress.total > 0)
      detail = terminal::thousands(progress.done) + " of " + terminal::thousands(progress.total) + " " + stage_.unit;
    detail = terminal::harmless(detail);
    const std::string time = terminal::time_left(progress.seconds_left);
    if (!screen_.is_terminal()) {
      screen_.line(head(progress.stage) + padded_detail(detail) + time);
      return;
    }
    const double fraction =
        progress.total > 0 ? static_cast<double>(progress.done) / static_cast<double>(progress.total) : 0;
    // Words that don't fit take the place of the plugin's name too.
    const bool is_long = terminal::width_of(detail) > detail_width() - 2;
    const std::string left =
        is_long ? text(" ", terminal::column(terminal::harmless(progress.stage), kLabelWidth)) : head(progress.stage);
    const std::int64_t room = detail_width() - 2 + (is_long ? kPluginWidth : 0);
    std::string line = text(left, terminal::padded(terminal::cut(detail, room), room), "  ",
                            terminal::bar(fraction, kBarWidth), "  ", time);
    line.erase(line.find_last_not_of(' ') + 1);
    // In the last column some terminals begin a new line, which can't be written over.
    screen_.transient(terminal::cut(line, screen_.width() - 1));
  }

  Screen screen_;
  RunStarted run_;
  StageStarted stage_;
  std::vector<std::string> left_out_;
  Clock::time_point last_shown_;
};

}  // namespace

OSTEON_PLUGIN(reporter, terminal, "0.1.0", Terminal)

}  // namespace osteon
