// Pictures that were turned and moved come back upright; second moments of what is drawn are the reference.

#include "imaging/upright.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

namespace osteon::imaging {
namespace {

constexpr std::int64_t kHeight = 120, kWidth = 80;

/// A rod with a knob at its upper end, turned clockwise by `angle` degrees and moved; x to the right, y down, from the
/// picture's middle. `grey` is asked at places in the rod's own axes.
at::Tensor rod(double angle, double right, double down, const std::function<int(double, double)>& grey) {
  at::Tensor picture = at::zeros({kHeight, kWidth}, at::kByte);
  const double a = angle * M_PI / 180, c = std::cos(a), s = std::sin(a);
  for (std::int64_t row = 0; row < kHeight; ++row)
    for (std::int64_t column = 0; column < kWidth; ++column) {
      const double x = static_cast<double>(column) - 39.5 - right, y = static_cast<double>(row) - 59.5 - down;
      const double u = c * x + s * y, v = c * y - s * x;  // across and along
      const bool inside = (std::abs(u) <= 4 && std::abs(v) <= 26) || std::hypot(u - 5, v + 22) <= 7;
      if (inside) picture.data_ptr<std::uint8_t>()[row * kWidth + column] = static_cast<std::uint8_t>(grey(u, v));
    }
  return picture;
}

at::Tensor plain_rod(double angle, double right = 0, double down = 0, int grey = 200) {
  return rod(angle, right, down, [grey](double, double) { return grey; });
}

/// Centroid from the picture's middle, and how far the long axis leans from the columns, clockwise, in degrees.
struct Placed {
  double right, down, angle;
};

Placed placed(const at::Tensor& picture) {
  const at::Tensor mass = picture.to(at::kDouble) / picture.to(at::kDouble).sum();
  const at::Tensor x =
      at::arange(picture.size(1), at::kDouble).unsqueeze(0) - static_cast<double>(picture.size(1) - 1) / 2;
  const at::Tensor y =
      at::arange(picture.size(0), at::kDouble).unsqueeze(1) - static_cast<double>(picture.size(0) - 1) / 2;
  const auto mean = [&](const at::Tensor& values) { return (mass * values).sum().item<double>(); };
  const double right = mean(x), down = mean(y), xx = mean((x - right).square()), yy = mean((y - down).square()),
               xy = mean((x - right) * (y - down));
  // Of the larger eigenvector of [[xx, xy], [xy, yy]]; y runs down, so that a clockwise lean has xy < 0.
  const double larger = (xx + yy) / 2 + std::sqrt(std::pow((xx - yy) / 2, 2) + xy * xy);
  return {right, down, std::atan2(-xy, larger - xx) * 180 / M_PI};
}

at::Tensor upright_of(const at::Tensor& picture) { return upright(picture.unsqueeze(0), 1)[0]; }

/// Share of the grey values that differ between two pictures.
double difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().sum().item<double>() / b.to(at::kDouble).sum().item<double>();
}

TEST(Upright, ATurnedAndMovedPictureComesBack) {
  const at::Tensor standard = upright_of(plain_rod(0));
  for (const double angle : {-40.0, -15.0, -3.0, 2.0, 20.0, 45.0})
    for (const auto& [right, down] : {std::pair{0.0, 0.0}, {9.0, -12.0}, {-7.5, 6.25}}) {
      const at::Tensor picture = plain_rod(angle, right, down);
      ASSERT_GT(std::abs(placed(picture).angle), 1) << "a case that needs no turn";
      const at::Tensor back = upright_of(picture);
      const Placed found = placed(back);
      EXPECT_NEAR(found.angle, 0, 0.3) << angle;
      EXPECT_NEAR(found.right, 0, 0.1) << angle;
      EXPECT_NEAR(found.down, 0, 0.1) << angle;
      EXPECT_LT(difference(back, standard), 0.12) << angle << " degrees: its edges alone differ";
      EXPECT_GT(difference(picture, standard), 0.2);
    }
}

TEST(Upright, TurnsTheOtherWayRoundNotUpsideDown) {
  // The knob is at the upper end, to the right, before and after; a mirrored or overturned rod would be far from it.
  const at::Tensor standard = upright_of(plain_rod(0));
  const at::Tensor back = upright_of(plain_rod(30));
  EXPECT_LT(difference(back, standard), 0.5 * difference(standard.flip(0), standard));
  EXPECT_LT(difference(back, standard), 0.5 * difference(standard.flip(1), standard));
}

TEST(Upright, AnUprightPictureInTheMiddleStaysAsItIs) {
  at::Tensor picture = at::zeros({kHeight, kWidth}, at::kByte);
  picture.slice(0, 30, 90).slice(1, 36, 44).fill_(180);
  EXPECT_TRUE(upright_of(picture).equal(picture));
}

TEST(Upright, AnEmptyPictureStays) {
  EXPECT_TRUE(upright_of(at::zeros({kHeight, kWidth}, at::kByte)).equal(at::zeros({kHeight, kWidth}, at::kByte)));
  EXPECT_EQ(upright(at::zeros({0, kHeight, kWidth}, at::kByte), 2).size(0), 0);
}

TEST(Upright, ViewsAndImagesAreTurnedEachByItself) {
  const at::Tensor first = plain_rod(25, 3, 0), second = plain_rod(-10, -4, 8), empty = at::zeros_like(first);
  const at::Tensor all = at::stack({at::cat({first, second}, 1), at::cat({second, empty}, 1)});
  const at::Tensor turned = upright(all, 2);
  ASSERT_EQ(turned.sizes(), all.sizes());
  EXPECT_TRUE(turned[0].slice(1, 0, kWidth).equal(upright_of(first)));
  EXPECT_TRUE(turned[0].slice(1, kWidth).equal(upright_of(second)));
  EXPECT_TRUE(turned[1].slice(1, 0, kWidth).equal(upright_of(second)));
  EXPECT_TRUE(turned[1].slice(1, kWidth).equal(empty));
}

/// The rod's own place, whatever its brightness.
Placed shape_of(const at::Tensor& picture) { return placed(picture.gt(31).to(at::kByte)); }

TEST(Upright, NeitherDenseBoneNorEnergyTilts) {
  for (const double angle : {0.0, 18.0}) {
    // The knob and one edge of the shaft are four times as bright as the rest, as dense bone is.
    const at::Tensor dense = rod(angle, 5, -3, [](double u, double v) { return v < -14 || u > 2 ? 255 : 64; });
    const at::Tensor plain = plain_rod(angle, 5, -3, 64);
    ASSERT_GT(std::abs(placed(dense).down - placed(plain).down), 2) << "brightness moves the centroid";
    ASSERT_GT(std::abs(placed(dense).angle - placed(plain).angle), 1) << "and turns the axis";
    // A bright edge counts as bone from an eighth of a pixel on, a dim one from half a pixel.
    const Placed found = shape_of(upright_of(dense));
    EXPECT_NEAR(found.angle, 0, 0.5);
    EXPECT_NEAR(found.right, 0, 0.4);
    EXPECT_NEAR(found.down, 0, 0.4);
    // Another energy: all of it brighter. The picture is the same but for its brightness and two roundings.
    const at::Tensor bright = upright_of(plain_rod(angle, 5, -3, 250)), dim = upright_of(plain);
    EXPECT_LE((bright.to(at::kDouble) * 64 / 250 - dim.to(at::kDouble)).abs().max().item<double>(), 0.65);
  }
}

TEST(Upright, ThreadsChangeNothing) {
  std::vector<at::Tensor> pictures;
  for (int i = 0; i < 9; ++i) pictures.push_back(at::cat({plain_rod(5.0 * i), plain_rod(-3.0 * i, 2, 1)}, 1));
  const at::Tensor all = at::stack(pictures);
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const at::Tensor one = upright(all, 2);
  at::set_num_threads(3);
  const at::Tensor three = upright(all, 2);
  at::set_num_threads(threads);
  EXPECT_TRUE(one.equal(three));
}

}  // namespace
}  // namespace osteon::imaging
