// Who is asked about a gallery that doesn't know them, and what that says of a score.

#include "pipeline/unknown.hpp"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace osteon::pipeline {
namespace {

host::ClassifierHandle nearest() {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const auto& plugin = registry.find("classifier", "knn");
  return {plugin, Parameters(plugin.schema, {})};
}

/// People on a line, each with one bone: fingerprint (place, 0).
Labelled on_a_line(const std::vector<std::pair<std::string, float>>& people) {
  Labelled some{at::zeros({std::ssize(people), 2}), at::zeros({std::ssize(people)}, at::kLong), {}};
  for (std::size_t i = 0; i < people.size(); ++i) {
    some.person.push_back(people[i].first);
    some.vectors.data_ptr<float>()[2 * i] = people[i].second;
    some.labels.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(i);
  }
  return some;
}

TEST(Unknown, AsksEveryoneOnceBeforeAGalleryWithoutThem) {
  const Labelled everyone = on_a_line({{"a", 0}, {"b", 1}, {"c", 3}, {"d", 7}});
  const PeopleScores scores = ask_strangers(nearest(), everyone, everyone, {"a", "b", "c", "d"}, 4, 1);
  ASSERT_EQ(scores.person.size(), 4U);
  std::map<std::string, float> found;
  for (std::size_t i = 0; i < 4; ++i) found[scores.person[i]] = scores.scores.data_ptr<float>()[i];
  // Minus the distance to the nearest of the others, never 0 to oneself.
  EXPECT_EQ(found, (std::map<std::string, float>{{"a", -1}, {"b", -1}, {"c", -2}, {"d", -4}}));
}

TEST(Unknown, AsksAllAtOnceBeforeAGalleryOfOthers) {
  const Labelled strangers = on_a_line({{"a", 0}, {"b", 1}}), gallery = on_a_line({{"x", 5}});
  const PeopleScores scores = ask_strangers(nearest(), gallery, strangers, {"a", "b"}, 2, 1);
  EXPECT_EQ(scores.person, strangers.person);
  EXPECT_EQ(scores.scores[0].item<float>(), -5);
  EXPECT_EQ(scores.scores[1].item<float>(), -4);
}

TEST(Unknown, AsksNobodyWhereOneBoneWouldBeLeft) {
  const Labelled everyone = on_a_line({{"a", 0}, {"b", 1}});
  EXPECT_TRUE(ask_strangers(nearest(), everyone, everyone, {"a", "b"}, 2, 1).person.empty());
}

TEST(Unknown, CountsPeopleNotImages) {
  // Of a every image reaches -1, of b one in four.
  const PeopleScores scores{at::tensor({-1.0F, -1.0F, -2.0F, -2.0F, -1.0F, -2.0F}, at::kFloat),
                            {"a", "a", "b", "b", "b", "b"}};
  EXPECT_EQ(scores.people(), 2);
  EXPECT_DOUBLE_EQ(scores.share_reaching(-1), 0.5 + 0.5 / 4);
  EXPECT_DOUBLE_EQ(scores.share_reaching(-2), 1);
  EXPECT_DOUBLE_EQ(scores.share_reaching(0), 0);
  EXPECT_TRUE(std::isnan(PeopleScores{}.share_reaching(0)));
  // The threshold for a rate keeps to it.
  EXPECT_LE(scores.share_reaching(threshold_for(scores.scores, scores.person, 0.1)), 0.1);
}

}  // namespace
}  // namespace osteon::pipeline
