// reporter/terminal on a file and on a pseudo-terminal.

#include "reporters.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <limits>
#include <thread>

namespace osteon {
namespace {

/// What `use` makes a reporter with these parameters print into a file.
std::string printed(const std::function<void(host::ReporterHandle&)>& use,
                    const std::map<std::string, ParameterValue>& given = {}) {
  const Scratch scratch;
  const std::filesystem::path file = scratch.path() / "stdout";
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT, 0600);
  {
    const Redirected redirected(descriptor);
    host::ReporterHandle reporter = make_reporter("terminal", given);
    use(reporter);
  }
  ::close(descriptor);
  return read_file(file);
}

std::string printed(const std::vector<Event>& events, const std::map<std::string, ParameterValue>& given = {}) {
  return printed(
      [&events](host::ReporterHandle& reporter) {
        for (const Event& event : events) reporter.report(event);
      },
      given);
}

/// What they make it print on a terminal of so many columns.
std::string shown(int columns, const std::function<void(host::ReporterHandle&)>& use) {
  winsize size{};
  size.ws_col = static_cast<unsigned short>(columns);
  size.ws_row = 24;
  int screen = -1, keyboard = -1;
  EXPECT_EQ(::openpty(&screen, &keyboard, nullptr, nullptr, &size), 0);
  ::setenv("TERM", "xterm", 1);
  std::string bytes;
  {
    const Redirected redirected(keyboard);
    host::ReporterHandle reporter = make_reporter("terminal");
    use(reporter);
  }
  pollfd ready{screen, POLLIN, 0};
  char buffer[4096];
  while (::poll(&ready, 1, 100) == 1) {
    const ssize_t got = ::read(screen, buffer, sizeof buffer);
    if (got <= 0) break;
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(screen);
  ::close(keyboard);
  return bytes;
}

RunStarted run(const std::filesystem::path& folder = "runs/quickstart-3f9a1c") {
  return {"Quickstart", folder, "12 bones · 9 train / 3 held out · 2,160 X-rays", "osteon run quickstart.toml", "",
          {},           ""};
}

std::vector<MetricValue> terminal_figures() {
  std::vector<MetricValue> values;
  for (const auto& [row, seen, never] :
       {std::tuple("raw pixels", 7, 2), std::tuple("fingerprint + kNN", 9, 3), std::tuple("chance", 1, 1)}) {
    const bool is_baseline = std::string(row) != "fingerprint + kNN";
    values.push_back(figure("identity, rank-1", row, "seen", seen, "of 9", is_baseline));
    values.back().count = 9;
    values.back().counted = "bones";
    values.push_back(figure("identity, rank-1", row, "never trained", never, "of 3", is_baseline));
    values.back().count = 3;
    values.back().counted = "bones";
  }
  MetricValue shape = figure("shape, 3 held-out bones", "nearest by fingerprint", "RMS", 0.884, "mm");
  shape.larger_is_better = false;
  shape.count = 3;
  shape.counted = "bones";
  shape.interval = {0.5, 1.25};
  shape.people = {{"p01", 1.9, 2}, {"p02", 0.752, 1}};
  values.push_back(shape);
  shape.column = "Hausdorff";
  shape.value = std::numeric_limits<double>::quiet_NaN();
  shape.interval.reset();
  shape.note = "one mesh is open";
  values.push_back(shape);
  return values;
}

TEST(Terminal, PrintsAWholeRunInPlainLines) {
  const Scratch scratch;
  write_file(scratch.path() / "report.html", "<html>");
  const std::string folder = scratch.path().string();
  const std::string output = printed({
      run(folder),
      StageStarted{"source", "phantom", 12, "volumes"},
      StageProgress{"source", 3, 12, 4.2, ""},
      SpecimenLeftOut{"p07", "surface", "no bone found"},
      StageFinished{"source", 8.13, 12, 0, "12 volumes  160×160×384 @ 0.30 mm", "first time"},
      StageStarted{"render", "joseph", 2160, "X-rays"},
      StageFinished{"render", 0.01, 0, 12, "2,160 X-rays", ""},
      StageStarted{"train", "resnet · triplet", 600, "batches"},
      Scalar{"loss", 1, 0.5},
      StageFinished{"train", 150.2, 1, 0, "6 epochs", "loss.margin changed 0.1 → 0.2"},
      StageStarted{"embed", "", 0, ""},
      StageFinished{"embed", 1.0, 3, 9, "", "first time"},
      Notice{"the queries share the volume of the gallery"},
      Results{terminal_figures()},
      RunFinished{"complete", 3900, ""},
  });
  EXPECT_EQ(output, " run        Quickstart · " + folder + R"(
 plan       12 bones · 9 train / 3 held out · 2,160 X-rays
 left out   p07 (surface): no bone found
 source     phantom           12 volumes  160×160×384 @ 0.30 mm             8.1 s
 render     joseph            2,160 X-rays                                  cached
 train      resnet · triplet  6 epochs                                      2 min 30 s
            because loss.margin changed 0.1 → 0.2
 embed                                                                      1.0 s (9 of 12 cached)
 note       the queries share the volume of the gallery

 ┌ identity, rank-1 ─┬─ seen ─┬─ never trained ─┐
 │ fingerprint + kNN │ 9 of 9 │          3 of 3 │
 ├───────────────────┼────────┼─────────────────┤
 │ raw pixels        │ 7 of 9 │          2 of 3 │
 │ chance            │ 1 of 9 │          1 of 3 │
 └───────────────────┴────────┴─────────────────┘
 seen: 9 bones, never trained: 3 bones

 ┌ shape, 3 held-out bones ─┬─ RMS ───────────────┬─ Hausdorff ─┐
 │ nearest by fingerprint   │ 0.88 mm [0.5, 1.25] │  undefined¹ │
 └──────────────────────────┴─────────────────────┴─────────────┘
 over 3 bones · smaller is better · brackets: 95 % intervals over people
 ¹ one mesh is open

 left out   1 specimen: p07
 complete   in 1 h 05 min
 report     )" + folder +
                        "/report.html\n");
}

TEST(Terminal, NamesThePointOfASweepAndWhatStoppedIt) {
  RunStarted point = run();
  point.point = "loss.margin = 0.1 · seed 2 of 3 (point 4 of 12)";
  EXPECT_EQ(printed({point, RunFinished{"stopped", 12.1, "stopped in train, epoch 4\ngo on with: osteon run a.toml"},
                     point, RunFinished{"failed", 0.2, "/store: cannot write: No space left on device"}}),
            R"( run        Quickstart · runs/quickstart-3f9a1c
 point      loss.margin = 0.1 · seed 2 of 3 (point 4 of 12)
 plan       12 bones · 9 train / 3 held out · 2,160 X-rays
 stopped    after 12.1 s
            stopped in train, epoch 4
            go on with: osteon run a.toml

 run        Quickstart · runs/quickstart-3f9a1c
 point      loss.margin = 0.1 · seed 2 of 3 (point 4 of 12)
 plan       12 bones · 9 train / 3 held out · 2,160 X-rays
 failed     after 0.2 s
            /store: cannot write: No space left on device
)");
}

TEST(Terminal, WritesNoControlCharacterIntoAFile) {
  const std::string output = printed([](host::ReporterHandle& reporter) {
    reporter.report(run());
    reporter.report(StageStarted{"render", "joseph", 100, "X-rays"});
    for (int i = 0; i <= 100; ++i) reporter.report(StageProgress{"render", i, 100, 1.0, ""});
    reporter.report(SpecimenLeftOut{"evil\x1b[2Jname\r\n", "source", "tab\there, C1 \xc2\x9b here"});
    reporter.report(StageFinished{"render", 1, 1, 0, "", ""});
    reporter.report(Results{{figure("a\x1b", "b\n", "c\x7f", 1, "\x07")}});
    reporter.report(RunFinished{"complete", 1, ""});
  });
  EXPECT_TRUE(std::ranges::all_of(output, [](char c) {
    return c == '\n' || (static_cast<unsigned char>(c) >= ' ' && c != '\x7f');
  })) << output;
  EXPECT_EQ(output.find("\xc2\x9b"), std::string::npos);
  EXPECT_EQ(output.find(" of 100 X-rays"), std::string::npos) << "progress within the first ten seconds";
  EXPECT_NE(output.find(" left out   evil?[2Jname?\n"), std::string::npos) << output;
}

TEST(Terminal, ColoursAreAChoice) {
  const std::vector<Event> events{run(), RunFinished{"complete", 1, ""}};
  EXPECT_EQ(printed(events).find('\x1b'), std::string::npos);
  EXPECT_EQ(printed(events, {{"colour", "never"}}), printed(events));
  EXPECT_NE(printed(events, {{"colour", "always"}}).find("\x1b[32mcomplete"), std::string::npos);
}

TEST(Terminal, HonoursNoColor) {
  const auto use = [](host::ReporterHandle& reporter) { reporter.report(RunFinished{"complete", 1, ""}); };
  ::unsetenv("NO_COLOR");
  EXPECT_NE(shown(100, use).find("\x1b[32m"), std::string::npos);
  ::setenv("NO_COLOR", "1", 1);
  EXPECT_EQ(shown(100, use), " complete   in 1.0 s\r\n");
  ::unsetenv("NO_COLOR");
}

TEST(Terminal, RedrawsTheBarInPlace) {
  ::setenv("NO_COLOR", "1", 1);
  const std::string output = shown(80, [](host::ReporterHandle& reporter) {
    reporter.report(StageStarted{"train", "resnet", 200, "batches"});
    std::this_thread::sleep_for(std::chrono::milliseconds(110));
    reporter.report(StageProgress{"train", 130, 200, 31, "epoch 4/6  loss 0.0214  active triplets 11 %"});
    for (int i = 131; i < 200; ++i) reporter.report(StageProgress{"train", i, 200, 1, ""});
    reporter.report(Notice{"hello"});
    reporter.report(StageFinished{"train", 61, 1, 0, "6 epochs", ""});
  });
  ::unsetenv("NO_COLOR");
  EXPECT_EQ(output,
            "\r train      resnet            0 of 200 batches\x1b[K"
            "\r train      epoch 4/6  loss 0.0214  active triplets 1…  ██████▌     0:31 left\x1b[K"
            "\r\x1b[K note       hello\r\n"
            " train      resnet            6 epochs                  ██████████  1 min 01 s\r\n");
}

TEST(Terminal, FitsNarrowTerminals) {
  ::setenv("NO_COLOR", "1", 1);
  const std::string output = shown(40, [](host::ReporterHandle& reporter) {
    reporter.report(StageStarted{"train", "resnet", 200, "batches"});
    reporter.report(Results{terminal_figures()});
  });
  ::unsetenv("NO_COLOR");
  EXPECT_EQ(output,
            "\r train      0 of 200 batches\x1b[K\r\x1b[K\r\n"
            " identity, rank-1\r\n"
            "   fingerprint + kNN\r\n"
            "     seen: 9 of 9\r\n"
            "     never trained: 3 of 3\r\n"
            "   raw pixels\r\n"
            "     seen: 7 of 9\r\n"
            "     never trained: 2 of 3\r\n"
            "   chance\r\n"
            "     seen: 1 of 9\r\n"
            "     never trained: 1 of 3\r\n"
            " seen: 9 bones, never trained: 3 bones\r\n"
            "\r\n"
            " shape, 3 held-out bones\r\n"
            "   nearest by fingerprint\r\n"
            "     RMS: 0.88 mm [0.5, 1.25]\r\n"
            "     Hausdorff: undefined¹\r\n"
            " over 3 bones · smaller is better · brackets: 95 % intervals over people\r\n"
            " ¹ one mesh is open\r\n"
            "\r\n");
}

TEST(Terminal, SaysWhatWasCountedWithinAColumn) {
  std::vector<MetricValue> values;
  for (const std::int64_t count : {1, 12960}) {
    values.push_back(figure("t", std::to_string(count), "", 1, ""));
    values.back().count = count;
    values.back().counted = "triplets";
  }
  EXPECT_EQ(printed({Results{values}}), R"(
 ┌ t ────┬───┐
 │ 1     │ 1 │
 │ 12960 │ 1 │
 └───────┴───┘
 over 1 to 12,960 triplets

)");
}

}  // namespace
}  // namespace osteon
