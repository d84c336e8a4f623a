#pragma once

// Scripts that complete the command line, made from its declarations.

#include "cli/command_tree.hpp"

namespace osteon::cli {

/// For bash 4 and later, with or without the package bash-completion.
[[nodiscard]] std::string bash_completion(const CommandNode& root);

/// For zsh: a function for a folder of $fpath, or to be sourced.
[[nodiscard]] std::string zsh_completion(const CommandNode& root);

}  // namespace osteon::cli
