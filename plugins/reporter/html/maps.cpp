#include "maps.hpp"

#include "markup.hpp"
#include "reports/contact_sheet.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace osteon::report {

namespace {

using Json = nlohmann::ordered_json;

constexpr double kMapWidth = 480, kMapHeight = 400, kRim = 16;
constexpr std::int64_t kMostPixels = 3'000'000;  ///< of a sheet
constexpr std::size_t kMarkColours = 8, kShapes = 4;

/// The points in the picture's units, one scale for both directions; not finite where the given ones are not.
struct Placed {
  std::vector<double> x, y;
};

Placed placed(const at::Tensor& points) {
  const at::Tensor given = points.contiguous();
  const float* p = given.data_ptr<float>();
  double low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
  for (std::int64_t i = 0; i < given.size(0); ++i)
    if (std::isfinite(p[2 * i]) && std::isfinite(p[2 * i + 1]))
      for (int k = 0; k < 2; ++k) {
        low[k] = std::min<double>(low[k], p[2 * i + k]);
        high[k] = std::max<double>(high[k], p[2 * i + k]);
      }
  const double room =
      std::max((high[0] - low[0]) / (kMapWidth - 2 * kRim), (high[1] - low[1]) / (kMapHeight - 2 * kRim));
  const double scale = room > 0 && std::isfinite(room) ? 1 / room : 1;
  Placed result;
  for (std::int64_t i = 0; i < given.size(0); ++i) {
    result.x.push_back(std::round(10 * (kMapWidth / 2 + (p[2 * i] - (low[0] + high[0]) / 2) * scale)) / 10);
    result.y.push_back(std::round(10 * (kMapHeight / 2 - (p[2 * i + 1] - (low[1] + high[1]) / 2) * scale)) / 10);
  }
  return result;
}

/// Bones in order of appearance, and which of them each point shows.
struct Bones {
  std::vector<std::string> names;
  std::vector<std::size_t> of_point;
};

Bones bones_of(const PicturedMap& map) {
  Bones bones;
  for (const std::string& name : map.bones) {
    const auto place = std::find(bones.names.begin(), bones.names.end(), name);
    bones.of_point.push_back(static_cast<std::size_t>(place - bones.names.begin()));
    if (place == bones.names.end()) bones.names.push_back(name);
  }
  return bones;
}

/// Eight colours, and where there are more bones than that, another shape for each eight.
std::string look(std::size_t bone) { return text("k", bone % kMarkColours); }
std::string shape(std::size_t bone) { return text("#osteon-mark-", bone / kMarkColours % kShapes); }

std::string pose_text(const ImageRow& row) {
  return text("axial ", number(row.axial), "°, tilt ", number(row.tilt), "°, in-plane ", number(row.in_plane), "°, ",
              number(row.energy), " keV");
}

std::string points(const PicturedMap& map, const Placed& place, const Bones& bones) {
  std::string svg;
  for (std::size_t i = 0; i < map.rows.size(); ++i) {
    if (!std::isfinite(place.x[i]) || !std::isfinite(place.y[i])) continue;
    svg += text("<use href=\"", shape(bones.of_point[i]), "\" class=\"", look(bones.of_point[i]),
                map.held_out[i] ? " held" : "", "\" x=\"", number(place.x[i], 6), "\" y=\"", number(place.y[i], 6),
                "\"><title>", escaped(map.bones[i]), ", ", escaped(map.roles[i]), ", ", pose_text(map.rows[i]),
                "</title></use>\n");
  }
  return svg;
}

std::string legend(const PicturedMap& map, const Bones& bones) {
  std::string html = "<p class=\"keys\">";
  std::vector<bool> is_held(bones.names.size());
  for (std::size_t i = 0; i < map.held_out.size(); ++i)
    if (map.held_out[i]) is_held[bones.of_point[i]] = true;
  for (std::size_t b = 0; b < bones.names.size(); ++b)
    html += text("<span class=\"key\"><svg width=\"12\" height=\"12\" viewBox=\"-6 -6 12 12\" aria-hidden=\"true\">",
                 "<use href=\"", shape(b), "\" class=\"", look(b), is_held[b] ? " held" : "", "\"/></svg>",
                 escaped(bones.names[b]), "</span>");
  return html + "</p>";
}

/// Column by column, so that the numbers' names are written once.
std::string data(const PicturedMap& map, const Placed& place, const Bones& bones, std::size_t sheet,
                 const at::Tensor& tiles, std::int64_t columns) {
  Json json = {{"sheet", text("osteon-sheet-", sheet)}, {"columns", columns}, {"tile", {tiles.size(2), tiles.size(1)}}};
  json["bones"] = bones.names;
  const std::int64_t* image = map.map.images.data_ptr<std::int64_t>();
  for (const char* name : {"x", "y", "image", "tile_of", "bone", "axial", "tilt", "in_plane", "energy", "role", "held"})
    json[name] = Json::array();
  const auto rounded = [](double value) { return std::round(100 * value) / 100; };
  for (std::size_t i = 0; i < map.rows.size(); ++i) {
    if (!std::isfinite(place.x[i]) || !std::isfinite(place.y[i])) continue;
    json["x"].push_back(place.x[i]);
    json["y"].push_back(place.y[i]);
    json["image"].push_back(image[i]);
    json["tile_of"].push_back(i);
    json["bone"].push_back(bones.of_point[i]);
    json["axial"].push_back(rounded(map.rows[i].axial));
    json["tilt"].push_back(rounded(map.rows[i].tilt));
    json["in_plane"].push_back(rounded(map.rows[i].in_plane));
    json["energy"].push_back(rounded(map.rows[i].energy));
    json["role"].push_back(map.roles[i]);
    json["held"].push_back(map.held_out[i] ? 1 : 0);
  }
  return data_block(json);
}

/// A circle, a square, a triangle and a diamond of about equal area, used by every map.
constexpr const char* kMarks =
    "<svg class=\"marks\" width=\"0\" height=\"0\" aria-hidden=\"true\"><defs><circle id=\"osteon-mark-0\" r=\"3\"/>"
    "<rect id=\"osteon-mark-1\" x=\"-2.7\" y=\"-2.7\" width=\"5.4\" height=\"5.4\"/><path id=\"osteon-mark-2\" "
    "d=\"M0 -3.9L3.7 2.8H-3.7Z\"/><path id=\"osteon-mark-3\" d=\"M0 -3.9L3.9 0L0 3.9L-3.9 0Z\"/></defs></svg>\n";

}  // namespace

std::size_t Maps::sheet_of(const at::Tensor& thumbnails) {
  const at::Tensor given = thumbnails.contiguous();
  const std::string shape = text(given.size(0), " ", given.size(1), " ", given.size(2), " ");
  const std::string digest = Digest()
                                 .add(shape)
                                 .add(std::string_view(reinterpret_cast<const char*>(given.data_ptr<std::uint8_t>()),
                                                       static_cast<std::size_t>(given.numel())))
                                 .hex();
  const auto known = std::find(digests_.begin(), digests_.end(), digest);
  const auto sheet = static_cast<std::size_t>(known - digests_.begin());
  if (known != digests_.end()) return sheet;
  digests_.push_back(digest);
  tiles_.push_back(reports::small_enough(given, kMostPixels));
  sheets_ += text("<img id=\"osteon-sheet-", sheet, "\" hidden alt=\"\" src=\"",
                  data_url(reports::contact_sheet(tiles_.back(), reports::columns_of(tiles_.back()))), "\">\n");
  return sheet;
}

void Maps::add(const PicturedMap& map) {
  reports::require_complete(map);
  std::string figure = text("<figure class=\"plot map\"><figcaption>", escaped(map.map.title), "</figcaption>");
  if (map.rows.empty()) {
    figure += "<p class=\"quiet\">no image</p>";
  } else {
    const std::size_t sheet = sheet_of(map.thumbnails);
    const Placed place = placed(map.map.points);
    const Bones bones = bones_of(map);
    figure += text("<div class=\"stage\"><svg viewBox=\"0 0 ", kMapWidth, " ", kMapHeight,
                   "\" role=\"img\" aria-label=\"", escaped(map.map.title), ": ", map.rows.size(), " images of ",
                   bones.names.size(), bones.names.size() == 1 ? " bone" : " bones", "\">\n", points(map, place, bones),
                   "</svg></div>", legend(map, bones));
    figure += data(map, place, bones, sheet, tiles_[sheet], reports::columns_of(tiles_[sheet]));
  }
  if (!map.map.note.empty()) figure += text("<p class=\"note\">", escaped(map.map.note), "</p>");
  figures_ += figure + "</figure>\n";
  ++count_;
}

std::string Maps::html() const {
  return text(kMarks, "<p class=\"quiet\">A point is an X-ray pair; ringed: of a bone that was never trained on.</p>\n",
              "<div class=\"plots maps\">\n", figures_, "</div>\n", sheets_);
}

}  // namespace osteon::report
