// recognition::sum_over_rows against the plain loop, bit for bit, on each set of instructions that this processor has.

#include "recognition/panels.hpp"

#include <osteon/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace osteon {
namespace {

using recognition::kPanel;
using recognition::kTileSums;
using recognition::Panels;
using recognition::SumOf;

Panels drawn(std::int64_t rows, std::int64_t columns, std::uint64_t index) {
  Random random(8, "panels test", index);
  Panels result(rows, columns);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c) result.at(r, c) = random.normal();
  return result;
}

/// Not fused and not reordered, whatever the compiler may do elsewhere.
double plain_sum(SumOf what, Panels& left, std::int64_t a, Panels& right, std::int64_t b) {
  double sum = 0;
  for (std::int64_t r = 0; r < left.rows(); ++r) {
    const double x = left.at(r, a), y = right.at(r, b);
    const volatile double term = what == SumOf::product ? x * y : (x - y) * (x - y);
    sum += term;
  }
  return sum;
}

TEST(Panels, SumsHaveThePlainLoopsBits) {
  for (const std::int64_t rows : {1, 7, 256, 700}) {  // 256 are summed at once
    Panels left = drawn(rows, 19, 0), right = drawn(rows, 30, 1);
    ASSERT_EQ(left.count(), 3);
    for (const SumOf what : {SumOf::product, SumOf::squared_difference})
      for (std::int64_t p = 0; p < left.count(); ++p) {
        const std::int64_t first = 1, last = right.count();
        std::vector<double> sums(static_cast<std::size_t>((last - first) * kTileSums), -1);
        recognition::sum_over_rows(what, left, p, right, first, last, sums);
        for (std::int64_t a = p * kPanel; a < std::min<std::int64_t>(19, (p + 1) * kPanel); ++a)
          for (std::int64_t b = first * kPanel; b < 30; ++b)
            EXPECT_EQ(
                sums[static_cast<std::size_t>((b / kPanel - first) * kTileSums + a % kPanel * kPanel + b % kPanel)],
                plain_sum(what, left, a, right, b))
                << rows << " rows, columns " << a << " and " << b;
      }
  }
}

TEST(Panels, SumsHaveThePlainLoopsBitsOnLesserProcessors) {
  if (std::getenv("OSTEON_KERNELS")) return;
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  for (const char* kernels : {"portable", "avx2"})
    EXPECT_EQ(std::system((std::string("OSTEON_KERNELS=") + kernels + " " + self +
                           " --gtest_filter=Panels.SumsHaveThePlainLoopsBits >/dev/null")
                              .c_str()),
              0)
        << kernels;
}

}  // namespace
}  // namespace osteon
