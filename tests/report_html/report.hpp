#pragma once

// What the tests of the page share: the plugin through the host, a folder that goes away, and what lies in it.

#include "host/handles.hpp"
#include "host/registry.hpp"

#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <osteon/mesh.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace osteon {

inline host::ReporterHandle make_reporter(std::map<std::string, ParameterValue> given = {}) {
  given.try_emplace("surface_size", std::int64_t{64});  // small, so that the tests are quick
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("reporter", "html");
  return {plugin, Parameters(plugin.schema, given)};
}

/// The blocks of JSON that the script reads, in order.
inline std::vector<nlohmann::json> blocks(const std::string& html) {
  const std::string begin = "<script type=\"application/json\">";
  std::vector<nlohmann::json> all;
  for (std::size_t at = html.find(begin); at != std::string::npos; at = html.find(begin, at + 1)) {
    const std::size_t from = at + begin.size();
    all.push_back(nlohmann::json::parse(html.substr(from, html.find("</script>", from) - from)));
  }
  return all;
}

class HtmlReport : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "osteon-report-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string page() const { return read_file(folder_ / "report.html"); }
  [[nodiscard]] RunStarted start(std::string title) const {
    return {std::move(title),
            folder_,
            "12 bones · 9 train / 3 held out",
            "osteon run experiments/quickstart.toml --set \"a<b\"",
            "",
            {{"cpu", "<img src=x onerror=alert(1)>"}, {"threads", "2"}},
            "title = \"</code><script>alert(2)</script>\"\n"};
  }

  std::filesystem::path folder_;
};

/// Four times as high as wide.
inline Mesh octahedron(float size) {
  const std::vector<float> vertices = {size, 0,     0, -size, 0, 0,        0, size, 0,
                                       0,    -size, 0, 0,     0, 4 * size, 0, 0,    -4 * size};
  const std::vector<std::int32_t> triangles = {0, 2, 4, 2, 1, 4, 1, 3, 4, 3, 0, 4, 2, 0, 5, 1, 2, 5, 3, 1, 5, 0, 3, 5};
  return {at::tensor(vertices).reshape({-1, 3}), at::tensor(triangles, at::kInt).reshape({-1, 3})};
}

inline std::size_t count(const std::string& text, const std::string& what) {
  std::size_t number = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++number;
  return number;
}

}  // namespace osteon
