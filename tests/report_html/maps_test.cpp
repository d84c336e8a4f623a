// Maps of embeddings on the page: a point an image, at its place, and pictures that maps share.

#include "maps.hpp"
#include "report.hpp"
#include "reports/contact_sheet.hpp"

#include <ATen/Functions.h>
#include <nlohmann/json.hpp>

#include <limits>
#include <regex>
#include <vector>

namespace osteon {
namespace {

using Json = nlohmann::json;

/// Images 10, 11, … of bones "a", "b", "a", …; those of "b" were never trained on. Image i is all of grey i.
PicturedMap map(const std::string& title, const std::vector<float>& points) {
  const auto n = static_cast<std::int64_t>(points.size() / 2);
  PicturedMap made;
  made.map = {title, "a <note>", at::arange(10, 10 + n, at::kLong), at::tensor(points).reshape({n, 2})};
  made.thumbnails = at::arange(n).to(at::kByte).reshape({n, 1, 1}).expand({n, 6, 4}).contiguous();
  for (std::int64_t i = 0; i < n; ++i) {
    made.bones.emplace_back(i % 2 == 0 ? "a" : "b");
    made.held_out.push_back(i % 2 == 1);
    made.roles.emplace_back(i % 2 == 0 ? "training" : "query");
    ImageRow row;
    row.axial = static_cast<double>(i);
    row.energy = 70;
    made.rows.push_back(row);
  }
  return made;
}

std::string html_of(const std::vector<PicturedMap>& given) {
  report::Maps maps;
  for (const PicturedMap& one : given) maps.add(one);
  return maps.html();
}

Json data_of(const std::string& html) {
  const std::string begin = "<script type=\"application/json\">";
  const std::size_t from = html.find(begin) + begin.size();
  return Json::parse(html.substr(from, html.find("</script>", from) - from));
}

TEST(Maps, APointAnImageWithOneScaleForBothDirections) {
  const std::string html = html_of({map("t-SNE", {0, 0, 30, 0, 0, 10})});
  EXPECT_EQ(count(html, "<use href=\"#osteon-mark-0\" class=\"k0\" x="), 2U) << "of bone a";
  EXPECT_EQ(count(html, "<use href=\"#osteon-mark-0\" class=\"k1 held\" x="), 1U) << "of bone b, never trained on";
  EXPECT_NE(html.find("<title>b, query, axial 1°, tilt 0°, in-plane 0°, 70 keV</title>"), std::string::npos);
  EXPECT_NE(html.find("a &lt;note&gt;"), std::string::npos);
  const Json data = data_of(html);
  EXPECT_EQ(data.at("image"), (std::vector<int>{10, 11, 12}));
  EXPECT_EQ(data.at("bones"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(data.at("bone"), (std::vector<int>{0, 1, 0}));
  EXPECT_EQ(data.at("held"), (std::vector<int>{0, 1, 0}));
  EXPECT_EQ(data.at("role"), (std::vector<std::string>{"training", "query", "training"}));
  const std::vector<double> x = data.at("x"), y = data.at("y");
  EXPECT_NEAR(x[1] - x[0], 3 * (y[0] - y[2]), 0.4) << "30 to the right, 10 up: downwards in a picture";
  EXPECT_GT(y[0], y[2]);
  EXPECT_GT(x[1] - x[0], 400);
  const std::regex place("x=\"([0-9.]+)\" y=\"([0-9.]+)\"><title>b");
  std::smatch drawn;
  ASSERT_TRUE(std::regex_search(html, drawn, place));
  EXPECT_EQ(std::stod(drawn[1]), x[1]);
  EXPECT_EQ(std::stod(drawn[2]), y[1]);
}

TEST(Maps, LeaveOutPointsThatAreNowhere) {
  const float none = std::numeric_limits<float>::quiet_NaN();
  const std::string html = html_of({map("t-SNE", {0, 0, none, 1, 4, 4, 2, std::numeric_limits<float>::infinity()})});
  const Json data = data_of(html);
  EXPECT_EQ(data.at("image"), (std::vector<int>{10, 12}));
  EXPECT_EQ(data.at("tile_of"), (std::vector<int>{0, 2})) << "pictures keep their places on the sheet";
  EXPECT_EQ(html.find("nan"), std::string::npos);
  EXPECT_EQ(html.find("inf\""), std::string::npos);
}

TEST(Maps, OfOnePlaceOrOfNothingAreDrawnToo) {
  const Json data = data_of(html_of({map("t-SNE", {2, 2, 2, 2})}));
  EXPECT_EQ(data.at("x")[0], 240);
  EXPECT_EQ(data.at("y")[1], 200);
  EXPECT_NE(html_of({map("t-SNE", {})}).find("no image"), std::string::npos);
}

TEST(Maps, OfTheSameImagesShareTheirPictures) {
  const PicturedMap first = map("t-SNE", {0, 0, 1, 1}), second = map("PCA", {5, 0, 1, 7});
  PicturedMap other = map("others", {0, 0, 1, 1});
  other.thumbnails = other.thumbnails + 100;
  const std::string html = html_of({first, second, other});
  EXPECT_EQ(count(html, "<img id=\"osteon-sheet-"), 2U);
  EXPECT_EQ(count(html, "\"sheet\":\"osteon-sheet-0\""), 2U);
  EXPECT_EQ(count(html, "\"sheet\":\"osteon-sheet-1\""), 1U);
}

TEST(ContactSheet, HasEachPictureAtItsPlace) {
  const at::Tensor tiles = at::randint(1, 256, {5, 2, 3}, at::kByte), sheet = reports::contact_sheet(tiles, 2);
  ASSERT_EQ(sheet.sizes(), (std::vector<std::int64_t>{6, 6}));
  for (std::int64_t i = 0; i < 5; ++i)
    EXPECT_TRUE(sheet.slice(0, i / 2 * 2, i / 2 * 2 + 2).slice(1, i % 2 * 3, i % 2 * 3 + 3).equal(tiles[i])) << i;
  EXPECT_EQ(sheet.slice(0, 4).slice(1, 3).max().item<int>(), 0) << "black after the last";
}

TEST(SmallEnough, HalvesPicturesUntilAllFit) {
  const at::Tensor few = at::randint(256, {10, 48, 48}, at::kByte);
  EXPECT_TRUE(reports::small_enough(few, 3'000'000).equal(few));
  const at::Tensor many = at::full({4000, 48, 48}, 90, at::kByte), smaller = reports::small_enough(many, 3'000'000);
  EXPECT_EQ(smaller.sizes(), (std::vector<std::int64_t>{4000, 24, 24}));
  EXPECT_EQ(smaller.min().item<int>(), 90);
  EXPECT_EQ(smaller.max().item<int>(), 90);
}

TEST(Maps, MoreBonesThanColoursGetOtherShapes) {
  PicturedMap many = map("t-SNE", std::vector<float>(2 * 33, 1));
  for (std::size_t i = 0; i < many.bones.size(); ++i) many.bones[i] = text("bone ", i);
  const std::string html = html_of({many});
  std::set<std::string> looks;
  const std::regex use("<use href=\"(#osteon-mark-[0-9])\" class=\"(k[0-9])");
  for (std::sregex_iterator it(html.begin(), html.end(), use), end; it != end; ++it)
    looks.insert((*it)[1].str() + (*it)[2].str());
  EXPECT_EQ(looks.size(), 32U) << "eight colours of four shapes";
}

TEST_F(HtmlReport, HasASectionOfMapsWithPicturesThatAskForNoAddress) {
  const auto reporter = make_reporter();
  reporter.report(start("Quickstart"));
  reporter.report(map("fingerprint, t-SNE </script><b>", {0, 0, 1, 1, 2, 5}));
  reporter.report(RunFinished{"complete", 1, ""});
  const std::string html = page();
  EXPECT_EQ(count(html, "id=\"embedding-space\""), 1U);
  EXPECT_NE(html.find("<span class=\"aside\">1 map</span>"), std::string::npos);
  EXPECT_EQ(count(html, "<script"), 2U);
  EXPECT_EQ(html.find("t-SNE </script>"), std::string::npos);
  EXPECT_NE(html.find("<img id=\"osteon-sheet-0\" hidden alt=\"\" src=\"data:image/png;base64,"), std::string::npos);
}

TEST_F(HtmlReport, RefusesAMapWhoseListsDiffer) {
  const auto reporter = make_reporter();
  reporter.report(start("Quickstart"));
  PicturedMap broken = map("PCA", {0, 0, 1, 1});
  broken.roles.pop_back();
  try {
    reporter.report(broken);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(
        error.what(),
        "reporter/html: map \"PCA\": for each of its 2 images there must be a point (float32 [n, 2]), a number, "
        "a thumbnail (uint8 [n, h, w]), a bone, a role and whether it was held out");
  }
}

}  // namespace
}  // namespace osteon
