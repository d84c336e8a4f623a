#include "cli/completion.hpp"

#include "cli/commands.hpp"

#include <iostream>

namespace osteon::cli {

void add_completion(CLI::App& app, Common& /*common*/) {
  auto* command = app.add_subcommand("completion", "Print the script that completes commands and options in a shell");
  auto shell = std::make_shared<std::string>();
  command->add_option("SHELL", *shell, "source <(osteon completion bash)")
      ->required()
      ->type_name("")
      ->check(CLI::IsMember({"bash", "zsh"}));
  command->callback([&app, shell] {
    const CommandNode root = command_tree(app);
    std::cout << (*shell == "bash" ? bash_completion(root) : zsh_completion(root));
  });
}

}  // namespace osteon::cli
