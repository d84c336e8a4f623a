#include "pipeline/doctor.hpp"
#include "cli/commands.hpp"

#include <cstdio>
#include <iostream>

namespace osteon::cli {

void add_doctor(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand(
      "doctor", "What of this machine matters to Osteon, what is wrong or slow about it, and the remedy");
  add_plugins_option(*command, common);
  command->callback([&common] {
    int remedies = 0;
    for (const pipeline::Finding& finding : pipeline::examine_machine(common.plugin_folders)) {
      char head[32];
      std::snprintf(head, sizeof head, " %-4s %-10s ", finding.remedy.empty() ? "ok" : "!", finding.topic.c_str());
      std::cout << head << finding.says << "\n";
      if (finding.remedy.empty()) continue;
      std::cout << "                 " << finding.remedy << "\n";
      ++remedies;
    }
    if (remedies > 0) std::cout << remedies << (remedies == 1 ? " thing" : " things") << " to look at\n";
    common.exit_code = remedies > 0 ? 1 : 0;
  });
}

}  // namespace osteon::cli
