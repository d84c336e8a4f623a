#include "imaging/film.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace osteon::imaging {
namespace {

Parameters film(const std::map<std::string, ParameterValue>& given) { return {film_schema(), given}; }

/// An 8-bit image of uniform water and bone, or of what the caller put in.
struct Exposure {
  std::int64_t rows = 40, columns = 30;
  std::vector<float> water = std::vector<float>(1200, 0.0F), bone = std::vector<float>(1200, 0.0F);

  [[nodiscard]] std::vector<std::uint8_t> on(const Film& paper, std::size_t energy = 0,
                                             std::uint64_t stream = 0) const {
    std::vector<std::uint8_t> pixels(water.size());
    paper.expose({water.data(), bone.data(), rows, columns}, energy, Random(1, "noise", stream), pixels.data(),
                 columns);
    return pixels;
  }
};

TEST(Attenuation, IsNistsAtTheTablesEnergies) {
  EXPECT_NEAR(attenuation(60).water, 0.02059, 1e-9);
  EXPECT_NEAR(attenuation(60).bone, 0.3148 * 0.192, 1e-9);
  EXPECT_NEAR(attenuation(20).water, 0.08096, 1e-9);
  EXPECT_NEAR(attenuation(200).bone, 0.1309 * 0.192, 1e-9);
}

TEST(Attenuation, FollowsPowerLawsBetweenThem) {
  // XCOM gives 0.1538 and 0.1538 cm²/g for water at 140 keV; the log-log line between 100 and 150 keV comes within 1 %.
  EXPECT_NEAR(attenuation(140).water, 0.1538 * 0.1, 0.01 * 0.01538);
  const double middle = std::sqrt(60.0 * 80.0);
  EXPECT_NEAR(attenuation(middle).bone, 0.192 * std::sqrt(0.3148 * 0.2229), 1e-9);
  for (double e = 21; e < 199; e += 1) {
    EXPECT_GT(attenuation(e).water, attenuation(e + 1).water);
    EXPECT_GT(attenuation(e).bone, attenuation(e + 1).bone);
  }
}

TEST(Attenuation, IsRefusedOutsideTheTables) {
  try {
    (void)attenuation(201);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "attenuation is known from 20 to 200 keV; 201 keV was asked for");
  }
  EXPECT_THROW((void)film({{"energies", std::vector<double>{10}}}), Error);
}

TEST(Film, MapsTheLineIntegralLinearlyAndCanBeInverted) {
  Exposure exposure;
  std::fill(exposure.water.begin(), exposure.water.end(), 100.0F);
  std::fill(exposure.bone.begin(), exposure.bone.end(), 10.0F);
  const Film paper(film({{"energies", std::vector<double>{60}}, {"maximum", 4.0}}));
  const double p = 100 * 0.02059 + 10 * 0.3148 * 0.192;
  const int value = exposure.on(paper)[600];
  EXPECT_EQ(value, std::lround(255 * p / 4));
  EXPECT_NEAR(value * 4 / 255.0, p, 0.5 * 4 / 255);
}

TEST(Film, OfBoneAloneShowsNoSoftTissue) {
  Exposure exposure;
  std::fill(exposure.water.begin(), exposure.water.end(), 150.0F);
  const Film bone_only(film({{"energies", std::vector<double>{60}}, {"materials", std::string("bone")}}));
  EXPECT_EQ(exposure.on(bone_only)[600], 0);
  std::fill(exposure.bone.begin(), exposure.bone.end(), 10.0F);
  EXPECT_EQ(exposure.on(bone_only)[600], std::lround(255 * 10 * 0.3148 * 0.192 / 3));
}

TEST(Film, AirIsBlackAndMoreThanTheMaximumWhite) {
  Exposure exposure;
  const Film paper(film({}));
  EXPECT_EQ(exposure.on(paper)[600], 0);
  std::fill(exposure.water.begin(), exposure.water.end(), 1000.0F);
  EXPECT_EQ(exposure.on(paper)[600], 255);
}

TEST(Film, HigherEnergiesAreDarker) {
  Exposure exposure;
  std::fill(exposure.bone.begin(), exposure.bone.end(), 60.0F);
  const Film paper(film({{"energies", std::vector<double>{140, 158}}}));
  EXPECT_GT(exposure.on(paper, 0)[600], exposure.on(paper, 1)[600]);
}

TEST(Film, BlurIsAGaussianThatKeepsTheSum) {
  Exposure exposure;
  exposure.water[20 * 30 + 15] = 10000.0F;
  const Film paper(film({{"energies", std::vector<double>{60}}, {"blur", 2.0}, {"maximum", 10.0}}));
  const auto pixels = exposure.on(paper);
  const double p = 205.9, peak = p / (2 * M_PI * 4) * 255 / 10;
  EXPECT_NEAR(pixels[20 * 30 + 15], peak, 0.01 * peak + 1);
  EXPECT_NEAR(pixels[22 * 30 + 15], peak * std::exp(-0.5), 0.01 * peak + 1);
  EXPECT_NEAR(pixels[20 * 30 + 17], peak * std::exp(-0.5), 0.01 * peak + 1);
  EXPECT_NEAR(std::accumulate(pixels.begin(), pixels.end(), 0.0), p * 25.5, 60);
}

TEST(Film, BlurLeavesAUniformImageAlone) {
  Exposure exposure;
  std::fill(exposure.water.begin(), exposure.water.end(), 50.0F);
  const auto pixels = exposure.on(Film(film({{"blur", 3.0}})));
  for (const int pixel : pixels) EXPECT_EQ(pixel, pixels[600]);
}

TEST(Film, NoiseHasThePhotonsVarianceAndItsOwnStream) {
  Exposure exposure;
  std::fill(exposure.water.begin(), exposure.water.end(), 50.0F);  // p = 1.03
  const Film paper(film({{"energies", std::vector<double>{60}}, {"photons", 1000.0}, {"blur", 0.0}, {"maximum", 2.0}}));
  const auto pixels = exposure.on(paper), again = exposure.on(paper), other = exposure.on(paper, 0, 1);
  EXPECT_EQ(pixels, again);
  EXPECT_NE(pixels, other);
  double sum = 0, squares = 0;
  for (const int pixel : pixels) {
    sum += pixel;
    squares += static_cast<double>(pixel) * pixel;
  }
  const double n = static_cast<double>(pixels.size()), mean = sum / n;
  EXPECT_NEAR(mean * 2 / 255, 50 * 0.02059, 0.01);
  // The variance of log(count) is one over the mean count.
  EXPECT_NEAR(std::sqrt(squares / n - mean * mean) * 2 / 255, 1 / std::sqrt(1000 * std::exp(-50 * 0.02059)), 0.004);
}

}  // namespace
}  // namespace osteon::imaging
