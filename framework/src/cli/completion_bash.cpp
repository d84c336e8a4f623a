#include "cli/completion.hpp"
#include "config/document.hpp"

namespace osteon::cli {

namespace {

/// The words themselves, or what the program prints when they are asked for.
std::string words_for(const ArgumentNode& argument) {
  if (argument.listed_by.empty()) return config::join(argument.choices, " ");
  return "$(\"${COMP_WORDS[0]}\" " + argument.listed_by + " 2> /dev/null)";
}

/// One branch an option that takes a value: its words, or nothing, so that bash goes on with names of files.
void write_bash_values(const CommandNode& node, std::string& script) {
  for (const ArgumentNode& option : node.options) {
    if (option.value.empty()) continue;
    std::vector<std::string> patterns;
    for (const std::string& name : option.names) patterns.push_back("\"" + node.place() + " " + name + "\"");
    script += "    " + config::join(patterns, " | ") + ")\n";
    const std::string words = words_for(option);
    if (!words.empty()) script += "      COMPREPLY=($(compgen -W \"" + words + "\" -- \"$word\"))\n";
    script += "      return ;;\n";
  }
}

/// Commands and choices of arguments are offered at once, options from their first dash.
void write_bash_words(const CommandNode& node, std::string& script) {
  std::vector<std::string> plain, options;
  for (const CommandNode& command : node.commands) plain.push_back(command.words.back());
  for (const ArgumentNode& positional : node.positionals)
    if (const std::string words = words_for(positional); !words.empty()) plain.push_back(words);
  for (const ArgumentNode& option : node.options)
    options.insert(options.end(), option.names.begin(), option.names.end());
  script += "    \"" + node.place() + "\")\n      words=\"" + config::join(plain, " ") + "\"\n      options=\"" +
            config::join(options, " ") + "\" ;;\n";
}

}  // namespace

std::string bash_completion(const CommandNode& root) {
  const std::string name = root.typed();
  std::string places, values, words;
  for (const CommandNode* node : all_commands(root)) {
    if (node != &root) places += (places.empty() ? "\"" : " | \\\n        \"") + node->place() + "\"";
    write_bash_values(*node, values);
    write_bash_words(*node, words);
  }
  return "# bash completion for " + name + ", made by: " + name + " completion bash\n_" + name + R"(() {
  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} at= words= options= i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case "$at ${COMP_WORDS[i]}" in
      )" +
         places +
         R"() at+=" ${COMP_WORDS[i]}" ;;
    esac
  done
  # bash takes --option=value for three words.
  if [[ $word == = ]]; then
    word=
  elif [[ $before == = && COMP_CWORD -gt 2 ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  case "$at $before" in
)" + values +
         R"(  esac
  case "$at" in
)" + words +
         R"(  esac
  [[ $word == -* ]] && words=$options
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o bashdefault -o default -F _)" +
         name + " " + name + "\n";
}

}  // namespace osteon::cli
