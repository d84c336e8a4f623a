// reporter/plugin_name: the figures of a run as tables in a Markdown file in the run's folder.
//
//     [reporter.plugin_name]
//     file      = "results.md"
//     baselines = true         # false: the methods' own figures alone

#include <osteon/files.hpp>
#include <osteon/reporter.hpp>

#include <set>

namespace osteon {
namespace {

class PluginName final : public Reporter {
 public:
  static Schema schema() {
    return {"The figures of a run as Markdown tables.",
            {Parameter::text("file", "results.md", "Name of the file in the run's folder."),
             Parameter::flag("baselines", true, "Trivial rows and bounds beside the methods' own figures.")}};
  }

  explicit PluginName(const Parameters& parameters)
      : file_(parameters.text("file")), baselines_(parameters.flag("baselines")) {
    if (file_.empty() || file_.find('/') != std::string::npos)
      throw Error(text("file: expected the name of a file, without folders, found \"", file_, "\""));
  }

  /// Of all events these three matter here; osteon/reporter.hpp has the others.
  void report(const Event& event) override {
    if (const auto* run = std::get_if<RunStarted>(&event)) {
      title_ = run->title;
      folder_ = run->folder;
      figures_.clear();
    } else if (const auto* results = std::get_if<Results>(&event)) {
      for (const MetricValue& figure : results->values)
        if (baselines_ || !figure.is_baseline) figures_.push_back(figure);
    } else if (const auto* end = std::get_if<RunFinished>(&event)) {
      write(end->status);
    }
  }

 private:
  void write(const std::string& status) const {
    if (folder_.empty()) return;  // the run ended before it had one
    std::string page = text("# ", title_, "\n\nThe run is ", status, ".\n");
    std::set<std::string> written;
    for (const MetricValue& first : figures_) {
      if (!written.insert(first.table).second) continue;
      page += text("\n## ", first.table, "\n\n| | | value | over |\n|---|---|---|---|\n");
      for (const MetricValue& figure : figures_)
        if (figure.table == first.table)
          page += text("| ", figure.row, " | ", figure.column, " | ", to_text(figure), " | ", figure.count, " ",
                       figure.counted, " |\n");
    }
    write_file(folder_ / file_, page);
  }

  std::string file_;
  bool baselines_;
  std::string title_;
  std::filesystem::path folder_;
  std::vector<MetricValue> figures_;
};

}  // namespace

OSTEON_PLUGIN(reporter, plugin_name, "0.1.0", PluginName)

}  // namespace osteon
