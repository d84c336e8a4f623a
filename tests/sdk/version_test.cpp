// The boundary's version: a changed declaration without a new version would let a host load a plugin that it misreads.

#include <osteon/build_stamp.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace osteon {
namespace {

#define OSTEON_TEST_QUOTE_(word) #word
#define OSTEON_TEST_QUOTE(word) OSTEON_TEST_QUOTE_(word)
const std::string kStamp = OSTEON_TEST_QUOTE(OSTEON_BUILD_STAMP);  // sdk1_0_9c7d924d_gnu12_…

struct Version {
  int first = 0, second = 0;
  std::string digest, change;
};

std::string contents_of(const std::string& path) {
  std::ifstream file(std::string(OSTEON_SOURCE_DIR) + "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<Version> versions() {
  std::vector<Version> list;
  std::istringstream lines(contents_of("framework/sdk_versions.txt"));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    std::smatch parts;
    const bool readable = std::regex_match(line, parts, std::regex(R"((\d+)\.(\d+) ([0-9a-f]{8}) (\S.*))"));
    EXPECT_TRUE(readable) << line;
    if (readable) list.push_back({std::stoi(parts[1]), std::stoi(parts[2]), parts[3], parts[4]});
  }
  return list;
}

TEST(SdkVersion, ChangesWithTheDeclarations) {
  std::smatch stamp;
  ASSERT_TRUE(std::regex_search(kStamp, stamp, std::regex(R"(^sdk(\d+)_(\d+)_([0-9a-f]{8})_)"))) << kStamp;
  const auto list = versions();
  ASSERT_FALSE(list.empty());
  const Version& now = list.back();
  EXPECT_EQ(std::to_string(now.first) + "_" + std::to_string(now.second), stamp[1].str() + "_" + stamp[2].str());
  EXPECT_EQ(now.digest, stamp[3]) << "The SDK's declarations are no longer those of SDK " << now.first << '.'
                                  << now.second << ". Add a line to framework/sdk_versions.txt with a higher version"
                                  << " and the digest " << stamp[3] << ", and say in CHANGELOG.md what plugin authors"
                                  << " must do.";
}

TEST(SdkVersion, GrowsFromLineToLine) {
  const auto list = versions();
  std::set<std::string> digests;
  for (std::size_t i = 0; i < list.size(); ++i) {
    EXPECT_TRUE(digests.insert(list[i].digest).second) << list[i].digest << " stands twice";
    if (i == 0) continue;
    const Version& before = list[i - 1];
    EXPECT_TRUE(std::pair(list[i].first, list[i].second) > std::pair(before.first, before.second)) << list[i].change;
    const std::string name = "SDK " + std::to_string(list[i].first) + "." + std::to_string(list[i].second);
    EXPECT_NE(contents_of("CHANGELOG.md").find(name), std::string::npos) << name << " is not in CHANGELOG.md";
  }
}

TEST(ProgramVersion, IsTheSameWhereverItStands) {
  const std::string cmake = contents_of("CMakeLists.txt");
  std::smatch version;
  ASSERT_TRUE(std::regex_search(cmake, version, std::regex(R"(project\(Osteon VERSION (\S+) )")));
  EXPECT_NE(contents_of("CITATION.cff").find("\nversion: " + version[1].str() + "\n"), std::string::npos);
  EXPECT_NE(contents_of("CHANGELOG.md").find("\n## " + version[1].str() + " "), std::string::npos);
}

}  // namespace
}  // namespace osteon
