#include <osteon/files.hpp>
#include <osteon/format.hpp>
#include <osteon/testing/plugin_library.hpp>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <unistd.h>

namespace osteon {
namespace {

namespace fs = std::filesystem;

std::unique_ptr<Format> format(std::int64_t digits = 6) {
  return PluginLibrary("format", PLUGIN_LIBRARY).make<Format>({{"digits", digits}});
}

/// A file that is gone when the test is over.
struct TemporaryFile {
  explicit TemporaryFile(const std::string& content = "") {
    if (!content.empty()) write_file(path, content);
  }
  ~TemporaryFile() { fs::remove(path); }
  const fs::path path = fs::temp_directory_path() / text("plugin_name-", ::getpid(), ".off");
};

Mesh tetrahedron() {
  return {at::tensor({0.0F, 0.0F, 0.0F, 1.25F, 0.0F, 0.0F, 0.0F, 1.0F, 0.0F, 0.0F, 0.0F, 100.0625F}).view({4, 3}),
          at::tensor({0, 2, 1, 0, 1, 3, 0, 3, 2, 1, 2, 3}, at::kInt).view({4, 3})};
}

TEST(PluginName, ReadsWhatItWrites) {
  const TemporaryFile file;
  format(9)->write_mesh(tetrahedron(), file.path);
  const Mesh read = format()->read_mesh(file.path);
  EXPECT_TRUE(read.vertices.equal(tetrahedron().vertices));
  EXPECT_TRUE(read.triangles.equal(tetrahedron().triangles));
}

TEST(PluginName, RoundsToTheDigitsThatAreSet) {
  const TemporaryFile file;
  format(4)->write_mesh(tetrahedron(), file.path);
  EXPECT_FLOAT_EQ(format()->read_mesh(file.path).vertices[3][2].item<float>(), 100.1F);
}

TEST(PluginName, ReadsAPolygonAsAFanAndLeavesCommentsAndColoursOut) {
  const TemporaryFile file("OFF # a square\n4 1 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n4 0 1 2 3 255 0 0\n");
  EXPECT_TRUE(format()->read_mesh(file.path).triangles.equal(at::tensor({0, 1, 2, 0, 2, 3}, at::kInt).view({2, 3})));
}

TEST(PluginName, RefusesAFileThatIsCutOffOrNamesAVertexThatIsNotThere) {
  for (const char* content : {"OFF\n4 1 0\n0 0 0\n", "OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 3\n", "solid\n"}) {
    const TemporaryFile file(content);
    EXPECT_THROW((void)format()->read_mesh(file.path), Error) << content;
  }
}

TEST(PluginName, SaysThatItReadsNoVolumes) { EXPECT_THROW((void)format()->read_volume("volume.off"), Error); }

}  // namespace
}  // namespace osteon
