// osteon docs: nothing that a plugin or section declares is missing, every line to paste is valid, and a folder is
// replaced as a whole or not at all.

#include "config/experiment.hpp"
#include "manual.hpp"
#include "pipeline/runner.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

namespace osteon::test {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class Manual : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    place_ = new Workplace;
    const auto outcome = place_->osteon("docs --out manual");
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    ASSERT_EQ(outcome.err, "");
    pages_ = pages_of(place_->folder() / "manual");
    EXPECT_EQ(outcome.out, "wrote " + std::to_string(pages_.size()) + " pages to manual; begin with index.md\n");
  }
  static void TearDownTestSuite() { delete place_; }

  static host::Registry& registry() {
    static host::Registry registry({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
    return registry;
  }
  static const std::string& page(const std::string& name) {
    static const std::string none;
    const auto found = pages_.find(name);
    EXPECT_NE(found, pages_.end()) << "there is no page " << name;
    return found == pages_.end() ? none : found->second;
  }

  static void expect_parameters(const std::string& text, const Schema& schema, const std::string& where) {
    for (const Parameter& p : schema.parameters) {
      EXPECT_TRUE(contains(text, "### `" + p.name + "`\n")) << where << ": " << p.name;
      EXPECT_TRUE(contains(
          text, p.is_required ? "- Default: none, it must be given\n" : "- Default: `" + to_text(p.standard) + "`\n"))
          << where << ": " << p.name;
      EXPECT_TRUE(p.is_required || !contains(text, "```toml\n[") ||
                  contains(text, "```toml\n" + p.name + " = " + to_text(p.standard) + "\n```"))
          << where << ": " << p.name;
      EXPECT_TRUE(p.unit_text.empty() || contains(text, "- Unit: " + p.unit_text + "\n")) << where << ": " << p.name;
    }
  }

  /// All mistakes of `text` as an experiment in a folder with the tree's experiments; "" when it has none.
  static std::string mistakes_of(const std::string& text) {
    const fs::path folder = place_->folder() / "experiments";
    if (!fs::exists(folder)) {
      fs::copy(fs::path(OSTEON_SOURCE_DIR) / "experiments", folder, fs::copy_options::recursive);
      fs::create_directory(folder / "PATH");  // what a required path asks for
      write_file(folder / "TABLE", "");
    }
    const bool stands_alone =
        contains(text, "extends = ") || (contains(text, "[source]\n") && contains(text, "[loss]\n"));
    write_file(folder / "block.toml", (stands_alone ? "" : "extends = \"quickstart.toml\"\n") + text);
    try {
      (void)config::load({folder / "block.toml", {}, {}}, pipeline::sections(), registry());
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  inline static Workplace* place_ = nullptr;
  inline static std::map<std::string, std::string> pages_;
};

TEST_F(Manual, TellsEveryPluginAndParameter) {
  for (const host::FoundPlugin& found : registry().list()) {
    const host::LoadedPlugin& plugin = registry().find(found.kind, found.name);
    expect_parameters(page(plugin.id() + ".md"), plugin.schema, plugin.id());
    EXPECT_TRUE(contains(page(found.kind + ".md"), "[" + found.name + "](" + plugin.id() + ".md)")) << plugin.id();
    EXPECT_TRUE(contains(page("index.md"), "[" + found.name + "](" + plugin.id() + ".md)")) << plugin.id();
    EXPECT_TRUE(contains(page(plugin.id() + ".md"), "\n## What it does\n")) << plugin.id();
  }
}

TEST_F(Manual, TellsEverySectionAndParameter) {
  for (const auto& [name, schema] : pipeline::sections()) {
    const std::string& whole = page("experiment-file.md");
    const auto begin = whole.find("\n## `[" + name + "]`\n");
    ASSERT_NE(begin, std::string::npos) << name;
    expect_parameters(whole.substr(begin, whole.find("\n## ", begin + 1) - begin), schema, name);
  }
}

/// The lines of a table that each of its parameters needs beside it: header, plugin, and what must be given.
std::string frame_of(const std::string& block, const std::string& without) {
  static const std::regex placeholder("([a-z_]+) = \"([A-Z_]+)\"");
  std::string frame;
  std::istringstream lines(block);
  for (std::string line; std::getline(lines, line);) {
    std::smatch parts;
    bool is_required = std::regex_match(line, parts, placeholder);
    if (is_required) {
      std::string capitals = parts[1];
      std::ranges::transform(capitals, capitals.begin(), ::toupper);
      is_required = capitals == parts[2] && parts[1] != without;
    }
    if (line.starts_with("[") || line.starts_with("plugin = ") || is_required) frame += line + "\n";
  }
  return frame;
}

TEST_F(Manual, HasNoBlockThatAnExperimentRefuses) {
  int blocks = 0;
  for (const auto& [name, text] : pages_) {
    if (name.starts_with("tutorials/")) continue;
    std::string table;
    for (const std::string& block : blocks_of(text, "toml")) {
      const bool is_line = !block.starts_with("[") && !block.starts_with("title") && !block.starts_with("extends");
      if (!is_line) table = block;
      const std::string whole = is_line ? frame_of(table, block.substr(0, block.find(' '))) + block : block;
      EXPECT_EQ(mistakes_of(whole), "") << name << ":\n" << whole;
      ++blocks;
    }
  }
  EXPECT_GT(blocks, 300);
}

/// In a block of code `[](int i)` is no link.
std::string without_code(const std::string& page) {
  std::string text;
  std::istringstream lines(page);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("```")) inside = !inside;
    if (!inside) text += line + "\n";
  }
  return text;
}

TEST_F(Manual, LeadsToEveryPage) {
  static const std::regex link("\\]\\(([^)#]+)(#[^)]*)?\\)");
  std::set<std::string> reached = {"index.md"};
  for (const auto& [name, page] : pages_) {
    const std::string text = without_code(page);
    for (auto match = std::sregex_iterator(text.begin(), text.end(), link); match != std::sregex_iterator(); ++match) {
      const std::string target = (fs::path(name).parent_path() / (*match)[1].str()).lexically_normal().generic_string();
      EXPECT_TRUE(pages_.contains(target)) << name << " leads to " << target;
      reached.insert(target);
    }
  }
  for (const auto& [name, text] : pages_) EXPECT_TRUE(reached.contains(name)) << name;
}

TEST_F(Manual, ComesOutTheSameAndReplacesItself) {
  ASSERT_EQ(place_->osteon("docs --out again").code, 0);
  ASSERT_EQ(place_->osteon("docs --out again/").code, 0);
  EXPECT_EQ(pages_of(place_->folder() / "again"), pages_);
  for (const auto& entry : fs::directory_iterator(place_->folder()))
    EXPECT_FALSE(contains(entry.path().filename().string(), "again.")) << entry.path();
}

TEST_F(Manual, LeavesOthersFoldersAlone) {
  const fs::path mine = fs::canonical(place_->folder()) / "mine";
  fs::create_directory(mine);
  write_file(mine / "notes.md", "mine");
  const auto refused = place_->osteon("docs --out mine");
  EXPECT_EQ(refused.code, 2);
  EXPECT_EQ(refused.err,
            mine.string() + " was not written by osteon docs, which replaces a folder as a whole; name a new one\n");
  EXPECT_EQ(read(mine / "notes.md"), "mine");

  ASSERT_EQ(place_->osteon("docs --out shared").code, 0);
  const fs::path shared = mine.parent_path() / "shared";
  write_file(shared / "loss" / "notes.md", "mine");
  const auto again = place_->osteon("docs --out shared");
  EXPECT_EQ(again.code, 2);
  EXPECT_EQ(again.err, (shared / "loss" / "notes.md").string() +
                           " was not written by osteon docs and would be lost; move it out of " + shared.string() +
                           "\n");
  EXPECT_EQ(read(shared / "loss" / "notes.md"), "mine");
}

}  // namespace
}  // namespace osteon::test
