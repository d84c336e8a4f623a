// One declaration gives defaults, range checks, texts and the cache key.

#include <osteon/error.hpp>
#include <osteon/parameters.hpp>

#include <gtest/gtest.h>

namespace osteon {
namespace {

Schema schema() {
  return {"A test",
          {Parameter::real("margin", 0.1, "Gap.").above(0).at_most(4),
           Parameter::integer("depth", 18, "Layers.").one_of({18, 34, 50}),
           Parameter::text("side", "auto", "Side.").one_of({"auto", "left"}),
           Parameter::reals("energies", {60}, "Energies.").at_least(20).at_most(200).length_at_least(1),
           Parameter::path("path", "", "Folder."), Parameter::integer("bones", 3, "How many.").not_in_key()}};
}

std::string refusal(const std::map<std::string, ParameterValue>& given) {
  try {
    Parameters(schema(), given);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Parameters, FillsInDefaults) {
  const Parameters p(schema(), {{"margin", 0.2}});
  EXPECT_EQ(p.real("margin"), 0.2);
  EXPECT_EQ(p.integer("depth"), 18);
}

TEST(Parameters, RefusesWhatIsOutOfRange) {
  EXPECT_EQ(refusal({{"margin", 0.0}}), "parameter \"margin\": 0 is not above 0");
  EXPECT_EQ(refusal({{"margin", 4.5}}), "parameter \"margin\": 4.5 is not at most 4");
  EXPECT_EQ(refusal({{"depth", std::int64_t{19}}}), "parameter \"depth\": 19 is not one of 18, 34, 50");
  EXPECT_EQ(refusal({{"side", std::string("top")}}), "parameter \"side\": \"top\" is not one of auto, left");
  EXPECT_EQ(refusal({{"energies", std::vector<double>{}}}),
            "parameter \"energies\": has 0 entries; at least 1 are needed");
  EXPECT_EQ(refusal({{"energies", std::vector<double>{60, 300}}}), "parameter \"energies\": 300 is not at most 200");
  EXPECT_EQ(refusal({{"margn", 0.1}}), "unknown parameter \"margn\"");
}

TEST(Parameters, KeepsPathsAndCountsOutOfTheKey) {
  const auto key = Parameters(schema(), {}).canonical();
  EXPECT_FALSE(key.contains("path"));
  EXPECT_FALSE(key.contains("bones"));
  EXPECT_EQ(key.at("margin"), "0.1");
}

TEST(Parameters, ReadingWhatWasNotDeclaredIsABugOfThePlugin) {
  const Parameters p(schema(), {});
  EXPECT_THROW((void)p.real("gap"), Error);
  EXPECT_THROW((void)p.integer("margin"), Error);
}

TEST(Parameters, RemembersWhatNobodyRead) {
  const Parameters p(schema(), {});
  (void)p.real("margin");
  EXPECT_EQ(p.unread(), (std::vector<std::string>{"bones", "depth", "energies", "path", "side"}));
}

}  // namespace
}  // namespace osteon
