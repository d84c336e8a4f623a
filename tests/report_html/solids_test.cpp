// Bones that turn: simplified within bounds, each once on the page, in whole numbers that read back to their places.

#include "solids.hpp"
#include "report.hpp"
#include "simplify.hpp"
#include "surfaces.hpp"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace osteon::report {
namespace {

using Json = nlohmann::json;

/// A sphere of `rings` × 2 `rings` vertices and twice as many triangles.
Mesh ball(double radius, int rings) {
  std::vector<float> vertices;
  std::vector<std::int32_t> triangles;
  const int around = 2 * rings;
  for (int i = 0; i <= rings; ++i)
    for (int j = 0; j < around; ++j) {
      const double polar = std::numbers::pi * i / rings, azimuth = 2 * std::numbers::pi * j / around;
      for (const double at :
           {std::sin(polar) * std::cos(azimuth), std::sin(polar) * std::sin(azimuth), std::cos(polar)})
        vertices.push_back(static_cast<float>(radius * at));
    }
  for (int i = 0; i < rings; ++i)
    for (int j = 0; j < around; ++j) {
      const int a = i * around + j, b = i * around + (j + 1) % around, c = a + around, d = b + around;
      for (const int corner : {a, c, b, b, c, d}) triangles.push_back(corner);
    }
  return {at::tensor(vertices).reshape({-1, 3}).contiguous(),
          at::tensor(triangles, at::kInt).reshape({-1, 3}).contiguous()};
}

std::vector<float> heights(const Mesh& mesh) {
  const at::Tensor z = mesh.vertices.select(1, 2).contiguous();
  return {z.data_ptr<float>(), z.data_ptr<float>() + z.numel()};
}

TEST(Simplified, StaysOnTheSurfaceWithAsManyVerticesAsAllowed) {
  const Mesh whole = ball(20, 100);
  const Simplified simple = simplified(whole, heights(whole), 2000);
  const std::int64_t kept = simple.mesh.vertices.size(0);
  EXPECT_LE(kept, 2000);
  EXPECT_GT(kept, 1500) << "and no fewer than need be";
  const at::Tensor radius = simple.mesh.vertices.norm(2, 1);
  EXPECT_LT(radius.max().item<double>(), 20.001);
  EXPECT_GT(radius.min().item<double>(), 19.6);
  ASSERT_EQ(std::ssize(simple.values), kept);
  for (std::int64_t i = 0; i < kept; ++i)
    EXPECT_NEAR(simple.values[static_cast<std::size_t>(i)], simple.mesh.vertices[i][2].item<double>(), 1e-3);
  simple.mesh.check();
  EXPECT_GT(simple.mesh.triangles.size(0), 1.8 * static_cast<double>(kept)) << "closed: about two a vertex";
}

TEST(Simplified, LeavesASmallMeshAlone) {
  const Mesh small = octahedron(10);
  const Simplified simple = simplified(small, {}, 8);
  EXPECT_TRUE(simple.mesh.vertices.equal(small.vertices));
  EXPECT_TRUE(simple.mesh.triangles.equal(small.triangles));
  EXPECT_TRUE(simple.values.empty());
}

TEST(Simplified, LeavesOutValuesThatAreNotFiniteAndEndsWhereVerticesCoincide) {
  Mesh twice = octahedron(10);
  twice.vertices = at::cat({twice.vertices, twice.vertices, twice.vertices});
  std::vector<float> values(18, 3);
  values[0] = values[6] = values[12] = NAN;  // all copies of the first
  values[7] = INFINITY;                      // one of the second's
  const Simplified simple = simplified(twice, values, 12);
  ASSERT_EQ(simple.mesh.vertices.size(0), 6);
  EXPECT_EQ(std::ranges::count_if(simple.values, [](float v) { return std::isnan(v); }), 1);
  EXPECT_EQ(std::ranges::count(simple.values, 3.0F), 5);
}

Json data_of(const std::string& html) {
  const std::string begin = "<script type=\"application/json\">";
  const std::size_t from = html.find(begin) + begin.size();
  return Json::parse(html.substr(from, html.find("</script>", from) - from));
}

std::string decoded(const std::string& words) {
  const std::string letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned bits = 0, have = 0;
  for (const char c : words) {
    if (c == '=') break;
    bits = bits << 6 | static_cast<unsigned>(letters.find(c));
    have += 6;
    if (have < 8) continue;
    have -= 8;
    bytes += static_cast<char>(bits >> have & 255);
  }
  return bytes;
}

template <class Number>
std::vector<Number> numbers_of(const Json& words) {
  const std::string bytes = decoded(words);
  std::vector<Number> result(bytes.size() / sizeof(Number));
  std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(result.data()));
  return result;
}

TEST(TurningView, SendsPlacesWithinMicrometresAndDistancesInHundredths) {
  const Mesh truth = octahedron(50), predicted = octahedron(52.5);
  const at::Tensor distance = at::tensor(std::vector<float>{0, 1.234F, 2, 700, NAN, 5});
  const SurfacePair pair{"bone 1", truth, predicted, distance};
  const Json data = data_of(turning_view({&pair, 1}, 4, ""));
  EXPECT_EQ(data.at("most"), 4);
  ASSERT_EQ(data.at("meshes").size(), 2U);
  const Json& sent = data.at("meshes")[data.at("pairs")[0].at("predicted").get<std::size_t>()];
  const auto places = numbers_of<std::int16_t>(sent.at("vertices"));
  ASSERT_EQ(places.size(), 18U);
  for (std::size_t i = 0; i < places.size(); ++i)
    EXPECT_NEAR(sent.at("centre")[i % 3].get<double>() + places[i] * sent.at("scale").get<double>(),
                predicted.vertices.data_ptr<float>()[i], 0.004);
  const auto corners = numbers_of<std::uint16_t>(sent.at("triangles"));
  EXPECT_EQ(std::vector<int>(corners.begin(), corners.end()),
            std::vector<int>(predicted.triangles.data_ptr<std::int32_t>(),
                             predicted.triangles.data_ptr<std::int32_t>() + predicted.triangles.numel()));
  EXPECT_EQ(numbers_of<std::uint16_t>(sent.at("distance")),
            (std::vector<std::uint16_t>{0, 123, 200, 65534, 65535, 500}));
  EXPECT_FALSE(data.at("meshes")[data.at("pairs")[0].at("truth").get<std::size_t>()].contains("distance"));
  EXPECT_EQ(data.at("pairs")[0].at("about"), "");
}

TEST(TurningView, ATruthOfSeveralPredictionsStandsOnceAndWhatIsSimplifiedIsSaid) {
  const Mesh truth = ball(40, 80), first = ball(41, 80), second = ball(42, 80);
  const at::Tensor distance = at::ones({first.vertices.size(0)});
  const std::vector<SurfacePair> pairs = {{"a </script>", truth, first, distance}, {"b", truth, second, distance}};
  const std::string html = turning_view(pairs, 4, "");
  const Json data = data_of(html);
  EXPECT_EQ(data.at("meshes").size(), 3U);
  EXPECT_EQ(data.at("pairs")[0].at("truth"), data.at("pairs")[1].at("truth"));
  const std::string about = data.at("pairs")[0].at("about");
  EXPECT_NE(about.find(text(" of ", first.vertices.size(0), " vertices of the predicted bone")), std::string::npos)
      << about;
  EXPECT_NE(html.find("<option>a &lt;/script&gt;</option><option>b</option>"), std::string::npos);
}

TEST(TurningView, OfManyBonesStaysAFewMegabytes) {
  std::vector<SurfacePair> pairs;
  for (int i = 0; i < 24; ++i) {
    const Mesh predicted = ball(40 + i, 80);
    pairs.push_back({text("bone ", i), ball(39.5 + i, 80), predicted, at::ones({predicted.vertices.size(0)})});
  }
  EXPECT_LT(turning_view(pairs, 4, "").size(), 4'500'000U);
}

}  // namespace
}  // namespace osteon::report
