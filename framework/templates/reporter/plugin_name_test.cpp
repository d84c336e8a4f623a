#include <osteon/files.hpp>
#include <osteon/reporter.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <gtest/gtest.h>

#include <unistd.h>

namespace osteon {
namespace {

namespace fs = std::filesystem;

MetricValue rank_1(const std::string& row, double value, bool is_baseline) {
  MetricValue figure;
  figure.table = "identity, rank-1";
  figure.row = row;
  figure.column = "never trained on";
  figure.value = value;
  figure.unit = "%";
  figure.count = 3;
  figure.counted = "bones";
  figure.is_baseline = is_baseline;
  return figure;
}

/// The page that a run of two figures leaves.
std::string page(bool baselines) {
  const fs::path folder = fs::temp_directory_path() / text("plugin_name-", ::getpid());
  fs::create_directories(folder);
  const auto reporter = PluginLibrary("reporter", PLUGIN_LIBRARY).make<Reporter>({{"baselines", baselines}});
  reporter->report(RunStarted{"Margin", folder, "", "", "", {}, ""});
  reporter->report(Notice{"nothing that this reporter shows"});
  reporter->report(Results{{rank_1("fingerprint", 90, false), rank_1("chance", 33.3, true)}});
  reporter->report(RunFinished{"complete", 1, ""});
  const std::string content = read_file(folder / "results.md");
  fs::remove_all(folder);
  return content;
}

TEST(PluginName, WritesATableOfTheFigures) {
  EXPECT_EQ(page(true),
            "# Margin\n\nThe run is complete.\n\n## identity, rank-1\n\n| | | value | over |\n|---|---|---|---|\n"
            "| fingerprint | never trained on | 90.0 % | 3 bones |\n"
            "| chance | never trained on | 33.3 % | 3 bones |\n");
}

TEST(PluginName, LeavesTrivialRowsOutWhenToldSo) { EXPECT_EQ(page(false).find("chance"), std::string::npos); }

TEST(PluginName, RefusesAFileInAnotherFolder) {
  const PluginLibrary library("reporter", PLUGIN_LIBRARY);
  EXPECT_THROW((void)library.make<Reporter>({{"file", std::string("../results.md")}}), Error);
}

}  // namespace
}  // namespace osteon
