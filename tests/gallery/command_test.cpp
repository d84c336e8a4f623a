// From a trained run to an answer, as a colleague would: pack, enroll, identify. The bones are phantoms that the run
// has never seen; their X-rays come from other scans than those that were enrolled, at another resolution and energy.

#include "place.hpp"

#include "pipeline/gallery.hpp"
#include "store/bundle.hpp"

#include <osteon/files.hpp>

namespace osteon {
namespace {

namespace fs = std::filesystem;

class GalleryCommands : public test::GalleryPlace {
 protected:
  /// Bones 1 and 2, of scan 1, in a gallery of this name.
  static void enroll_two(const std::string& name) {
    for (const int bone : {1, 2}) {
      const Outcome done = osteon(text("enroll --model model.osteon --gallery ", name, " --id bone-", bone,
                                       " --subject person-", bone, " ", scaled(bone, 1)));
      ASSERT_EQ(done.code, 0) << done.err << done.out;
      EXPECT_NE(
          done.out.find(text("enrolled   bone-", bone, " · ", name, " has ", bone, " bones · ", bone, " fingerprints")),
          std::string::npos)
          << done.out;
    }
  }
  static bool has(const std::string& words, const std::string& part) { return words.find(part) != std::string::npos; }
};

TEST_F(GalleryCommands, PackTellsItsNetworkAndKeepsNoFolders) {
  EXPECT_TRUE(has(packed(), "gallery    10 bones · ")) << packed();
  EXPECT_TRUE(has(packed(), "unknown    knn answers from the score -")) << packed();
  const Outcome list = osteon("gallery list model.osteon");
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_TRUE(has(list.out, "model.osteon · 10 bones · ")) << list.out;
  EXPECT_TRUE(has(osteon("gallery check model.osteon --model model.osteon").out, "\nsound\n"));
  const std::string bytes = test::read(folder() / "model.osteon");
  for (const std::string& place : {folder().string(), std::string(OSTEON_SOURCE_DIR), std::string(OSTEON_BUILD_DIR)})
    EXPECT_EQ(bytes.find(place), std::string::npos) << place;
}

TEST_F(GalleryCommands, IdentifiesAnEnrolledBoneAndNotAStranger) {
  enroll_two("two.gallery");
  for (const int bone : {1, 2}) {
    const Outcome known = osteon(
        text("identify --model model.osteon --gallery two.gallery ", scaled(bone, 3), " --out answer-", bone, ".png"));
    ASSERT_EQ(known.code, 0) << known.err;
    EXPECT_TRUE(has(known.out, text("answer     bone-", bone, "\n"))) << known.out;
    EXPECT_TRUE(has(known.out, text("   1  bone-", bone, "  "))) << known.out;
    const at::Tensor picture = pictures().read_radiograph(folder() / text("answer-", bone, ".png")).intensity;
    EXPECT_GT(picture.size(1), picture.size(0));  // the query and two candidates side by side
  }
  const Outcome stranger = osteon("identify --model model.osteon --gallery two.gallery " + scaled(3, 3));
  ASSERT_EQ(stranger.code, 0) << stranger.err;
  EXPECT_TRUE(has(stranger.out, "answer     unknown\n")) << stranger.out;
  EXPECT_TRUE(has(stranger.out, "is most alike, but not alike enough")) << stranger.out;
  std::cout << osteon("identify --model model.osteon --gallery two.gallery " + scaled(1, 3)).out << stranger.out;
}

}  // namespace
}  // namespace osteon
