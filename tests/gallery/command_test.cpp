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
      EXPECT_NE(done.out.find(
                    text("enrolled   bone-", bone, " · ", name, " has ", bone, bone == 1 ? " bone · " : " bones · ")),
                std::string::npos)
          << done.out;
    }
  }
  /// Width and height: the first two numbers of a PNG's header, most significant byte first.
  static std::pair<int, int> size_of_png(const std::string& bytes) {
    const auto number = [&](std::size_t at) {
      int value = 0;
      for (std::size_t i = at; i < at + 4; ++i) value = 256 * value + static_cast<unsigned char>(bytes.at(i));
      return value;
    };
    return {number(16), number(20)};
  }
  static bool has(const std::string& words, const std::string& part) { return words.find(part) != std::string::npos; }
};

TEST_F(GalleryCommands, PackTellsItsNetworkAndKeepsNoFolders) {
  EXPECT_TRUE(has(packed(), "gallery    24 bones · ")) << packed();
  EXPECT_TRUE(has(packed(), "unknown    knn answers from the score -")) << packed();
  EXPECT_TRUE(has(packed(), " of the X-rays of 20 strangers that it was trained on\n")) << packed();
  EXPECT_TRUE(has(packed(), " of the X-rays of 4 strangers that it never saw\n")) << packed();
  EXPECT_TRUE(has(packed(), "note       the run had one acquisition a bone")) << packed();
  const Outcome list = osteon("gallery list model.osteon");
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_TRUE(has(list.out, "model.osteon · 24 bones · ")) << list.out;
  EXPECT_TRUE(has(osteon("gallery check model.osteon --model model.osteon").out, "\nsound\n"));
  const std::string bytes = test::read(folder() / "model.osteon");
  for (const std::string& place : {folder().string(), std::string(OSTEON_SOURCE_DIR), std::string(OSTEON_BUILD_DIR)})
    EXPECT_EQ(bytes.find(place), std::string::npos) << place;
}

TEST_F(GalleryCommands, IdentifiesAnEnrolledBoneAndNotAStranger) {
  enroll_two("two.gallery");
  for (const int bone : {1, 2}) {
    const Outcome known = osteon(text("identify --model model.osteon --gallery two.gallery ",
                                      scaled(bone, test::kScans), " --out answer-", bone, ".png"));
    ASSERT_EQ(known.code, 0) << known.err;
    EXPECT_TRUE(has(known.out, text("answer     bone-", bone, "\n"))) << known.out;
    EXPECT_TRUE(has(known.out, text("   1  bone-", bone, "  "))) << known.out;
    const auto [wide, high] = size_of_png(test::read(folder() / text("answer-", bone, ".png")));
    EXPECT_GT(wide, 2 * high);  // the query and two candidates side by side
  }
  const Outcome stranger = osteon("identify --model model.osteon --gallery two.gallery " + scaled(3, test::kScans));
  ASSERT_EQ(stranger.code, 0) << stranger.err;
  EXPECT_TRUE(has(stranger.out, "answer     unknown\n")) << stranger.out;
  EXPECT_TRUE(has(stranger.out, "is most alike, but not alike enough")) << stranger.out;
}

TEST_F(GalleryCommands, IdentifiesFromAMontageOfAnotherSizeAndSaysSo) {
  enroll_two("montage.gallery");
  const std::string asked = "identify --model model.osteon --gallery montage.gallery --montage ";
  const Outcome known = osteon(asked + montage(1, test::kScans));
  ASSERT_EQ(known.code, 0) << known.err;
  EXPECT_TRUE(has(known.out,
                  "note       the montage of 128 x 128 pixels was made 64 x 64, the network's size; its height "
                  "must show 600 mm, or all sizes are wrong\n"))
      << known.out;
  const at::Tensor negative = grey(folder() / montage(1, test::kScans)).neg().add(255);
  write_png(folder() / "negative.png", negative);
  const Outcome dark = osteon(asked + "negative.png");
  EXPECT_TRUE(has(dark.out,
                  "the montage's border is bright, and the network was trained on images with bright bone on "
                  "black: is it the negative?"))
      << dark.out;
  write_png(folder() / "narrow.png", negative.slice(1, 0, 64).contiguous());
  EXPECT_EQ(
      osteon(asked + "narrow.png").err,
      "narrow.png: 64 x 128 pixels are no montage for a network that sees 64 x 64: AP left, ML right, each twice as "
      "high as wide; make one with osteon xray prepare\n");
}

TEST_F(GalleryCommands, SaysWhatAPictureLacks) {
  const std::string identify = "identify --model model.osteon ";
  const Outcome unscaled = osteon(identify + xrays(1, 1));
  EXPECT_EQ(unscaled.code, 2);
  EXPECT_EQ(
      unscaled.err,
      "the AP radiograph has no scale (a picture carries none), and the network was trained on bones at their size "
      "in millimetres: give --spacing, mm between pixels at the bone, or --marker, the ends and the length of a "
      "marker\n");
  for (const char* view : {"ap", "ml"})
    write_png(folder() / text(view, "-dark.png"), grey(folder() / text(view, "-1-1.png")).neg().add(255));
  const std::string dark = "ap-dark.png ml-dark.png --spacing 4.6875";
  EXPECT_TRUE(has(osteon("xray prepare " + dark).out,
                  "look here  most of the picture's border is bright: if bone is dark in it, set xray.polarity to "
                  "bone_dark"));
  const Outcome told = osteon(identify + dark + " --set xray.polarity=bone_dark");
  const Outcome bright = osteon(identify + scaled(1, 1));
  ASSERT_EQ(told.code, 0) << told.err;
  EXPECT_FALSE(has(told.out, "border is bright")) << told.out;
  EXPECT_EQ(told.out.substr(told.out.find("answer  ")), bright.out.substr(bright.out.find("answer  ")));
  EXPECT_EQ(osteon(identify + dark + " --set xray.polarty=bone_dark").err,
            "--set xray.polarty=bone_dark: [xray] has no parameter \"polarty\"; did you mean \"polarity\"?\n");
  EXPECT_EQ(osteon(identify + dark + " --set views.height=32").err,
            "--set views.height=32: expected xray.KEY=VALUE; all else is as the network was trained\n");
  EXPECT_EQ(osteon(identify + "ap-1-1.png").err, "one radiograph is missing: give the AP one, then the ML one\n");
  EXPECT_EQ(osteon(identify).err, "no X-rays: give the AP and the ML radiograph, or --montage PNG\n");
}

TEST_F(GalleryCommands, EnrollsTheSameXraysOnce) {
  const std::string enroll = "enroll --model model.osteon --gallery once.gallery --id ";
  EXPECT_EQ(osteon(enroll + "bone-1 " + scaled(1, 1)).code, 0);
  const std::string before = test::read(folder() / "once.gallery");
  const Outcome again = osteon(enroll + "bone-1 " + scaled(1, 1));
  EXPECT_EQ(again.code, 0) << again.err;
  EXPECT_TRUE(has(again.out, "there      bone-1 · once.gallery has 1 bone · 1 fingerprint\n")) << again.out;
  EXPECT_EQ(test::read(folder() / "once.gallery"), before);
  EXPECT_EQ(osteon(enroll + "bone-2 " + scaled(1, 1)).code, 2);
  EXPECT_EQ(osteon(enroll + "'Jane Doe' " + scaled(2, 1)).code, 2);
  // Neither files nor folders come into it.
  EXPECT_EQ(before.find("ap-1-1"), std::string::npos);
  EXPECT_NE(before.find("osteon enroll --id bone-1 --ap-spacing 4.6875 --ml-spacing 4.6875"), std::string::npos);
}

TEST_F(GalleryCommands, RefusesAGalleryOfAnotherNetworkWithBothHashes) {
  enroll_two("ours.gallery");
  pipeline::Gallery theirs = pipeline::read_gallery(folder() / "ours.gallery");
  const std::string ours = theirs.network;
  theirs.network = std::string(64, 'f');
  store::write_bundle(folder() / "theirs.gallery", "gallery", pipeline::to_artifact(theirs));
  const std::string expected = "theirs.gallery: its fingerprints were made by the network " + theirs.network +
                               ", not by " + ours +
                               ": the two cannot be compared; enroll the X-rays again with the other model\n";
  for (const std::string& command : {"identify --model model.osteon --gallery theirs.gallery " + scaled(1, 1),
                                     "enroll --model model.osteon --gallery theirs.gallery --id bone-3 " + scaled(3, 1),
                                     std::string("gallery merge ours.gallery theirs.gallery"),
                                     std::string("gallery check theirs.gallery --model model.osteon")}) {
    const Outcome refused = osteon(command);
    EXPECT_EQ(refused.code, 2) << command;
    EXPECT_EQ(refused.err, expected) << command;
  }
}

TEST_F(GalleryCommands, MergesListsChecksAndRemoves) {
  enroll_two("mine.gallery");
  const Outcome merged = osteon("gallery merge all.gallery mine.gallery model.osteon");
  EXPECT_TRUE(has(merged.out, "all.gallery · 26 bones · ")) << merged.out << merged.err;
  EXPECT_TRUE(has(osteon("gallery merge all.gallery mine.gallery").out, "added      0 fingerprints\n"));
  EXPECT_TRUE(has(osteon("gallery list mine.gallery").out,
                  "bone       bone-2 · subject person-2 · unknown · 1 "
                  "fingerprint · 9.375 mm · "));
  EXPECT_TRUE(has(osteon("gallery list mine.gallery --all").out, "osteon enroll --id bone-1 "));
  const Outcome missing = osteon("gallery remove mine.gallery --id bone-11");
  EXPECT_EQ(missing.err, "mine.gallery: no bone \"bone-11\"; did you mean \"bone-1\"?\n");
  const Outcome removed = osteon("gallery remove mine.gallery --subject person-1");
  EXPECT_EQ(removed.out, "removed    1 fingerprint\nmine.gallery · 1 bone · 1 fingerprint\n") << removed.err;
  EXPECT_FALSE(has(test::read(folder() / "mine.gallery"), "person-1"));
  EXPECT_TRUE(has(osteon("gallery check mine.gallery").out, "\nsound\n"));
}

TEST_F(GalleryCommands, PackSaysWhatItNeeds) {
  EXPECT_TRUE(has(osteon("pack nowhere").err, "nowhere: not the folder of a run that has trained"));
  EXPECT_TRUE(
      has(osteon("pack runs/" + run(), "OSTEON_STORE=elsewhere").err, ": its model is not in the store elsewhere"));
  EXPECT_EQ(osteon("identify --model two.png " + scaled(1, 1)).err, "two.png: no such file\n");
  EXPECT_EQ(osteon("identify --model ap-1-1.png " + scaled(1, 1)).err,
            "ap-1-1.png: no model and no gallery of Osteon: its first bytes are others\n");
}

}  // namespace
}  // namespace osteon
