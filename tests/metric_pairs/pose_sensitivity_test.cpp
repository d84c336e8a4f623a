// metric/pose_sensitivity on X-rays counted by hand.

#include "scene.hpp"

namespace osteon {
namespace {

constexpr const char* kPoseSensitivity = "pose_sensitivity";

std::string table_of(const std::string& factor) { return text("rank-1 by ", factor, ", never trained on"); }

/// Bones never trained on, each with one gallery image in the standard pose, and queries that are right or wrong.
struct Asked {
  Scene scene;
  std::vector<std::int64_t> queries, truth;
  std::vector<bool> is_right;

  explicit Asked(int bones) {
    for (int b = 0; b < bones; ++b) scene.image(scene.bone(true), Role::gallery, {0}, standard());
  }

  static ImageRow standard() {
    ImageRow row;
    row.energy = 140;
    return row;
  }

  void query(std::int64_t bone, bool right, ImageRow row = standard()) {
    queries.push_back(scene.image(bone, Role::query, {0}, row));
    truth.push_back(bone);
    is_right.push_back(right);
  }

  /// Distances to the bones: 1 to the answer, 2 to the others.
  [[nodiscard]] Trials trials(const char* set = "fingerprint") const {
    const auto count = std::ssize(queries), bones = std::ssize(scene.contents.bones);
    at::Tensor distances = at::full({count, bones}, 2.0F);
    for (std::int64_t q = 0; q < count; ++q) {
      const std::int64_t own = truth[static_cast<std::size_t>(q)];
      distances[q][is_right[static_cast<std::size_t>(q)] ? own : (own + 1) % bones] = 1;
    }
    return {
        set,      std::string(set) != "fingerprint", true, at::tensor(queries, at::kLong), at::tensor(truth, at::kLong),
        distances};
  }

  [[nodiscard]] MetricResult result(std::int64_t groups = 3) {
    Evidence::Contents contents = scene.finished();
    contents.trials = {trials()};
    return make_metric(kPoseSensitivity, {{"groups", groups}}).evaluate(contents);
  }
};

ImageRow at_energy(double energy) {
  ImageRow row;
  row.energy = energy;
  return row;
}

TEST(PoseSensitivity, AveragesBonesNotImagesWithinAGroup) {
  Asked asked(2);
  for (const bool right : {true, true, false}) asked.query(0, right, at_energy(140));
  asked.query(1, false, at_energy(140));
  asked.query(0, false, at_energy(158));
  for (const bool right : {true, true, true}) asked.query(1, right, at_energy(158));
  const MetricResult result = asked.result();
  const MetricValue& low = find(result, table_of("energy"), "fingerprint", "140 keV");
  EXPECT_NEAR(low.value, 100 * (2.0 / 3 + 0) / 2, 1e-9);
  EXPECT_EQ(low.unit, "%");
  EXPECT_EQ(low.count, 2);
  EXPECT_EQ(low.counted, "bones");
  EXPECT_FALSE(low.interval.has_value());
  EXPECT_FALSE(low.is_baseline);
  const MetricValue& chance = find(result, table_of("energy"), "chance", "158 keV");
  EXPECT_NEAR(chance.value, 50, 1e-9) << "one of two enrolled bones";
  EXPECT_TRUE(chance.is_baseline);
  EXPECT_NEAR(find(result, table_of("energy"), "fingerprint", "158 keV").value, 50, 1e-9);
  EXPECT_FALSE(has(result, table_of("tilt"), "fingerprint", "0°")) << "all X-rays share it";
}

TEST(PoseSensitivity, KeepsXRaysOfOneValueInOneGroup) {
  const auto columns = [](const std::vector<double>& energies, std::int64_t groups) {
    Asked asked(2);
    for (const double energy : energies) asked.query(0, true, at_energy(energy));
    std::vector<std::string> names;
    for (const MetricValue& value : asked.result(groups).values)
      if (value.table == table_of("energy") && value.row == "fingerprint") names.push_back(value.column);
    return names;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(columns({60, 80, 60, 80}, 3), (Names{"60 keV", "80 keV"}));
  EXPECT_EQ(columns({140, 146, 152, 158}, 2), (Names{"140–146 keV", "152–158 keV"}));
  EXPECT_EQ(columns({140, 146, 152, 158}, 4), (Names{"140 keV", "146 keV", "152 keV", "158 keV"}));
  EXPECT_EQ(columns({140, 146, 152, 158}, 3), (Names{"140–146 keV", "152 keV", "158 keV"}));
  EXPECT_EQ(columns({60, 60, 60, 60, 60, 60, 70, 80, 90, 100}, 3), (Names{"60 keV", "70–80 keV", "90–100 keV"}));
  EXPECT_EQ(columns({60, 60}, 3), Names{});
}

TEST(PoseSensitivity, CountsEachXRayInOneGroup) {
  Asked asked(3);
  Random random(1, "poses");
  std::vector<double> angles;
  for (int i = 0; i < 31; ++i) {
    ImageRow row;
    row.axial = random.uniform(-20, 20);
    row.ml_axial = random.uniform(-20, 20);
    angles.push_back(std::max(std::abs(row.axial), std::abs(row.ml_axial)));
    asked.query(i % 3, angles.back() < 12, row);
  }
  const MetricResult result = asked.result(4);
  std::ranges::sort(angles);
  std::vector<const MetricValue*> groups;
  for (const MetricValue& value : result.values)
    if (value.table == table_of("axial angle") && value.row == "fingerprint") groups.push_back(&value);
  ASSERT_EQ(groups.size(), 4U);
  // The groups' bounds are values that occur; 8, 8, 8 and 7 X-rays lie within them.
  char first[64], last[64];
  std::snprintf(first, sizeof first, "%.3g–%.3g°", angles[0], angles[7]);
  std::snprintf(last, sizeof last, "%.3g–%.3g°", angles[24], angles[30]);
  EXPECT_EQ(groups.front()->column, first);
  EXPECT_EQ(groups.back()->column, last);
  ASSERT_LT(angles[7], 12);
  EXPECT_EQ(groups.front()->value, 100);
  EXPECT_EQ(groups.back()->value, 0);
  ASSERT_FALSE(result.charts.empty());
  EXPECT_EQ(result.charts[0].section, "Recognition by pose and energy");
  EXPECT_NEAR(result.charts[0].series[0].x[0], (angles[0] + angles[7]) / 2, 1e-9);
  EXPECT_EQ(result.charts[0].series[0].y[3], 0);
}

TEST(PoseSensitivity, TakesTheWorseOfTheTwoViews) {
  Asked asked(2);
  ImageRow small = Asked::standard(), large = Asked::standard();
  small.tilt = 1, small.ml_tilt = -2, small.in_plane = -3, small.ap_scale = 1.01, small.ml_scale = 0.98;
  large.tilt = -9, large.ml_tilt = 2, large.ml_in_plane = 11, large.ap_scale = 0.9;
  asked.query(0, true, small);
  asked.query(0, false, large);
  const MetricResult result = asked.result();
  EXPECT_EQ(find(result, table_of("tilt"), "fingerprint", "2°").value, 100);
  EXPECT_EQ(find(result, table_of("tilt"), "fingerprint", "9°").value, 0);
  EXPECT_EQ(find(result, table_of("in-plane angle"), "fingerprint", "11°").value, 0);
  EXPECT_EQ(find(result, table_of("error of scale"), "fingerprint", "2 %").value, 100);
  EXPECT_EQ(find(result, table_of("error of scale"), "fingerprint", "10 %").value, 0);
}

TEST(PoseSensitivity, MeasuresTheDistanceFromTheOwnGallerysPoses) {
  Asked asked(2);
  ImageRow known = Asked::standard();
  known.axial = known.ml_axial = 10;
  asked.scene.image(0, Role::gallery, {0}, known);
  known.axial = known.ml_axial = 6;
  asked.scene.image(1, Role::gallery, {0}, known);  // another bone's poses have no part
  ImageRow row = Asked::standard();
  row.axial = row.ml_axial = 6;
  row.tilt = 3;
  asked.query(0, true, row);  // √(4² + 4² + 3²) from the pose at 10, as its two halves count
  row.axial = row.ml_axial = 1;
  row.tilt = 0;
  asked.query(0, false, row);  // √2 from the standard pose
  const MetricResult result = asked.result();
  const std::string table = table_of("distance from the gallery's poses");
  EXPECT_EQ(find(result, table, "fingerprint", "6.4°").value, 100);
  EXPECT_EQ(find(result, table, "fingerprint", "1.41°").value, 0);
}

TEST(PoseSensitivity, PoolsFoldsAndKeepsMethodsApart) {
  Asked asked(3);
  asked.query(0, true, at_energy(140));
  asked.query(0, true, at_energy(158));
  Evidence::Contents contents = asked.scene.finished();
  contents.trials = {asked.trials()};
  Asked later = asked;
  later.queries.clear(), later.truth.clear(), later.is_right.clear();
  later.query(1, false, at_energy(140));
  later.query(1, true, at_energy(158));
  contents = later.scene.finished();
  contents.trials = {asked.trials(), later.trials(), later.trials("raw pixels"), asked.trials("raw pixels")};
  contents.trials[2].distances = 3 - contents.trials[2].distances;  // at 158 keV the own bone is the farthest now
  Trials seen = later.trials();
  seen.held_out = false;
  contents.trials.push_back(seen);
  const MetricResult result = make_metric(kPoseSensitivity).evaluate(contents);
  EXPECT_EQ(find(result, table_of("energy"), "fingerprint", "140 keV").value, 50);
  EXPECT_EQ(find(result, table_of("energy"), "fingerprint", "140 keV").count, 2);
  EXPECT_EQ(find(result, table_of("energy"), "fingerprint", "158 keV").value, 100);
  EXPECT_EQ(find(result, table_of("energy"), "raw pixels", "158 keV").value, 50);
  EXPECT_TRUE(find(result, table_of("energy"), "raw pixels", "158 keV").is_baseline);
}

TEST(PoseSensitivity, ResamplesPeopleFromTwelveOnAndSaysWhereAVolumeIsShared) {
  for (const int people : {11, 12}) {
    Asked asked(people);
    for (int b = 0; b < people; ++b)
      for (const double energy : {140.0, 158.0}) asked.query(b, b % 3 != 0, at_energy(energy));
    asked.scene.contents.queries_share_volume = true;
    const MetricResult result = asked.result();
    const MetricValue& value = find(result, table_of("energy"), "fingerprint", "140 keV");
    EXPECT_EQ(value.note, "gallery and queries share a CT volume: says nothing about identity");
    ASSERT_EQ(value.interval.has_value(), people == 12);
    if (!value.interval) continue;
    EXPECT_LT(value.interval->first, value.value);
    EXPECT_GT(value.interval->second, value.value);
  }
}

TEST(PoseSensitivity, OfNoQueriesIsNothing) {
  Asked asked(2);
  EXPECT_TRUE(asked.result().values.empty());
}

}  // namespace
}  // namespace osteon
