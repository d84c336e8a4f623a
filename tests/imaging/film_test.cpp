#include "imaging/film.hpp"

#include <osteon/error.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace osteon::imaging {
namespace {

Parameters film_with(const std::map<std::string, ParameterValue>& given) { return {film_schema(), given}; }

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
  EXPECT_THROW((void)film_with({{"energies", std::vector<double>{10}}}), Error);
}

TEST(Film, MapsTheLineIntegralLinearlyAndCanBeInverted) {
  Exposure exposure;
  std::fill(exposure.water.begin(), exposure.water.end(), 100.0F);
  std::fill(exposure.bone.begin(), exposure.bone.end(), 10.0F);
  const Film paper(film_with({{"energies", std::vector<double>{60}}, {"maximum", 4.0}}));
  const double p = 100 * 0.02059 + 10 * 0.3148 * 0.192;
  const int value = exposure.on(paper)[600];
  EXPECT_EQ(value, std::lround(255 * p / 4));
  EXPECT_NEAR(value * 4 / 255.0, p, 0.5 * 4 / 255);
}

TEST(Film, OfBoneAloneShowsNoSoftTissue) {
  Exposure exposure;
  std::fill(exposure.water.begin(), exposure.water.end(), 150.0F);
  const Film bone_only(film_with({{"energies", std::vector<double>{60}}, {"materials", std::string("bone")}}));
  EXPECT_EQ(exposure.on(bone_only)[600], 0);
  std::fill(exposure.bone.begin(), exposure.bone.end(), 10.0F);
  EXPECT_EQ(exposure.on(bone_only)[600], std::lround(255 * 10 * 0.3148 * 0.192 / 3));
}

TEST(Film, AirIsBlackAndMoreThanTheMaximumWhite) {
  Exposure exposure;
  const Film paper(film_with({}));
  EXPECT_EQ(exposure.on(paper)[600], 0);
  std::fill(exposure.water.begin(), exposure.water.end(), 1000.0F);
  EXPECT_EQ(exposure.on(paper)[600], 255);
}

TEST(Film, HigherEnergiesAreDarker) {
  Exposure exposure;
  std::fill(exposure.bone.begin(), exposure.bone.end(), 60.0F);
  const Film paper(film_with({{"energies", std::vector<double>{140, 158}}}));
  EXPECT_GT(exposure.on(paper, 0)[600], exposure.on(paper, 1)[600]);
}

TEST(Film, BlurIsAGaussianThatKeepsTheSum) {
  Exposure exposure;
  exposure.water[20 * 30 + 15] = 10000.0F;
  const Film paper(film_with({{"energies", std::vector<double>{60}}, {"blur", 2.0}, {"maximum", 10.0}}));
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
  const auto pixels = exposure.on(Film(film_with({{"blur", 3.0}})));
  for (const int pixel : pixels) EXPECT_EQ(pixel, pixels[600]);
}

TEST(Film, NoiseHasThePhotonsVarianceAndItsOwnStream) {
  Exposure exposure;
  std::fill(exposure.water.begin(), exposure.water.end(), 50.0F);  // p = 1.03
  const Film paper(
      film_with({{"energies", std::vector<double>{60}}, {"photons", 1000.0}, {"blur", 0.0}, {"maximum", 2.0}}));
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

double mean(const std::vector<std::uint8_t>& pixels) {
  return std::accumulate(pixels.begin(), pixels.end(), 0.0) / static_cast<double>(pixels.size());
}

TEST(Film, FewPhotonsFollowPoissonsDistribution) {
  Exposure exposure;
  exposure.rows = 400;
  exposure.columns = 250;
  exposure.water.assign(100000, 0.0F);
  exposure.bone.assign(100000, 0.0F);
  // Four photons a pixel on average: the share with exactly k of them is e^-4 4^k / k!.
  const Film paper(film_with({{"energies", std::vector<double>{60}},
                              {"photons", 4.0},
                              {"blur", 0.0},
                              {"minimum", 0.0},
                              {"maximum", 2.0},
                              {"polarity", std::string("bone_dark")}}));
  const auto pixels = exposure.on(paper);
  // 1, 2 and 3 photons are p = log 4, log 2, log 4/3; more than four of them are below 0.
  const auto share = [&](double p) {
    const auto grey = static_cast<std::uint8_t>(std::lround(255 - 255 * p / 2));
    return static_cast<double>(std::count(pixels.begin(), pixels.end(), grey)) / 100000;
  };
  const double none = std::exp(-4.0);
  EXPECT_NEAR(share(std::log(4.0)), none * 5, 0.004) << "none counts as one";
  EXPECT_NEAR(share(std::log(2.0)), none * 8, 0.005);
  EXPECT_NEAR(share(std::log(4.0 / 3)), none * 32 / 3, 0.005);
}

TEST(Film, ATubesSlabIsBeersLawOverItsSpectrum) {
  Exposure exposure;
  std::fill(exposure.water.begin(), exposure.water.end(), 60.0F);
  std::fill(exposure.bone.begin(), exposure.bone.end(), 8.0F);
  const Film paper(
      film_with({{"spectrum", std::string("tube")}, {"kilovolts", std::vector<double>{50, 80}}, {"maximum", 6.0}}));
  ASSERT_EQ(paper.energies().size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const Spectrum spectrum = tube_spectrum(i == 0 ? 50 : 80, 2.5);
    EXPECT_DOUBLE_EQ(paper.energies()[i], spectrum.mean_energy());
    double open = 0, arrived = 0;
    for (std::size_t e = 0; e < spectrum.energy.size(); ++e) {
      const Attenuation at = attenuation_in_spectrum(spectrum.energy[e]);
      open += spectrum.photons[e] * spectrum.energy[e];
      arrived += spectrum.photons[e] * spectrum.energy[e] * std::exp(-60 * at.water - 8 * at.bone);
    }
    EXPECT_NEAR(paper.line_integral(exposure.on(paper, i)[600]), -std::log(arrived / open), 0.51 * 6 / 255);
  }
}

TEST(Film, TubesNoiseIsThatOfItsQuanta) {
  Exposure exposure;
  std::fill(exposure.water.begin(), exposure.water.end(), 40.0F);
  const Film paper(
      film_with({{"spectrum", std::string("tube")}, {"photons", 5000.0}, {"blur", 0.0}, {"maximum", 2.0}}));
  const auto pixels = exposure.on(paper);
  double squares = 0;
  for (const int pixel : pixels) squares += std::pow(pixel - mean(pixels), 2);
  const double quanta = 5000 * BeamTable(tube_spectrum(60, 2.5)).behind(40, 0).quanta;
  EXPECT_NEAR(std::sqrt(squares / 1200) * 2 / 255, 1 / std::sqrt(quanta), 0.1 / std::sqrt(quanta));
}

TEST(Film, TheMappingCanBeTurnedRoundWithEitherPolarity) {
  for (const char* polarity : {"bone_bright", "bone_dark"}) {
    const Film paper(film_with({{"energies", std::vector<double>{60}},
                                {"minimum", 0.5},
                                {"maximum", 3.5},
                                {"polarity", std::string(polarity)}}));
    for (double p = 0.5; p <= 3.5; p += 0.1) {
      Exposure exposure;
      std::fill(exposure.water.begin(), exposure.water.end(), static_cast<float>(p / attenuation(60).water));
      EXPECT_NEAR(paper.line_integral(exposure.on(paper)[600]), p, 0.51 * 3 / 255) << polarity;
    }
  }
}

TEST(Film, DarkBoneIsTheBrightOnesNegative) {
  Exposure exposure;
  for (std::size_t i = 0; i < exposure.bone.size(); ++i) exposure.bone[i] = static_cast<float>(i % 40);
  const auto bright = exposure.on(Film(film_with({}))),
             dark = exposure.on(Film(film_with({{"polarity", std::string("bone_dark")}})));
  for (std::size_t i = 0; i < bright.size(); ++i) EXPECT_NEAR(bright[i] + dark[i], 255, 1);
}

TEST(Film, AFocalSpotBlursByItsImageAtTheBone) {
  Exposure exposure;
  exposure.water[20 * 30 + 15] = 10000.0F;
  // 2 mm at magnification 1.5, seen at the bone: 2·0.5/1.5 mm wide; pixels of 0.1 mm.
  const double sigma = 2 * 0.5 / 1.5 / std::sqrt(12.0) / 0.1;
  const Film spot(
      film_with({{"energies", std::vector<double>{60}}, {"blur", 0.0}, {"focal_spot", 2.0}, {"maximum", 10.0}}), 0.1,
      1.5);
  const Film blurred(film_with({{"energies", std::vector<double>{60}}, {"blur", sigma}, {"maximum", 10.0}}));
  EXPECT_EQ(exposure.on(spot), exposure.on(blurred));
  const Film point(
      film_with({{"energies", std::vector<double>{60}}, {"blur", 0.0}, {"focal_spot", 2.0}, {"maximum", 10.0}}), 0.1,
      1.0);
  EXPECT_EQ(exposure.on(point)[20 * 30 + 15], 255) << "in contact with the detector nothing blurs";
}

TEST(Film, ScatterHasTheRatioThatWasAskedForAndIsSmooth) {
  Exposure exposure;
  for (std::size_t i = 0; i < exposure.water.size(); ++i)
    exposure.water[i] = i % 30 < 20 ? 60.0F + 2.0F * (i % 7) : 0.0F;
  const std::map<std::string, ParameterValue> none = {
      {"energies", std::vector<double>{60}}, {"blur", 0.0}, {"maximum", 3.0}};
  auto some = none;
  some["scatter"] = 0.8;
  some["scatter_width"] = 10.0;
  const Film sharp(film_with(none)), hazy(film_with(some));
  const auto without = exposure.on(sharp), with = exposure.on(hazy);
  double ratio = 0;
  for (std::size_t i = 0; i < without.size(); ++i)
    if (i % 30 < 20) ratio += std::exp(sharp.line_integral(without[i]) - hazy.line_integral(with[i])) - 1;
  EXPECT_NEAR(ratio / 800, 0.8, 0.01);
  // What is added is nearly the same for neighbours: they differ less.
  EXPECT_LT(with[608] - with[602], 0.8 * (without[608] - without[602]));
}

TEST(Film, ScatterOfAirIsNone) {
  const Exposure exposure;
  const auto pixels = exposure.on(Film(film_with({{"scatter", 1.0}})));
  for (const int pixel : pixels) EXPECT_EQ(pixel, 0);
}

TEST(Film, AllEnergiesAtOnceAreTheSameImages) {
  Exposure exposure;
  for (std::size_t i = 0; i < exposure.bone.size(); ++i) exposure.bone[i] = static_cast<float>(i % 30);
  for (const auto& given : std::vector<std::map<std::string, ParameterValue>>{
           {}, {{"photons", 500.0}}, {{"spectrum", std::string("tube")}, {"kilovolts", std::vector<double>{50, 60}}}}) {
    const Film paper(film_with(given));
    std::vector<std::vector<std::uint8_t>> images(paper.energies().size(), std::vector<std::uint8_t>(1200));
    paper.expose_all(
        {exposure.water.data(), exposure.bone.data(), 40, 30},
        [](std::size_t energy) { return Random(1, "noise", energy); },
        [&](std::size_t energy) { return images[energy].data(); }, 30);
    for (std::size_t e = 0; e < images.size(); ++e) EXPECT_EQ(images[e], exposure.on(paper, e, e));
  }
}

}  // namespace
}  // namespace osteon::imaging
