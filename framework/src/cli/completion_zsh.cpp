#include "cli/completion.hpp"
#include "config/document.hpp"

namespace osteon::cli {

namespace {

std::string zsh_quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

/// What `_arguments` would take for its own punctuation, behind a backslash.
std::string zsh_escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (std::string_view("[]:\\").find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

/// What completes a value: its choices, what the program lists, folders, or files.
std::string zsh_action(const ArgumentNode& argument) {
  if (!argument.listed_by.empty()) return "{compadd -- ${(f)\"$($program " + argument.listed_by + " 2> /dev/null)\"}}";
  if (!argument.choices.empty()) return "(" + config::join(argument.choices, " ") + ")";
  return argument.value == "DIR" ? "_files -/" : "_files";
}

/// As `_arguments` reads them: '*--set=[Override one value]:KEY=VALUE:_files'.
void write_zsh_options(const CommandNode& node, std::string& script) {
  for (const ArgumentNode& option : node.options)
    for (const std::string& name : option.names) {
      std::string spec = (option.repeats ? "*" : "") + name;
      if (!option.value.empty() && name.starts_with("--")) spec += "=";
      spec += "[" + zsh_escaped(option.sentence) + "]";
      if (!option.value.empty()) spec += ":" + zsh_escaped(option.value) + ":" + zsh_action(option);
      script += " \\\n        " + zsh_quoted(spec);
    }
}

void write_zsh_branch(const CommandNode& node, std::string& script) {
  script += "    (\"" + node.place() + "\")\n";
  if (!node.commands.empty()) {
    script += "      commands=(\n";
    for (const CommandNode& command : node.commands)
      script += "        " + zsh_quoted(command.words.back() + ":" + first_line(command.sentence)) + "\n";
    script += "      )\n";
  }
  script += "      _arguments -s -S";
  write_zsh_options(node, script);
  if (!node.commands.empty()) script += " \\\n        '1:command:{_describe command commands}'";
  for (const ArgumentNode& positional : node.positionals)
    script += " \\\n        " + zsh_quoted((positional.repeats ? "*:" : ":") + zsh_escaped(positional.names.front()) +
                                           ":" + zsh_action(positional));
  script += " ;;\n";
}

}  // namespace

std::string zsh_completion(const CommandNode& root) {
  const std::string name = root.typed();
  std::string places, branches;
  for (const CommandNode* node : all_commands(root)) {
    if (node != &root) places += (places.empty() ? "\"" : "|\"") + node->place() + "\"";
    write_zsh_branch(*node, branches);
  }
  return "#compdef " + name + "\n# zsh completion for " + name + ", made by: " + name + " completion zsh\n_" + name +
         R"(() {
  local at='' program=$words[1]
  local -a commands
  integer i last=1
  for ((i = 2; i < CURRENT; ++i)); do
    case "$at ${words[i]}" in
      ()" +
         places +
         R"() at+=" ${words[i]}"; last=$i ;;
    esac
  done
  # From here on the last command is the first word.
  shift $((last - 1)) words
  ((CURRENT -= last - 1))
  case "$at" in
)" + branches +
         R"(  esac
}
if [[ $funcstack[1] == _)" +
         name + " ]]; then\n  _" + name + " \"$@\"\nelse\n  compdef _" + name + " " + name + "\nfi\n";
}

}  // namespace osteon::cli
