#include "cli/command_tree.hpp"
#include "cli/commands.hpp"
#include "config/document.hpp"

#include <iostream>

namespace osteon::cli {

namespace {

/// Text as troff's input: a dash that can be copied, nothing at a line's begin that is taken for a request.
std::string troff(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == '-') {
      result += "\\-";
    } else if (c == '\\') {
      result += "\\e";
    } else if ((c == '.' || c == '\'') && (result.empty() || result.back() == '\n')) {
      result += std::string("\\&") + c;
    } else {
      result += c;
    }
  }
  return result;
}

void write_argument(const ArgumentNode& argument, std::string& page) {
  std::vector<std::string> names;
  for (const std::string& name : argument.names) names.push_back("\\fB" + troff(name) + "\\fR");
  page += ".TP\n" + config::join(names, ", ");
  if (!argument.value.empty()) page += " \\fI" + troff(argument.value) + "\\fR";
  page += "\n" + troff(full_sentence(argument)) + "\n";
}

void write_command(const CommandNode& node, std::string& page) {
  page += ".SS " + troff(node.usage()) + "\n" + troff(node.sentence) + "\n";
  for (const ArgumentNode& positional : node.positionals) write_argument(positional, page);
  for (const ArgumentNode& option : node.options)
    if (option.names.back() != "--help") write_argument(option, page);
}

std::string man_page(const CommandNode& root, const std::string& version) {
  const std::string name = root.typed();
  std::string page = ".TH " + name + " 1 \"\" \"" + troff(version) + "\" \"User commands\"\n";
  page += ".SH NAME\n" + name + " \\- which bone is this, and what is its shape?\n";
  page += ".SH SYNOPSIS\n.B " + name + "\n.I COMMAND\n[\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]\n";
  page += ".SH DESCRIPTION\n" + troff(root.sentence) + "\n";
  for (const ArgumentNode& option : root.options) write_argument(option, page);
  page += ".SH COMMANDS\nEach takes \\fB\\-\\-help\\fR.\n";
  for (const CommandNode* node : all_commands(root))
    if (node->commands.empty()) write_command(*node, page);
  page += R"(.SH ENVIRONMENT
.TP
.B OSTEON_STORE
Where what was made is kept; runs/.store in the working folder when it is not set.
.TP
.B OSTEON_STORE_QUOTA
Most that the store may hold, as in "50 GB".
.TP
.B OSTEON_PLUGIN_PATH
More folders of plugins, with colons between; looked at after those of \fB\-\-plugins\fR.
.TP
.B OSTEON_THREADS
Threads of one process; as many as there are processors when it is not set.
.TP
.B OSTEON_LOG
"info": plugins as they load and jobs as they start, on stderr. "debug": every artifact besides.
.SH EXIT STATUS
0: done. 1: failed. 2: a mistake in the command, the experiment or its data. 130: stopped by a signal; the same
command goes on.
)";
  return page;
}

}  // namespace

void add_man(CLI::App& app, Common& /*common*/) {
  auto* command = app.add_subcommand("man", "Print the manual page: osteon man | man -l -");
  command->callback([&app] {
    const std::string version = app.version();
    std::cout << man_page(command_tree(app), version.substr(0, version.find(" (")));
  });
}

}  // namespace osteon::cli
