#include "store/store.hpp"

#include "scratch.hpp"

#include <osteon/files.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace osteon::store {
namespace {

class Why : public ::testing::Test {
 protected:
  void SetUp() override { store_.put(asked_, {}); }

  Scratch scratch_;
  Store store_{scratch_.path()};
  Ingredients asked_{"train",
                     "all bones",
                     {{"input.volume", std::string(64, 'a')},
                      {"loss.build", std::string(64, 'b')},
                      {"loss.margin", "0.1"},
                      {"loss.plugin", "triplet"},
                      {"stage.revision", "1"}}};
};

TEST_F(Why, SaysNothingOfWhatIsThere) { EXPECT_EQ(store_.why(asked_), ""); }

TEST_F(Why, SaysFirstTimeForANewStageOrSubject) {
  Ingredients other = asked_;
  other.parts["loss.margin"] = "0.2";
  other.subject = "p03";
  EXPECT_EQ(store_.why(other), "first time");
  other.subject = asked_.subject;
  other.stage = "embed";
  EXPECT_EQ(store_.why(other), "first time");
}

TEST_F(Why, NamesTheValuesOfAChangedParameter) {
  asked_.parts["loss.margin"] = "0.2";
  EXPECT_EQ(store_.why(asked_), "loss.margin changed 0.1 → 0.2");
}

TEST_F(Why, ComparesWithTheNewest) {
  asked_.parts["loss.margin"] = "0.2";
  store_.put(asked_, {});
  asked_.parts["loss.margin"] = "0.5";
  EXPECT_EQ(store_.why(asked_), "loss.margin changed 0.2 → 0.5");
}

TEST_F(Why, JoinsSeveralReasons) {
  asked_.parts["loss.margin"] = "0.2";
  asked_.parts["stage.revision"] = "2";
  EXPECT_EQ(store_.why(asked_), "loss.margin changed 0.1 → 0.2; stage.revision changed 1 → 2");
}

TEST_F(Why, NamesAChangedInputWithoutItsDigest) {
  asked_.parts["input.volume"] = std::string(64, 'c');
  EXPECT_EQ(store_.why(asked_), "its input volume changed");
}

TEST_F(Why, NamesARebuiltPlugin) {
  asked_.parts["loss.build"] = std::string(64, 'c');
  EXPECT_EQ(store_.why(asked_), "plugin loss/triplet was rebuilt");
}

TEST_F(Why, NamesARebuiltPluginOfANestedTable) {
  asked_.parts["shape.deform.renderer.plugin"] = "torch";
  asked_.parts["shape.deform.renderer.build"] = "1";
  store_.put(asked_, {});
  asked_.parts["shape.deform.renderer.build"] = "2";
  EXPECT_EQ(store_.why(asked_), "plugin renderer/torch was rebuilt");
}

TEST_F(Why, NamesAnotherPluginOnce) {
  asked_.parts["loss.plugin"] = "contrastive";
  asked_.parts["loss.build"] = std::string(64, 'c');
  EXPECT_EQ(store_.why(asked_), "loss.plugin changed triplet → contrastive");
}

TEST_F(Why, NamesAddedAndRemovedParts) {
  asked_.parts.erase("loss.margin");
  asked_.parts["loss.scale"] = "30.0";
  asked_.parts["input.weights"] = std::string(64, 'd');
  EXPECT_EQ(store_.why(asked_), "input weights was added; loss.margin (0.1) was removed; loss.scale = 30.0 was added");
}

TEST_F(Why, NamesLongValuesOnlyAsChanged) {
  asked_.parts["split.images"] = std::string(61, 'x');
  store_.put(asked_, {});
  asked_.parts["split.images"] = "none";
  EXPECT_EQ(store_.why(asked_), "split.images changed");
}

TEST_F(Why, NoticesADeletedArtifact) {
  const std::string key = asked_.key();
  std::filesystem::remove_all(store_.root() / key.substr(0, 2) / key);
  EXPECT_EQ(store_.why(asked_), "its artifact is no longer in the store");
}

TEST_F(Why, ForgetsADamagedRecord) {
  for (const auto& entry : std::filesystem::directory_iterator(store_.root() / "latest/train"))
    write_file(entry.path(), "{");
  asked_.parts["loss.margin"] = "0.2";
  EXPECT_EQ(store_.why(asked_), "first time");
  store_.put(asked_, {});
  asked_.parts["loss.margin"] = "0.3";
  EXPECT_EQ(store_.why(asked_), "loss.margin changed 0.2 → 0.3");
}

}  // namespace
}  // namespace osteon::store
