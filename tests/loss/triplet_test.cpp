// What is particular to the triplet loss: its own margin.

#include "loss/cases.hpp"

namespace osteon::test {
namespace {

TEST(TripletLoss, NamesItsMargin) { EXPECT_EQ(make_loss("triplet", {{"margin", 0.25}}).margin(), 0.25); }

TEST(TripletLoss, HasNoMarginWhenItIsSoft) {
  const Values soft{{"form", std::string("soft_margin")}};
  EXPECT_EQ(make_loss("triplet", soft).margin(), -1);
  Values other = soft;
  other["margin"] = 0.7;
  const naive::Problem problem = random_problem(1);
  const auto value = [&](const Values& values) {
    return make_loss("triplet", values)
        .compute(tensor_of(problem.x), labels_of(problem.labels), tuples_of(problem))
        .value.item<double>();
  };
  EXPECT_EQ(value(soft), value(other));
}

TEST(TripletLoss, RefusesAMarginOutsideItsRange) {
  const auto with_margin = [](double margin) {
    return message_of([&] { make_loss("triplet", {{"margin", margin}}); });
  };
  EXPECT_EQ(with_margin(0), "parameter \"margin\": 0 is not above 0");
  EXPECT_EQ(with_margin(5), "parameter \"margin\": 5 is not at most 4");
}

TEST(OtherLosses, HaveNoMarginOfTriplets) {
  for (const LossCase& one : one_case_each())
    if (one.plugin != "triplet") {
      EXPECT_EQ(make_loss(one.plugin).margin(), -1) << one.plugin;
    }
}

}  // namespace
}  // namespace osteon::test
