#include "cli/command_tree.hpp"

#include "config/document.hpp"
#include "host/registry.hpp"

namespace osteon::cli {

namespace {

/// CLI11 writes a value's name and its checks as "NAME:{local,slurm}".
std::vector<std::string> choices_of(const std::string& type) {
  const auto open = type.find('{'), close = type.find('}');
  if (open == std::string::npos || close == std::string::npos || close < open) return {};
  return config::split(type.substr(open + 1, close - open - 1), ',');
}

ArgumentNode argument_node(const CLI::Option& option) {
  ArgumentNode node;
  const std::string type = option.get_type_name();
  node.choices = choices_of(type);
  if (type == "KIND") node.choices.assign(host::kKinds.begin(), host::kKinds.end());
  if (type == "KIND/NAME") node.listed_by = "plugins --names";
  node.sentence = option.get_description();
  node.standard = option.get_default_str();
  node.required = option.get_required();
  node.repeats = option.get_expected_max() > 1 && option.get_multi_option_policy() == CLI::MultiOptionPolicy::TakeAll;
  if (option.get_positional()) {
    node.names.push_back(option.get_name(true));
    node.repeats = option.get_items_expected_max() > 1;
    return node;
  }
  for (const std::string& name : option.get_snames()) node.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) node.names.push_back("--" + name);
  if (option.get_items_expected_max() > 0) {
    node.value = type.substr(0, type.find(':'));
    if (node.value.empty()) node.value = "NAME";
  }
  return node;
}

CommandNode command_node(const CLI::App& app, std::vector<std::string> words) {
  words.push_back(app.get_name());
  CommandNode node{words, app.get_description(), {}, {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_group().empty()) continue;
    (option->get_positional() ? node.positionals : node.options).push_back(argument_node(*option));
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App* one) { return !one->get_group().empty(); }))
    node.commands.push_back(command_node(*command, words));
  return node;
}

void collect_nodes(const CommandNode& node, std::vector<const CommandNode*>& nodes) {
  nodes.push_back(&node);
  for (const CommandNode& command : node.commands) collect_nodes(command, nodes);
}

}  // namespace

std::string CommandNode::typed() const { return config::join(words, " "); }

std::string CommandNode::place() const {
  std::string place;
  for (std::size_t i = 1; i < words.size(); ++i) place += " " + words[i];
  return place;
}

std::string CommandNode::usage() const {
  std::string line = typed() + " [OPTIONS]";
  for (const ArgumentNode& positional : positionals) {
    const std::string name = positional.names.front() + (positional.repeats ? "…" : "");
    line += positional.required ? " " + name : " [" + name + "]";
  }
  return line + (commands.empty() ? "" : " COMMAND");
}

CommandNode command_tree(const CLI::App& app) { return command_node(app, {}); }

std::vector<const CommandNode*> all_commands(const CommandNode& root) {
  std::vector<const CommandNode*> nodes;
  collect_nodes(root, nodes);
  return nodes;
}

std::string shown_argument(const ArgumentNode& argument) {
  return config::join(argument.names, ", ") + (argument.value.empty() ? "" : " " + argument.value);
}

std::string full_sentence(const ArgumentNode& argument) {
  std::string text = argument.sentence;
  if (!argument.choices.empty()) text += "; one of " + config::join(argument.choices, ", ");
  if (!argument.standard.empty()) text += "; " + argument.standard + " when left out";
  if (argument.repeats) text += "; may be given several times";
  return text;
}

}  // namespace osteon::cli
