// Completion and the man page: made from the command line itself, so that what --help tells they tell.

#include "pipeline/command.hpp"

#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

namespace osteon::test {
namespace {

std::set<std::string> words_of(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

/// The first words of the lines below "Subcommands:" in a command's --help.
std::set<std::string> commands_in_help(const Workplace& place, const std::string& command) {
  std::istringstream lines(place.osteon(command + " --help").out);
  std::set<std::string> commands;
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "Subcommands:") inside = true;
    if (inside && line.starts_with("  ") && line[2] != ' ') commands.insert(line.substr(2, line.find(' ', 2) - 2));
  }
  return commands;
}

bool has_program(const Workplace& place, const std::string& name) {
  return place.shell("command -v " + name).code == 0;
}

class BashCompletion : public testing::Test {
 protected:
  BashCompletion() { EXPECT_EQ(place.osteon("completion bash > osteon.bash").code, 0); }

  /// What is offered for the last of `words`, which bash has split.
  [[nodiscard]] std::set<std::string> offered(const std::string& words) const {
    const auto outcome = place.shell("bash -c 'source osteon.bash; COMP_WORDS=(" + words +
                                     "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _osteon; echo ${COMPREPLY[@]}'");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(outcome.err, "");
    return words_of(outcome.out);
  }

  Workplace place;
};

using Words = std::set<std::string>;

TEST_F(BashCompletion, IsAScript) {
  const auto outcome = place.shell("bash -n osteon.bash");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(place.shell("bash -c 'source osteon.bash; complete -p osteon'").out,
            "complete -o bashdefault -o default -F _osteon osteon\n");
}

TEST_F(BashCompletion, OffersEveryCommand) {
  const Words commands = commands_in_help(place, "");
  EXPECT_GT(commands.size(), 20u);
  EXPECT_EQ(offered("osteon \"\""), commands);
  EXPECT_EQ(offered("osteon gallery \"\""), commands_in_help(place, "gallery"));
  EXPECT_EQ(offered("osteon ru"), Words{"run"});
  EXPECT_EQ(offered("osteon mesh c"), Words{"compare"});
}

TEST_F(BashCompletion, OffersOptionsAndTheirChoices) {
  EXPECT_EQ(offered("osteon run --pl"), Words{"--plugins"});
  EXPECT_EQ(offered("osteon run experiments/a.toml --pro"), Words{"--profile"});
  EXPECT_EQ(offered("osteon run --typ"), Words{}) << "what --help hides";
  EXPECT_EQ(offered("osteon run --executor \"\""), (Words{"local", "slurm"}));
  EXPECT_EQ(offered("osteon run --executor = s"), Words{"slurm"}) << "bash takes --executor=s for three words";
  EXPECT_EQ(offered("osteon run --executor ="), (Words{"local", "slurm"}));
  EXPECT_EQ(offered("osteon completion z"), Words{"zsh"});
  EXPECT_EQ(offered("osteon run --runs check --ex"), Words{"--executor"}) << "a value that is a command's name";
}

TEST_F(BashCompletion, OffersKindsAndPlugins) {
  const std::string program = std::string(OSTEON_BUILD_DIR) + "/bin/osteon";
  EXPECT_EQ(offered(program + " describe loss/tri"), Words{"loss/triplet"});
  EXPECT_EQ(offered(program + " bench loss/triplet --against loss/con"), Words{"loss/contrastive"});
  EXPECT_TRUE(offered(program + " bench \"\"").contains("renderer/joseph"));
  EXPECT_EQ(offered("osteon new back"), Words{"backbone"});
}

TEST_F(BashCompletion, LeavesFilesToBash) {
  EXPECT_EQ(offered("osteon run \"\""), Words{});
  EXPECT_EQ(offered("osteon docs --out d"), Words{});
}

TEST(ZshCompletion, IsAScript) {
  const Workplace place;
  const auto script = place.osteon("completion zsh");
  EXPECT_TRUE(script.out.starts_with("#compdef osteon\n")) << script.out.substr(0, 100);
  for (const std::string& command : commands_in_help(place, ""))
    EXPECT_NE(script.out.find("        '" + command + ":"), std::string::npos) << command;
  if (!has_program(place, "zsh")) GTEST_SKIP() << "there is no zsh here to read the script";
  const auto outcome =
      place.shell(std::string(OSTEON_BUILD_DIR) + "/bin/osteon completion zsh > _osteon; zsh -n _osteon");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
}

TEST(ManPage, IsCleanTroffAndTellsEveryCommand) {
  const Workplace place;
  const auto page = place.osteon("man");
  ASSERT_EQ(page.code, 0) << page.err;
  for (const std::string& command : commands_in_help(place, ""))
    EXPECT_NE(page.out.find(".SS osteon " + std::regex_replace(command, std::regex("-"), "\\-")), std::string::npos)
        << command;
  EXPECT_NE(page.out.find("\\fB\\-\\-executor\\fR \\fINAME\\fR"), std::string::npos);
  if (!has_program(place, "groff")) GTEST_SKIP() << "there is no groff here to read the page";
  const auto set = place.shell(std::string(OSTEON_BUILD_DIR) +
                               "/bin/osteon man > osteon.1; groff -k -man -ww -Tutf8 -P-cbou osteon.1");
  EXPECT_EQ(set.code, 0);
  EXPECT_EQ(set.err, "");
  EXPECT_NE(set.out.find("--executor NAME"), std::string::npos);
}

TEST(InstalledFiles, AreWhatTheProgramPrints) {
  const Workplace place;
  const fs::path share = fs::path(OSTEON_BUILD_DIR) / "share";
  EXPECT_EQ(read(share / "bash-completion/completions/osteon"), place.osteon("completion bash").out);
  EXPECT_EQ(read(share / "zsh/site-functions/_osteon"), place.osteon("completion zsh").out);
  EXPECT_EQ(read(share / "man/man1/osteon.1"), place.osteon("man").out);
}

}  // namespace
}  // namespace osteon::test
