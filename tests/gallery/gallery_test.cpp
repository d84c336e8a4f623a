// What galleries hold, refuse and forget.

#include "pipeline/gallery.hpp"
#include "pipeline/pack.hpp"
#include "store/bundle.hpp"

#include "store/scratch.hpp"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace osteon::pipeline {
namespace {

namespace fs = std::filesystem;
using store::message_of;

const std::string kOurs(64, 'a'), kTheirs(64, 'b');

GalleryEntry entry(const std::string& id, const std::string& source, Side side = Side::right) {
  GalleryEntry made{id, "person-of-" + id, side};
  made.source = source;
  made.date = "2026-11-28T20:00:00Z";
  made.command = "osteon enroll --id " + id;
  return made;
}

/// Fingerprint and picture that can be told again by their number.
bool add(Gallery& gallery, const GalleryEntry& made, float number) {
  return add_entry(gallery, made, at::full({4}, number, at::kFloat),
                   at::full({2, 2}, static_cast<int>(number), at::kByte));
}

Gallery gallery_of(const std::vector<std::string>& ids) {
  Gallery gallery{kOurs, {}, {}, {}};
  int number = 0;
  for (const std::string& id : ids) {
    ++number;
    add(gallery, entry(id, text("source ", number, " of ", id)), static_cast<float>(number));
  }
  return gallery;
}

/// Whether each entry still has the fingerprint and the picture that belong together.
void expect_consistent(const Gallery& gallery) {
  ASSERT_EQ(gallery.fingerprints.size(0), std::ssize(gallery.entries));
  for (std::size_t i = 0; i < gallery.entries.size(); ++i) {
    const float number = gallery.fingerprints[static_cast<std::int64_t>(i)][0].item<float>();
    EXPECT_EQ(gallery.pictures[gallery.entries[i].picture][0][0].item<int>(), static_cast<int>(number));
  }
}

TEST(Gallery, ComesBackFromItsFile) {
  const store::Scratch scratch;
  const fs::path file = scratch.path() / "x.gallery";
  Gallery gallery = gallery_of({"a", "b"});
  gallery.entries[0].pose = imaging::Angles{3, -2, 7.5};
  gallery.entries[0].energy = 60;
  gallery.entries[1].pixel_spacing = 6.25;
  gallery.entries[1].mesh = std::string(64, 'c');
  gallery.entries[1].side = Side::left;
  store::write_bundle(file, kGalleryKind, to_artifact(gallery));
  const Gallery back = read_gallery(file);
  EXPECT_EQ(back.network, kOurs);
  EXPECT_EQ(back.bones(), (std::vector<std::string>{"a", "b"}));
  ASSERT_TRUE(back.entries[0].pose);
  EXPECT_EQ(back.entries[0].pose->in_plane, 7.5);
  EXPECT_FALSE(back.entries[1].pose);
  EXPECT_EQ(back.entries[0].energy, 60);
  EXPECT_EQ(back.entries[1].pixel_spacing, 6.25);
  EXPECT_EQ(back.entries[1].mesh, std::string(64, 'c'));
  EXPECT_EQ(back.entries[1].side, Side::left);
  EXPECT_EQ(back.entries[1].subject, "person-of-b");
  EXPECT_EQ(back.entries[1].command, "osteon enroll --id b");
  expect_consistent(back);
}

TEST(Gallery, TakesTheSameXraysOnce) {
  Gallery gallery = gallery_of({"a"});
  EXPECT_FALSE(add(gallery, gallery.entries[0], 1));
  EXPECT_EQ(gallery.entries.size(), 1U);
  GalleryEntry same = entry("b", gallery.entries[0].source);
  EXPECT_EQ(message_of([&] { add(gallery, same, 2); }),
            "the same X-rays are in the gallery already, as bone \"a\" and not \"b\"; remove that one first if it is "
            "wrong");
  same.image = 1;  // another image of the same set
  EXPECT_TRUE(add(gallery, same, 2));
}

TEST(Gallery, RefusesABoneOfTwoPeopleOrSides) {
  Gallery gallery = gallery_of({"a"});
  GalleryEntry other = entry("a", "another");
  other.subject = "somebody";
  EXPECT_EQ(
      message_of([&] { add(gallery, other, 2); }),
      "bone \"a\" is of subject \"person-of-a\" in the gallery, not of \"somebody\"; give it another --id, or the "
      "right --subject");
  EXPECT_EQ(message_of([&] { add(gallery, entry("a", "another", Side::left), 2); }),
            "bone \"a\" is a right one in the gallery, not a left one; give it another --id, or the right --side");
}

TEST(Gallery, KeepsNoNames) {
  EXPECT_EQ(
      message_of([] { require_pseudonym("--id", "Jane Doe"); }),
      "--id \"Jane Doe\": expected 1 to 64 letters, digits, '-', '_' and '.', beginning with a letter or digit; it "
      "is kept and shown, so use a pseudonym, never a patient's name");
  for (const char* bad : {"", "-x", "../x", "a/b"})
    EXPECT_NE(message_of([&] { require_pseudonym("--id", bad); }), "nothing was thrown") << bad;
  require_pseudonym("--id", "femur-12.b_3");
}

TEST(Gallery, ForgetsABoneAndKeepsTheOthersTogether) {
  Gallery gallery = gallery_of({"a", "b", "a", "c"});
  EXPECT_EQ(remove_entries(gallery, [](const GalleryEntry& e) { return e.id == "a"; }), 2);
  EXPECT_EQ(gallery.bones(), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(gallery.pictures.size(0), 2);
  expect_consistent(gallery);
  EXPECT_EQ(remove_entries(gallery, [](const GalleryEntry& e) { return e.id == "a"; }), 0);
}

TEST(Gallery, MergesWhatIsNewAndKeepsItTogether) {
  Gallery gallery = gallery_of({"a", "b"});
  Gallery other = gallery_of({"a"});
  add(other, entry("c", "another source"), 9);
  EXPECT_EQ(merge_gallery(gallery, other), 1);
  EXPECT_EQ(gallery.bones(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(gallery.fingerprints[2][0].item<float>(), 9);
  expect_consistent(gallery);
  EXPECT_EQ(merge_gallery(gallery, other), 0);

  Gallery contrary{kOurs, {}, {}, {}};
  add(contrary, entry("d", gallery.entries[0].source), 5);
  EXPECT_EQ(message_of([&] { merge_gallery(gallery, contrary); }),
            "the same X-rays are bone \"a\" in one gallery and \"d\" in another; remove the wrong one first");
}

TEST(Gallery, RefusesFingerprintsOfAnotherNetworkWithBothHashes) {
  EXPECT_EQ(message_of([] { require_network("x.gallery", gallery_of({"a"}), kTheirs); }),
            "x.gallery: its fingerprints were made by the network " + kOurs + ", not by " + kTheirs +
                ": the two cannot be compared; enroll the X-rays again with the other model");
}

TEST(Gallery, DoubtsOneFingerprintUnderTwoIds) {
  Gallery gallery = gallery_of({"a", "b"});
  EXPECT_TRUE(doubts(gallery).empty());
  add(gallery, entry("c", "copy"), 1);
  add(gallery, entry("d", "zero"), 0);
  EXPECT_EQ(doubts(gallery), (std::vector<std::string>{"bones a and c have the same fingerprint: is it one bone?",
                                                       "fingerprint 4 of bone d is zero"}));
}

TEST(Gallery, RefusesAFileWhosePartsDoNotBelongTogether) {
  store::Artifact artifact = to_artifact(gallery_of({"a", "b"}));
  const std::string wrong =
      "x: its gallery cannot be read: its fingerprints or pictures are not those of its 2 entries";
  const auto refusal = [&](const std::function<void(store::Artifact&)>& change) {
    store::Artifact changed = artifact;
    change(changed);
    return message_of([&] { (void)gallery_from(changed, "x"); });
  };
  EXPECT_EQ(refusal([](auto& a) { a.tensors["fingerprints"] = at::zeros({1, 4}); }), wrong);
  EXPECT_EQ(refusal([](auto& a) { a.tensors["fingerprints"] = at::full({2, 4}, NAN); }), wrong);
  EXPECT_EQ(refusal([](auto& a) { a.facts["entries"][1]["picture"] = 2; }), wrong);
  EXPECT_EQ(refusal([](auto& a) { a.facts["entries"][1].erase("id"); }),
            "x: its gallery cannot be read: an entry is missing or of another type");
  EXPECT_EQ(refusal([](auto& a) { a.facts["entries"][1]["command"] = "\x1b[2J"; }),
            "x: a word in it holds control characters, which Osteon never writes");
}

TEST(Gallery, IsChangedUnderItsLockOrLeftAlone) {
  const store::Scratch scratch;
  const fs::path file = scratch.path() / "x.gallery";
  EXPECT_EQ(message_of([&] { change_gallery(file, std::nullopt, [](Gallery&) { return true; }); }),
            file.string() + ": no such gallery");
  change_gallery(file, gallery_of({"a"}), [](Gallery&) { return true; });
  EXPECT_THROW(change_gallery(file, std::nullopt,
                              [](Gallery& g) -> bool {
                                g.entries.clear();
                                throw Error("no");
                              }),
               Error);
  EXPECT_EQ(read_gallery(file).bones(), std::vector<std::string>{"a"});
}

}  // namespace
}  // namespace osteon::pipeline
