#include "imaging/render.hpp"

#include "imaging/film.hpp"
#include "imaging/spectrum.hpp"

#include <osteon/error.hpp>
#include <osteon/geometry.hpp>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace osteon::imaging {
namespace {

const host::RendererHandle& renderer() {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  static const auto& plugin = registry.find("renderer", "joseph");
  static const host::RendererHandle handle(plugin, Parameters(plugin.schema, {}));
  return handle;
}

/// A shaft along z with a head at its proximal end, towards `medial_sign`·x, and a knob in front; soft tissue around
/// it.
Volume rod_scene(double medial_sign) {
  Volume volume;
  volume.grid = {{48, 40, 90}, {1, 1.2, 1.1}, {}, rotation({1, 0, 0}, 0.1)};
  volume.grid.origin = -volume.grid.centre();
  volume.hounsfield = at::empty({90, 40, 48}, at::kShort);
  auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  for (int k = 0; k < 90; ++k)
    for (int j = 0; j < 40; ++j)
      for (int i = 0; i < 48; ++i) {
        const Vec3 p = volume.grid.to_patient({1.0 * i, 1.0 * j, 1.0 * k});
        const Vec3 q{p.x * medial_sign, p.y, p.z};
        const bool bone = (std::hypot(q.x, q.y) < 5 && std::abs(q.z) < 40) || norm(q - Vec3{12, 0, 34}) < 8 ||
                          norm(q - Vec3{0, -9, -30}) < 6;
        *voxel++ = static_cast<std::int16_t>(bone ? 1600 : std::hypot(q.x, q.y) < 20 ? 40 : -1000);
      }
  return volume;
}

BoneFrame frame(double medial_sign) { return {{0, 0, 0}, {medial_sign, 0, 0}, {0, -1, 0}, {0, 0, 1}, 85}; }

Parameters small_views(std::map<std::string, ParameterValue> given = {}) {
  given.try_emplace("height", std::int64_t{64});
  given.try_emplace("field_of_view", 110.0);
  return {views_schema(), given};
}
Parameters film(std::map<std::string, ParameterValue> given = {}) {
  given.try_emplace("energies", std::vector<double>{60, 80});
  return {film_schema(), given};
}

ImageSet images(std::vector<Pose> poses, const Parameters& v, const Parameters& f, double medial_sign = 1) {
  return render(renderer(), rod_scene(medial_sign), frame(medial_sign), poses, v, f, {});
}

/// Sum of the grey values of a part of an image.
double brightness(const at::Tensor& image, int first_row, int end_row, int first_column, int end_column) {
  return image.slice(0, first_row, end_row).slice(1, first_column, end_column).to(at::kDouble).sum().item<double>();
}

TEST(Render, HeadIsUpAndMedialInApAndTheFrontIsLeftInMl) {
  const ImageSet set = images({{}}, small_views(), film());
  ASSERT_EQ(set.pixels.sizes(), (std::vector<std::int64_t>{2, 64, 64}));
  const at::Tensor image = set.pixels[0];
  EXPECT_GT(brightness(image, 6, 18, 19, 30), 1.3 * brightness(image, 6, 18, 2, 13)) << "head: upper right of AP";
  EXPECT_GT(brightness(image, 44, 60, 32, 47), 1.1 * brightness(image, 44, 60, 49, 64)) << "knob: lower left of ML";
}

TEST(Render, LeftAndRightTwinsLookAlike) {
  const std::vector<Pose> poses = {{}, {12, 3, -15}};
  const ImageSet right = images(poses, small_views(), film(), 1), left = images(poses, small_views(), film(), -1);
  EXPECT_LE((right.pixels.to(at::kInt) - left.pixels.to(at::kInt)).abs().max().item<int>(), 1);
}

TEST(Render, RowsSayHowEachImageWasTaken) {
  std::vector<std::pair<std::int64_t, std::int64_t>> told;
  const std::vector<Pose> poses = {{1, 2, 3}, {4, 5, 6}};
  const ImageSet set = render(renderer(), rod_scene(1), frame(1), poses, small_views(), film(),
                              [&](std::int64_t done, std::int64_t total) { told.emplace_back(done, total); });
  ASSERT_EQ(set.rows.size(), 4U);
  EXPECT_EQ(set.rows[2].pose, 1);
  EXPECT_EQ(set.rows[2].axial, 4);
  EXPECT_EQ(set.rows[2].tilt, 5);
  EXPECT_EQ(set.rows[2].in_plane, 6);
  EXPECT_EQ(set.rows[2].energy, 60);
  EXPECT_EQ(set.rows[3].energy, 80);
  EXPECT_NEAR(set.rows[0].pixel_spacing, 110.0 / 64, 1e-12);
  EXPECT_EQ(told.back(), (std::pair<std::int64_t, std::int64_t>{4, 4}));
  EXPECT_GT(brightness(set.pixels[2], 0, 64, 0, 64), brightness(set.pixels[3], 0, 64, 0, 64));
}

TEST(Render, AnImageDependsNeitherOnThreadsNorOnTheOthersOfItsChunk) {
  const Parameters f = film({{"photons", 5000.0}});
  std::vector<Pose> poses;
  for (int i = 0; i < 70; ++i) poses.push_back({-21 + 0.6 * i, 0.1 * i, 0.3 * i});
  const int threads = at::get_num_threads();
  at::set_num_threads(1);
  const ImageSet one = images(poses, small_views(), f);
  at::set_num_threads(2);
  const ImageSet two = images(poses, small_views(), f);
  at::set_num_threads(threads);
  EXPECT_TRUE(one.pixels.equal(two.pixels));
  const ImageSet few = images({poses.begin(), poses.begin() + 33}, small_views(), f);
  EXPECT_TRUE(few.pixels.equal(one.pixels.slice(0, 0, 66)));
}

/// A value that changes the images, and what both runs need so that the parameter matters.
struct Changed {
  ParameterValue value;
  std::map<std::string, ParameterValue> beside;
};

TEST(Render, EveryParameterOfViewsAndFilmChangesTheImages) {
  const auto make = [](std::map<std::string, ParameterValue> v, std::map<std::string, ParameterValue> f) {
    v.try_emplace("in_plane_step", 21.0);
    v.try_emplace("axial_step", 21.0);
    const Parameters the_views = small_views(v), the_film = film(f);
    auto poses = gallery_poses(the_views, 1, "p01");
    const auto queries = query_poses(the_views, 1, "p01");
    poses.insert(poses.end(), queries.begin(), queries.end());
    BoneFrame bone = frame(1);
    bone.hip_centre = {12, 0, 34};
    bone.knee_centre = {0, 0, -40};
    return render(renderer(), rod_scene(1), bone, poses, the_views, the_film, {}).pixels;
  };
  const std::map<std::string, Changed> changed_views = {
      {"axial_range", {22.0, {}}},
      {"axial_step", {20.0, {}}},
      {"in_plane_range", {20.0, {}}},
      {"in_plane_step", {20.0, {}}},
      {"tilts", {std::vector<double>{2}, {}}},
      {"gallery", {std::string("random"), {}}},
      {"queries", {std::string("grid"), {}}},
      {"gallery_poses", {std::int64_t{3}, {{"gallery", std::string("random")}}}},
      {"query_poses", {std::int64_t{3}, {}}},
      {"drawn_axial", {10.0, {}}},
      {"drawn_in_plane", {10.0, {}}},
      {"drawn_tilt", {10.0, {}}},
      {"gallery_tilt", {10.0, {{"gallery", std::string("random")}}}},
      {"drawn", {std::string("view"), {}}},
      {"pairing", {std::string("rigid"), {}}},
      {"ap_ml_spread", {5.0, {}}},
      {"scale_error", {5.0, {}}},
      {"ap_shorter", {6.0, {}}},
      {"errors_in", {std::string("all"), {{"scale_error", 5.0}}}},
      {"axes", {std::string("mechanical"), {}}},
      {"axial_offset", {10.0, {}}},
      {"tilt_offset", {10.0, {}}},
      {"in_plane_offset", {10.0, {}}},
      {"geometry", {std::string("slot"), {}}},
      {"source_detector", {800.0, {}}},
      {"object_detector", {300.0, {}}},
      {"detector_width", {30.0, {}}},
      {"detector_height", {60.0, {}}},
      {"detector_shift", {std::vector<double>{0, 20}, {{"detector_height", 60.0}}}},
      {"height", {std::int64_t{70}, {}}},
      {"scaling", {std::string("framed"), {}}},
      {"field_of_view", {120.0, {}}},
  };
  const std::map<std::string, ParameterValue> changed_film = {{"energies", std::vector<double>{60, 90}},
                                                              {"materials", std::string("bone")},
                                                              {"minimum", 0.5},
                                                              {"maximum", 2.0},
                                                              {"blur", 0.5},
                                                              {"photons", 1e4},
                                                              {"spectrum", std::string("tube")},
                                                              {"kilovolts", std::vector<double>{70}},
                                                              {"filtration", 4.0},
                                                              {"polarity", std::string("bone_dark")},
                                                              {"focal_spot", 5.0},
                                                              {"scatter", 0.5},
                                                              {"scatter_width", 15.0}};
  // What the others of its kind need to matter.
  const std::map<std::string, std::map<std::string, ParameterValue>> beside_film = {
      {"kilovolts", {{"spectrum", std::string("tube")}}},
      {"filtration", {{"spectrum", std::string("tube")}}},
      {"scatter_width", {{"scatter", 0.5}}}};
  const at::Tensor standard = make({}, {});
  EXPECT_TRUE(standard.equal(make({}, {})));
  for (const Parameter& parameter : views_schema().parameters) {
    ASSERT_TRUE(changed_views.contains(parameter.name)) << parameter.name;
    const auto& [value, beside] = changed_views.at(parameter.name);
    auto with = beside;
    with[parameter.name] = value;
    EXPECT_FALSE(make(beside, {}).equal(make(with, {}))) << parameter.name;
  }
  for (const Parameter& parameter : film_schema().parameters) {
    ASSERT_TRUE(changed_film.contains(parameter.name)) << parameter.name;
    auto others =
        beside_film.contains(parameter.name) ? beside_film.at(parameter.name) : std::map<std::string, ParameterValue>{};
    const at::Tensor before = make({}, others);
    others[parameter.name] = changed_film.at(parameter.name);
    EXPECT_FALSE(before.equal(make({}, others))) << parameter.name;
  }
}

TEST(Render, ATubesRowsGiveTheMeanEnergyOfItsPhotons) {
  const ImageSet set = images({{}}, small_views(),
                              film({{"spectrum", std::string("tube")}, {"kilovolts", std::vector<double>{50, 80}}}));
  ASSERT_EQ(set.rows.size(), 2U);
  EXPECT_DOUBLE_EQ(set.rows[0].energy, tube_spectrum(50, 2.5).mean_energy());
  EXPECT_DOUBLE_EQ(set.rows[1].energy, tube_spectrum(80, 2.5).mean_energy());
}

TEST(Render, CountsVoxelsOfMetal) {
  Volume volume = rod_scene(1);
  EXPECT_EQ(metal_voxels(volume), 0);
  volume.hounsfield[3][4][5] = 3001;
  volume.hounsfield[3][4][6] = 3000;
  EXPECT_EQ(metal_voxels(volume), 1);
}

TEST(Render, WhatLiesBesideTheDetectorIsBlack) {
  // Magnification 1000 / 900: 54 mm at the detector are 48.6 mm at the isocentre, 28 of 64 rows (the 29th's centre lies
  // beyond), 14 of them above the middle.
  const Parameters v = small_views({{"detector_height", 54.0}, {"detector_width", 20.0}});
  const std::vector<Pose> poses = {{}};
  const ImageSet cut = images(poses, v, film({{"blur", 0.0}})),
                 whole = images(poses, small_views(), film({{"blur", 0.0}}));
  EXPECT_TRUE(cut.pixels.slice(1, 18, 46).slice(2, 11, 21).equal(whole.pixels.slice(1, 18, 46).slice(2, 11, 21)));
  EXPECT_TRUE(cut.pixels.slice(1, 18, 46).slice(2, 43, 53).equal(whole.pixels.slice(1, 18, 46).slice(2, 43, 53)));
  EXPECT_EQ(brightness(cut.pixels[0], 0, 18, 0, 64) + brightness(cut.pixels[0], 46, 64, 0, 64), 0);
  EXPECT_EQ(brightness(cut.pixels[0], 0, 64, 0, 11) + brightness(cut.pixels[0], 0, 64, 21, 43), 0);
  EXPECT_GT(brightness(whole.pixels[0], 0, 18, 0, 64), 0);
}

TEST(Render, ABoneOutsideTheVolumeIsAMistake) {
  BoneFrame elsewhere = frame(1);
  elsewhere.origin = {300, 0, 0};
  try {
    (void)render(renderer(), rod_scene(1), elsewhere, std::vector<Pose>{{}}, small_views(), film(), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "the bone's centroid lies outside the volume that is to be X-rayed: surface and volume don't belong "
                 "together");
  }
}

TEST(Render, AnXRayOfAirAloneIsAMistake) {
  Volume air = rod_scene(1);
  air.hounsfield.fill_(-1000);
  try {
    (void)render(renderer(), air, frame(1), std::vector<Pose>{{1, 2, 3}}, small_views(), film(), {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "the X-ray at axial 1°, tilt 2°, in-plane 3° shows nothing: every ray passed through air; is the volume "
        "empty?");
  }
}

}  // namespace
}  // namespace osteon::imaging
