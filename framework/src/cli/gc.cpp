#include "cli/commands.hpp"
#include "pipeline/claims.hpp"
#include "store/quota.hpp"
#include "store/store.hpp"

#include <cstdio>
#include <iostream>

namespace osteon::cli {

namespace {

void show_needed(const store::Survey& survey) {
  for (const auto& [who, needed] : survey.needed)
    std::cout << " keep   " << needed.artifacts << " artifacts, " << store::size_text(needed.bytes) << ", that " << who
              << " needs\n";
  std::cout << " kept   " << survey.all_needed.artifacts << " artifacts, " << store::size_text(survey.all_needed.bytes)
            << (survey.needed.size() > 1 ? "; several need the same" : "") << "\n";
}

void show(const std::vector<store::Stray>& strays, const char* label) {
  for (const store::Stray& stray : strays) {
    char columns[96];
    std::snprintf(columns, sizeof columns, " %-6s %10s %6.1f days  %-13s ", label,
                  store::size_text(stray.bytes).c_str(), stray.days, stray.stage.c_str());
    std::cout << columns << (stray.key.empty() ? stray.path.filename().string() : stray.key.substr(0, 12))
              << (stray.subject.empty() ? "" : "  ") << stray.subject << "\n";
  }
}

std::uint64_t bytes_of(const std::vector<store::Stray>& strays) {
  std::uint64_t bytes = 0;
  for (const store::Stray& stray : strays) bytes += stray.bytes;
  return bytes;
}

}  // namespace

void add_gc(CLI::App& app, Common& /*common*/) {
  auto* command = app.add_subcommand(
      "gc", "List what of the store no run needs, with what is kept and for whom; nothing is removed without --delete");
  auto runs = std::make_shared<std::vector<std::filesystem::path>>();
  auto removes = std::make_shared<bool>(false);
  command
      ->add_option("RUNS", *runs,
                   "Folders of runs whose artifacts are kept, beside runs/ and every run that has used this store and "
                   "still has its folder")
      ->type_name("");
  command->add_flag("--delete", *removes, "Remove what is listed");
  command->callback([runs, removes] {
    const std::filesystem::path root = store::Store::standard_root();
    store::Claims claims = pipeline::claims_of(*runs);
    if (std::filesystem::is_directory("runs")) pipeline::add_claims("runs", claims);
    const store::Survey survey = store::survey(root, claims);
    show_needed(survey);
    if (!*removes) {
      show(survey.strays, "stray");
      std::cout << " stray  " << survey.strays.size() << " in all, " << store::size_text(bytes_of(survey.strays))
                << (survey.strays.empty() ? "\n" : "; remove them with: osteon gc --delete\n");
      return;
    }
    const std::vector<store::Stray> gone = store::remove_strays(root, claims, survey.strays);
    show(gone, "gone");
    std::cout << " gone   " << gone.size() << " in all, " << store::size_text(bytes_of(gone)) << "\n";
  });
}

}  // namespace osteon::cli
