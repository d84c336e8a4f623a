// Bones that are called two people's and are one: a split by person would not keep them apart.

#include "pipeline/stages.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>

namespace osteon::pipeline {
namespace {

const std::vector<SpecimenInfo> kBones = {
    {"a left", "a", Side::left, 1}, {"a right", "a", Side::right, 1}, {"b left", "b", Side::left, 1}};

std::vector<Scan> scans_of(const std::vector<std::string>& files) {
  std::vector<Scan> scans(files.size());
  for (std::size_t s = 0; s < files.size(); ++s) {
    scans[s].specimen = s;
    scans[s].files = files[s];
  }
  return scans;
}

TEST(People, OfTheSameFilesAreRefused) {
  try {
    require_distinct_people(kBones, scans_of({"x", "y", "x"}));
    FAIL() << "a bone under two people's names was taken";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "source: a left and b left are made of the same files, but are called two people (a, b): what is held "
                 "out of the training would be trained on. Leave one of them out, or call both the same person");
    EXPECT_EQ(e.cause(), Error::Cause::mistake);
  }
}

TEST(People, WithFilesOfTheirOwnOrNoneAreTaken) {
  EXPECT_NO_THROW(require_distinct_people(kBones, scans_of({"x", "y", "z"})));
  EXPECT_NO_THROW(require_distinct_people(kBones, scans_of({"x", "x", "z"}))) << "both are of one person";
  EXPECT_NO_THROW(require_distinct_people(kBones, scans_of({"", "", ""}))) << "procedural bones have no files";
}

}  // namespace
}  // namespace osteon::pipeline
