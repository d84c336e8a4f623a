#pragma once

// The command line as data, read from the CLI11 declarations: what completion, man page and manual are made of, so that
// no command or option is listed twice.

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace osteon::cli {

struct ArgumentNode {
  std::vector<std::string> names;    ///< "-h", "--help"; of a positional argument its one name
  std::string value;                 ///< what it takes, as in "DIR"; "" for a flag and a positional argument
  std::vector<std::string> choices;  ///< where only certain words are allowed
  std::string listed_by;             ///< arguments with which the program prints what it may be; "" where none do
  std::string sentence;
  std::string standard;  ///< as text; "" where none is told
  bool required = false;
  bool repeats = false;  ///< may be given several times
};

struct CommandNode {
  std::vector<std::string> words;  ///< "osteon", "gallery", "list"
  std::string sentence;
  std::vector<ArgumentNode> options, positionals;
  std::vector<CommandNode> commands;

  /// The words with a space between: "osteon gallery list".
  [[nodiscard]] std::string typed() const;
  /// The words below the program, each behind a space: " gallery list"; "" for the program itself.
  [[nodiscard]] std::string place() const;
  /// "osteon run [OPTIONS] FILE".
  [[nodiscard]] std::string usage() const;
};

/// What is hidden from --help is left out.
[[nodiscard]] CommandNode command_tree(const CLI::App& app);

/// The root and all below it, in the order of --help.
[[nodiscard]] std::vector<const CommandNode*> all_commands(const CommandNode& root);

/// "--set KEY=VALUE", "-h, --help".
[[nodiscard]] std::string shown_argument(const ArgumentNode& argument);

/// The sentence with what it does not say: choices, default, "may be given several times".
[[nodiscard]] std::string full_sentence(const ArgumentNode& argument);

}  // namespace osteon::cli
