// embedding::pca against LAPACK's singular values of the centred rows in float64.

#include "embedding/pca.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>

namespace osteon {
namespace {

/// Rows of unequal spread from direction to direction, far from the origin.
at::Tensor cloud(std::int64_t n, std::int64_t d, std::uint64_t index) {
  Random random(7, "pca test", index);
  at::Tensor mixing = at::empty({d, d}, at::kDouble), values = at::empty({n, d}, at::kDouble);
  for (std::int64_t i = 0; i < d * d; ++i) mixing.data_ptr<double>()[i] = random.normal();
  for (std::int64_t i = 0; i < n * d; ++i)
    values.data_ptr<double>()[i] = random.normal() / static_cast<double>(1 + i % d);
  return values.matmul(mixing).add_(20).to(at::kFloat).contiguous();
}

void expect_principal_components(const at::Tensor& rows, std::int64_t k) {
  const embedding::Pca own = embedding::pca(rows, k);
  const at::Tensor given = rows.to(at::kDouble), centred = given.sub(given.mean(0, true));
  const auto [u, s, v] = at::linalg_svd(centred, false);
  const at::Tensor shares = s.square().div(s.square().sum());
  const std::int64_t known = std::min(k, s.size(0));
  ASSERT_EQ(own.points.sizes(), (at::IntArrayRef{rows.size(0), k}));
  ASSERT_EQ(std::ssize(own.explained), k);
  for (std::int64_t c = 0; c < known; ++c) {
    EXPECT_NEAR(own.explained[static_cast<std::size_t>(c)], shares[c].item<double>(), 1e-12) << "component " << c;
    const at::Tensor theirs = u.select(1, c).mul(s[c]), ours = own.points.select(1, c);
    const double sign = theirs.dot(ours).item<double>() < 0 ? -1 : 1;
    EXPECT_LT(ours.sub(theirs.mul(sign)).abs().max().item<double>(), 1e-8 * s[0].item<double>()) << "component " << c;
    EXPECT_GT(ours.max().item<double>(), 0);
    EXPECT_GE(ours.max().item<double>(), -ours.min().item<double>() * (1 - 1e-8)) << "component " << c;
  }
  for (std::int64_t c = known; c < k; ++c) {
    EXPECT_EQ(own.explained[static_cast<std::size_t>(c)], 0);
    EXPECT_EQ(own.points.select(1, c).abs().max().item<double>(), 0);
  }
}

TEST(Pca, IsTheSingularValueDecompositionOfTallRows) {
  expect_principal_components(cloud(300, 16, 0), 5);   // whole panels of columns
  expect_principal_components(cloud(301, 21, 1), 11);  // no whole ones, and two panels of components
  expect_principal_components(cloud(1000, 3, 2), 3);
}

TEST(Pca, IsTheSingularValueDecompositionOfWideRows) {
  expect_principal_components(cloud(12, 40, 3), 4);
  expect_principal_components(cloud(9, 301, 4), 8);
}

TEST(Pca, ComponentsBeyondTheRowsAndDimensionsAreNothing) {
  expect_principal_components(cloud(50, 3, 5), 6);
  const embedding::Pca one = embedding::pca(at::full({1, 4}, 0.3), 2);
  EXPECT_TRUE(std::isnan(one.explained[0]) && std::isnan(one.explained[1]));
  EXPECT_EQ(one.points.abs().max().item<double>(), 0);
}

TEST(Pca, EqualRowsHaveNoVariance) {
  const embedding::Pca own = embedding::pca(at::full({1000, 7}, 0.1), 2);
  EXPECT_TRUE(std::isnan(own.explained[0]));
  EXPECT_EQ(own.points.abs().max().item<double>(), 0);
}

TEST(Pca, IsTheSameForEveryNumberOfThreads) {
  const at::Tensor rows = cloud(20000, 64, 6);  // enough for threads to share
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const embedding::Pca one = embedding::pca(rows, 4);
  at::set_num_threads(3);
  const embedding::Pca three = embedding::pca(rows, 4);
  at::set_num_threads(threads);
  EXPECT_EQ(one.explained, three.explained);
  EXPECT_TRUE(one.points.equal(three.points));
}

TEST(Pca, TakesRowsThatDoNotLieTogether) {
  const at::Tensor rows = cloud(60, 10, 7);
  const at::Tensor columns = rows.t().contiguous().t();  // the same numbers, column by column
  ASSERT_FALSE(columns.is_contiguous());
  EXPECT_TRUE(embedding::pca(columns, 2).points.equal(embedding::pca(rows, 2).points));
}

TEST(Pca, RefusesNothingToDraw) {
  const std::string nothing = "principal components need a row, a dimension and a component";
  const std::string flat = "the mapped embeddings have no dimension; a network's head must have at least one";
  for (const auto& [n, d, k, message] : {std::tuple{0, 3, 1, nothing}, {3, 0, 1, flat}, {3, 3, 0, nothing}}) try {
      (void)embedding::pca(at::ones({n, d}), k);
      ADD_FAILURE() << n << " " << d << " " << k;
    } catch (const Error& error) {
      EXPECT_EQ(error.what(), message);
    }
}

}  // namespace
}  // namespace osteon
