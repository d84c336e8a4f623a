// Job scripts: what they ask for, which points are in which array, words that the shell and sbatch read differently.

#include "pipeline/slurm.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>

namespace osteon::pipeline {
namespace {

Parameters slurm(const std::map<std::string, ParameterValue>& given) { return {slurm_schema(), given}; }

TEST(SlurmScript, ShortensRangesOfPoints) {
  EXPECT_EQ(array_text({}), "");
  EXPECT_EQ(array_text({7}), "7");
  EXPECT_EQ(array_text({1, 2, 3, 4, 7, 9, 10}), "1-4,7,9-10");
}

TEST(SlurmScript, OneArrayWhereItsLastIndexIsAllowed) {
  const auto parts = array_parts({1, 5, 1000}, 1001);
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_EQ(parts[0].offset, 0U);
  EXPECT_EQ(parts[0].folder, "%2a");
  EXPECT_EQ(parts[0].indices, (std::vector<std::size_t>{1, 5, 1000}));
  EXPECT_TRUE(array_parts({}, 1001).empty());
}

TEST(SlurmScript, SplitsSoThatTheLastDigitsOfAPointAreItsIndex) {
  const auto parts = array_parts({2, 999, 1000, 1001, 3042}, 1001);
  ASSERT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts[0].folder, "%2a");
  EXPECT_EQ(parts[0].indices, (std::vector<std::size_t>{2, 999}));
  EXPECT_EQ(parts[1].offset, 1000U);
  EXPECT_EQ(parts[1].folder, "1%3a") << "index 1 is point 1001";
  EXPECT_EQ(parts[1].indices, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(parts[2].offset, 3000U);
  EXPECT_EQ(parts[2].folder, "3%3a");
  EXPECT_EQ(parts[2].indices, (std::vector<std::size_t>{42}));
}

TEST(SlurmScript, RefusesAClusterWithoutArrays) {
  try {
    (void)array_parts({1, 2, 3}, 1);
    FAIL() << "taken";
  } catch (const Error& e) {
    EXPECT_STREQ(
        e.what(),
        "this cluster takes no job arrays of more than 0 jobs (MaxArraySize = 1); ask its administrator for more, "
        "or run without --executor slurm");
  }
}

TEST(SlurmScript, AsksForWhatTheSectionSays) {
  EXPECT_TRUE(resource_words(slurm({})).empty()) << "the cluster's defaults";
  const auto words = resource_words(slurm({{"partition", std::string("gpu")},
                                           {"account", std::string("bones")},
                                           {"qos", std::string("long")},
                                           {"time", 1.51},
                                           {"memory", 16.0},
                                           {"cores", std::int64_t{4}},
                                           {"gpus", std::int64_t{1}},
                                           {"options", std::vector<std::string>{"-C", "a100"}}}));
  EXPECT_EQ(words, (std::vector<std::string>{"--partition=gpu", "--account=bones", "--qos=long", "--time=91",
                                             "--mem=15259M", "--cpus-per-task=4", "--gres=gpu:1", "-C", "a100"}));
}

TEST(SlurmScript, RefusesALineBreak) {
  try {
    (void)resource_words(slurm({{"partition", std::string("gpu\nrm")}}));
    FAIL() << "taken";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "slurm.partition: has a line break; it goes into one line of a script");
  }
}

TEST(SlurmScript, QuotesForSbatchAndForTheShell) {
  EXPECT_EQ(output_pattern("/data/100%/run"), "/data/100%%/run");
  EXPECT_EQ(script_text({"Why.",
                         {"--array=1-3", "--output=/my data/\"x\"/%2a"},
                         {{"OSTEON_STORE", shell_word("/it's here")}},
                         "osteon run"}),
            "#!/bin/bash\n# Why.\n#SBATCH --array=1-3\n#SBATCH \"--output=/my data/\\\"x\\\"/%2a\"\n"
            "export OSTEON_STORE='/it'\\''s here'\nexec osteon run\n");
}

}  // namespace
}  // namespace osteon::pipeline
