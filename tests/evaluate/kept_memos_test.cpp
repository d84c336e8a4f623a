// What plugins memoise, from one run to the next.

#include "pipeline/kept_memos.hpp"

#include "store/scratch.hpp"

#include <osteon/error.hpp>
#include <osteon/memo.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

namespace osteon::pipeline {
namespace {

const std::map<std::string, std::string> kBuilds{{"metric/a", "1"}, {"shape/b", "2"}};

/// A process that comes later: nothing but the store is left.
double asked_later(const store::Scratch& scratch, const std::map<std::string, std::string>& builds,
                   const std::string& name, double made_now) {
  store::Store store(scratch.path() / "store");
  return KeptMemos(store, builds).kept(name, [&] { return at::full({1}, made_now, at::kDouble); }).item<double>();
}

TEST(KeptMemos, AreFoundByTheNextRun) {
  const store::Scratch scratch;
  EXPECT_EQ(asked_later(scratch, kBuilds, "x", 1), 1);
  EXPECT_EQ(asked_later(scratch, kBuilds, "x", 2), 1);
  EXPECT_EQ(asked_later(scratch, kBuilds, "y", 3), 3);
}

TEST(KeptMemos, AreMadeAnewByARebuiltPlugin) {
  const store::Scratch scratch;
  EXPECT_EQ(asked_later(scratch, kBuilds, "x", 1), 1);
  EXPECT_EQ(asked_later(scratch, {{"metric/a", "1"}, {"shape/b", "3"}}, "x", 2), 2);
  EXPECT_EQ(asked_later(scratch, {{"metric/a", "1"}}, "x", 3), 3);
}

TEST(KeptMemos, OfAFailureThereAreNone) {
  const store::Scratch scratch;
  store::Store store(scratch.path() / "store");
  KeptMemos memos(store, kBuilds);
  EXPECT_THROW(memos.kept("x", []() -> at::Tensor { throw Error("no"); }), Error);
  EXPECT_EQ(asked_later(scratch, kBuilds, "x", 2), 2);
}

TEST(KeptMemos, AreAskedWhileTheStageLasts) {
  const store::Scratch scratch;
  store::Store store(scratch.path() / "store");
  const auto one = [] { return at::ones({1}, at::kDouble); };
  {
    const KeptMemos memos(store, kBuilds);
    memoised("kept-memos-test during", one);
  }
  memoised("kept-memos-test after", one);
  EXPECT_EQ(asked_later(scratch, kBuilds, "kept-memos-test during", 2), 1);
  EXPECT_EQ(asked_later(scratch, kBuilds, "kept-memos-test after", 2), 2);
}

}  // namespace
}  // namespace osteon::pipeline
