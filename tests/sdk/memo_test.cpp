// Results that a process works out once.

#include <osteon/error.hpp>
#include <osteon/memo.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <atomic>

namespace osteon {
namespace {

TEST(Memo, IsMadeOnceForAllWhoAskForItsName) {
  std::atomic<int> made{0};
  const auto ask = [&](const std::string& name, double value) {
    return memoised(name, [&] {
      ++made;
      return at::full({2}, value);
    });
  };
  parallel_for(0, 16, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) EXPECT_EQ(ask("memo-test a", 1)[0].item<double>(), 1);
  });
  EXPECT_EQ(made, 1);
  EXPECT_EQ(ask("memo-test b", 2)[0].item<double>(), 2);
  EXPECT_EQ(ask("memo-test a", 3)[0].item<double>(), 1);
  EXPECT_EQ(made, 2);
}

TEST(Memo, IsTriedAgainAfterAnError) {
  EXPECT_THROW(memoised("memo-test c", []() -> at::Tensor { throw Error("no"); }), Error);
  EXPECT_EQ(memoised("memo-test c", [] { return at::ones({1}); })[0].item<double>(), 1);
}

}  // namespace
}  // namespace osteon
