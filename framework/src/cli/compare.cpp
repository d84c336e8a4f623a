#include "cli/commands.hpp"
#include "pipeline/comparison_text.hpp"

#include <osteon/files.hpp>

#include <iostream>

namespace osteon::cli {

namespace {

struct ComparisonOptions {
  std::vector<std::filesystem::path> runs;
  std::string baseline, format = "markdown";
  std::vector<std::string> tables;
  std::filesystem::path out;
};

std::string written(const pipeline::RunComparison& comparison, const std::string& format) {
  if (format == "latex") return pipeline::to_latex(comparison);
  if (format == "csv") return pipeline::to_csv(comparison);
  if (format == "json") return pipeline::to_json(comparison);
  return pipeline::to_markdown(comparison);
}

void compare(const ComparisonOptions& options) {
  const pipeline::RunComparison comparison = pipeline::compare_runs(options.runs, options.baseline, options.tables);
  const std::string page = written(comparison, options.format);
  if (options.out.empty()) {
    std::cout << page << std::flush;
    // Markdown has them on its page.
    if (options.format != "markdown")
      for (const std::string& notice : comparison.notices) std::cerr << notice << "\n";
    return;
  }
  write_file(options.out, page);
  for (const std::string& notice : comparison.notices) std::cout << "note    " << notice << "\n";
  std::cout << "wrote   " << options.out.string() << " · " << comparison.settings.size() << " settings · "
            << comparison.tables.size() << " tables\n";
}

}  // namespace

void add_compare(CLI::App& app, Common& /*common*/) {
  auto* command =
      app.add_subcommand("compare",
                         "Compare finished runs and sweeps: mean and spread over seeds, differences from a baseline\n"
                         "person by person with 95 % intervals and p-values, and a ranking with its stability.\n"
                         "Runs that differ in training.seed alone are seeds of one setting; a setting is named by\n"
                         "the parameters in which settings differ.\n\n"
                         "  osteon compare runs/margin-81c2d0\n"
                         "  osteon compare runs/margin-81c2d0 --baseline loss.margin=0.1 --table identity\n"
                         "  osteon compare runs/triplet-3f9a1c runs/softmax-9d02aa --format latex --out table.tex\n");
  auto options = std::make_shared<ComparisonOptions>();
  command
      ->add_option(
          "RUN", options->runs,
          "Folders of runs, of sweeps (all their points) or of single points of a sweep; what is not complete is "
          "named and left out")
      ->required()
      ->type_name("");
  command
      ->add_option("--baseline", options->baseline,
                   "The setting that differences are from: a run's folder, or the parameters that tell it from the "
                   "others: loss.margin=0.1 (the first setting when left out)")
      ->type_name("RUN");
  command->add_option("--table", options->tables, "Only tables whose name contains this: --table \"identity, rank-1\"")
      ->type_name("NAME")
      ->allow_extra_args(false)
      ->take_all();
  command->add_option("--format", options->format, "What is written; CSV and JSON hold all numbers in full")
      ->check(CLI::IsMember({"markdown", "latex", "csv", "json"}))
      ->capture_default_str()
      ->type_name("FORMAT");
  command->add_option("--out", options->out, "The file; the terminal when left out")->type_name("FILE");
  command->callback([options] { compare(*options); });
}

}  // namespace osteon::cli
