// The rows that a fold trains on, of phantoms that the stages make: none shows a person whom the fold holds out.

#include "pipeline/opened.hpp"
#include "store/scratch.hpp"

#include <osteon/files.hpp>

#include <gtest/gtest.h>
#include <stdlib.h>

#include <map>
#include <set>

namespace osteon::pipeline {
namespace {

constexpr std::int64_t kFolds = 3;

/// Four coarse phantoms, and no reporter.
const char* const kExperiment = R"(title = "Folds"
[source]
plugin = "phantom"
bones = 4
acquisitions = 3
spacing = 4.0
[surface]
plugin = "isosurface"
[renderer]
plugin = "joseph"
[views]
height = 32
field_of_view = 600
axial_step = 21
in_plane_step = 21
query_poses = 3
[film]
energies = [60, 80]
[split]
folds = 3
training_scans = 2
[backbone]
plugin = "resnet"
[loss]
plugin = "triplet"
[training]
threads = 1
upright = true
)";

class FoldRows : public testing::Test {
 protected:
  FoldRows() {
    ::setenv("OSTEON_STORE", (scratch_.path() / "store").c_str(), 1);
    const std::filesystem::path file = scratch_.path() / "folds.toml";
    write_file(file, kExperiment);
    RunOptions options;
    options.request.file = file;
    options.plugin_folders = {std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"};
    opened_ = std::make_unique<OpenedExperiment>(options);
    Records records;
    cohort_ = make_volumes(opened_->run(), records);
    make_surfaces(opened_->run(), cohort_, records);
    make_images(opened_->run(), cohort_, records);
    make_network_input(opened_->run(), cohort_, records);
  }
  ~FoldRows() override { ::unsetenv("OSTEON_STORE"); }

  store::Scratch scratch_;
  std::unique_ptr<OpenedExperiment> opened_;
  Cohort cohort_;
};

TEST_F(FoldRows, NeverShowTheHeldOutAndEachPersonIsHeldOutOnce) {
  std::map<std::string, int> times_held_out;
  std::set<std::set<std::string>> trained_by_fold;
  for (std::int64_t fold = 0; fold < kFolds; ++fold) {
    const ImageTable table = load_images(opened_->run(), cohort_, fold);
    const training::Data data = training_data(table);
    // A row of the training data is known by where its pixels lie, which no index into it can get wrong.
    std::map<const std::uint8_t*, std::int64_t> image_at;
    for (std::int64_t i = 0; i < table.network_input.count(); ++i) image_at[table.network_input.image(i)] = i;
    std::set<std::int64_t> used;
    std::set<std::string> trained;
    std::map<std::int64_t, std::set<std::string>> bones_of_class;
    for (std::int64_t row = 0; row < data.pixels.count(); ++row) {
      const std::int64_t image = image_at.at(data.pixels.image(row));
      const EvidenceBone& bone = table.bones[static_cast<std::size_t>(table.bone[image].item<std::int64_t>())];
      EXPECT_FALSE(bone.held_out) << bone.id << " in fold " << fold;
      trained.insert(bone.subject);
      bones_of_class[data.labels[row].item<std::int64_t>()].insert(bone.id);
      used.insert(image);
    }
    EXPECT_EQ(std::ssize(used), data.pixels.count()) << "no row twice";
    EXPECT_EQ(std::ssize(data.training) + std::ssize(data.validation), data.pixels.count());
    EXPECT_GT(data.validation.size(), 0U);
    EXPECT_EQ(std::ssize(bones_of_class), data.classes);
    for (const auto& [number, bones] : bones_of_class) EXPECT_EQ(bones.size(), 1U) << "class " << number;
    for (const EvidenceBone& bone : table.bones) {
      times_held_out[bone.subject] += bone.held_out ? 1 : 0;
      EXPECT_NE(trained.contains(bone.subject), bone.held_out) << bone.id;
    }
    // All that is left of the trained people are their queries.
    for (std::int64_t i = 0; i < std::ssize(table.role); ++i) {
      const EvidenceBone& bone = table.bones[static_cast<std::size_t>(table.bone[i].item<std::int64_t>())];
      EXPECT_EQ(!used.contains(i), bone.held_out || table.role[static_cast<std::size_t>(i)] == Role::query);
    }
    trained_by_fold.insert(trained);
  }
  EXPECT_EQ(times_held_out.size(), 4U);
  for (const auto& [subject, times] : times_held_out) EXPECT_EQ(times, 1) << subject;
  EXPECT_EQ(std::ssize(trained_by_fold), kFolds) << "folds train on different people";
}

TEST_F(FoldRows, FoldsDifferInRolesNotInImages) {
  const ImageTable first = load_images(opened_->run(), cohort_, 0), second = load_images(opened_->run(), cohort_, 1);
  ASSERT_EQ(first.pixels.count(), second.pixels.count());
  EXPECT_TRUE(first.bone.equal(second.bone));
  EXPECT_NE(first.role, second.role);
  for (std::int64_t i = 0; i < first.pixels.count(); ++i) {
    EXPECT_TRUE(first.pixels[i].equal(second.pixels[i]));
    EXPECT_EQ(first.role[static_cast<std::size_t>(i)] == Role::query,
              second.role[static_cast<std::size_t>(i)] == Role::query)
        << "who asks is the same in all folds";
  }
}

}  // namespace
}  // namespace osteon::pipeline
