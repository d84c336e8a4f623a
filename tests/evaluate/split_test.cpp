// split.folds: who is held out when, for people with one bone and with two.

#include "pipeline/split.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>

#include <map>

namespace osteon::pipeline {
namespace {

Parameters split(std::map<std::string, ParameterValue> given) { return {split_schema(), std::move(given)}; }

Parameters folds(std::int64_t count, std::int64_t seed = 1) { return split({{"folds", count}, {"seed", seed}}); }

/// `people` people; those with an even number have two bones, the others one.
std::vector<SpecimenInfo> cohort(int people) {
  std::vector<SpecimenInfo> result;
  for (int person = 0; person < people; ++person) {
    const std::string subject = text("person ", person);
    result.push_back({subject + " right", subject, Side::right, 2});
    if (person % 2 == 0) result.push_back({subject + " left", subject, Side::left, 2});
  }
  return result;
}

std::string message_of(const Parameters& parameters, const std::vector<SpecimenInfo>& specimens,
                       std::int64_t fold = 0) {
  try {
    (void)held_out_subjects(parameters, specimens, fold);
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing was thrown";
}

TEST(Folds, HoldEveryPersonOutExactlyOnceInGroupsOfEqualSize) {
  for (const int people : {3, 4, 7, 12})
    for (int count = 2; count <= people; ++count) {
      if (people == 3 && count == 2) continue;  // would leave one bone to train on
      const auto specimens = cohort(people);
      std::map<std::string, int> times;
      for (int fold = 0; fold < count; ++fold) {
        const auto held_out = held_out_subjects(folds(count), specimens, fold);
        EXPECT_GE(std::ssize(held_out), people / count);
        EXPECT_LE(std::ssize(held_out), (people + count - 1) / count);
        for (const std::string& subject : held_out) ++times[subject];
      }
      EXPECT_EQ(std::ssize(times), people);
      for (const auto& [subject, number] : times) EXPECT_EQ(number, 1) << subject << " in " << count << " folds";
    }
}

TEST(Folds, DependOnTheSeedAndOnNothingElse) {
  auto specimens = cohort(12);
  const auto first = held_out_subjects(folds(4), specimens, 0);
  std::ranges::reverse(specimens);
  EXPECT_EQ(held_out_subjects(folds(4), specimens, 0), first);
  EXPECT_NE(held_out_subjects(folds(4, 2), specimens, 0), first);
  const Parameters beside = split({{"folds", std::int64_t{4}},
                                   {"held_out", std::int64_t{7}},
                                   {"subjects", std::vector<std::string>{"person 0", "nobody"}}});
  EXPECT_EQ(held_out_subjects(beside, specimens, 0), first) << "held_out and subjects count for nothing";
}

TEST(Folds, MoreOfThemThanPeopleAreRefused) {
  EXPECT_EQ(
      message_of(folds(5), cohort(4)),
      "split.folds is 5, but there are 4 people, and each fold holds out one of them at least; set split.folds to "
      "at most 4 or add people");
}

TEST(Folds, ThatLeaveTooLittleToTrainOnAreRefusedByTheirName) {
  const std::vector<SpecimenInfo> three = {{"a", "a", Side::right, 2}, {"b", "b", Side::right, 2}, {"c", "c", {}, 2}};
  EXPECT_EQ(message_of(folds(2), three),
            "split.folds: 2 of 3 people held out leaves 1 bones to train on; at least 2 are needed: take more folds or "
            "add bones");
  EXPECT_EQ(message_of(split({{"held_out", std::int64_t{2}}}), three),
            "split.held_out: 2 of 3 people held out leaves 1 bones to train on; at least 2 are needed: hold fewer "
            "people out or add bones");
}

TEST(HeldOut, AreAsManyAsAskedForOrThoseThatAreNamed) {
  const auto specimens = cohort(6);
  EXPECT_EQ(held_out_subjects(split({{"held_out", std::int64_t{2}}}), specimens, 0).size(), 2U);
  const std::vector<std::string> named = {"person 1", "person 4"};
  EXPECT_EQ(held_out_subjects(split({{"subjects", named}}), specimens, 0),
            (std::set<std::string>{"person 1", "person 4"}));
  EXPECT_EQ(message_of(split({{"subjects", std::vector<std::string>{"person 9"}}}), specimens),
            "split.subjects: there is no subject \"person 9\" among the specimens");
}

/// Ten poses at two energies.
std::vector<ImageRow> rows() {
  std::vector<ImageRow> result;
  for (std::int64_t pose = 0; pose < 10; ++pose)
    for (const double energy : {60.0, 80.0}) {
      ImageRow row;
      row.pose = pose;
      row.energy = energy;
      result.push_back(row);
    }
  return result;
}

TEST(Roles, EnergiesOfOnePoseStayTogetherAndHeldOutBonesOnlyEnrol) {
  const auto images = rows();
  const auto trained = gallery_roles(split({{"validation", 0.3}}), images, 5, false, false);
  int validating = 0;
  for (std::size_t i = 0; i < images.size(); i += 2) {
    EXPECT_EQ(trained[i], trained[i + 1]) << "pose " << images[i].pose;
    validating += trained[i] == Role::validation ? 1 : 0;
    EXPECT_TRUE(trained[i] == Role::validation || trained[i] == Role::training);
  }
  EXPECT_EQ(validating, 3);
  for (const Role role : gallery_roles(split({}), images, 5, true, false)) EXPECT_EQ(role, Role::gallery);
  const auto shared = gallery_roles(split({}), images, 5, true, true);
  EXPECT_EQ(std::ranges::count(shared, Role::query), 6);
  EXPECT_EQ(std::ranges::count(shared, Role::gallery), 14);
}

}  // namespace
}  // namespace osteon::pipeline
