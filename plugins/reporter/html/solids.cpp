#include "solids.hpp"

#include "markup.hpp"
#include "simplify.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/png.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace osteon::report {

namespace {

using Json = nlohmann::ordered_json;

template <class Number>
std::string_view bytes_of(const std::vector<Number>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(Number)};
}

std::string_view bytes_of(const at::Tensor& tensor) {
  return {static_cast<const char*>(tensor.data_ptr()), tensor.nbytes()};
}

/// Places from the middle of the mesh in steps of `scale` mm; the corners of its triangles; and of a predicted mesh how
/// far its vertices lie from the truth, in hundredths of a millimetre, the largest number where that is not known.
Json sent(const Simplified& given) {
  const float* p = given.mesh.vertices.data_ptr<float>();
  double low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY}, scale = 1e-6;
  for (std::int64_t i = 0; i < given.mesh.vertices.numel(); ++i) {
    low[i % 3] = std::min<double>(low[i % 3], p[i]);
    high[i % 3] = std::max<double>(high[i % 3], p[i]);
  }
  Json json = {{"centre", Json::array()}};
  for (int k = 0; k < 3; ++k) {
    json["centre"].push_back((low[k] + high[k]) / 2);
    scale = std::max(scale, (high[k] - low[k]) / 2 / 32767);
  }
  std::vector<std::int16_t> places;
  for (std::int64_t i = 0; i < given.mesh.vertices.numel(); ++i)
    places.push_back(static_cast<std::int16_t>(std::lround((p[i] - (low[i % 3] + high[i % 3]) / 2) / scale)));
  const auto* index = given.mesh.triangles.data_ptr<std::int32_t>();
  const std::vector<std::uint16_t> corners(index, index + given.mesh.triangles.numel());
  json["scale"] = scale;
  json["vertices"] = base64(bytes_of(places));
  json["triangles"] = base64(bytes_of(corners));
  if (given.values.empty()) return json;
  std::vector<std::uint16_t> hundredths;
  for (const float mm : given.values)
    hundredths.push_back(std::isfinite(mm) ? static_cast<std::uint16_t>(std::clamp(100.0 * mm, 0.0, 65534.0)) : 65535);
  json["distance"] = base64(bytes_of(hundredths));
  return json;
}

/// All meshes of a page, each once.
class Meshes {
 public:
  explicit Meshes(std::int64_t most) : most_(most) {}

  std::size_t add(const Mesh& mesh, const at::Tensor& distance) {
    Digest digest;
    digest.add(bytes_of(mesh.vertices)).add(bytes_of(mesh.triangles));
    std::vector<float> values;
    if (distance.defined()) {
      digest.add(bytes_of(distance));
      values.assign(distance.data_ptr<float>(), distance.data_ptr<float>() + distance.numel());
    }
    const auto [known, is_new] = places_.try_emplace(digest.hex(), all_.size());
    if (is_new) {
      const Simplified simple = simplified(mesh, values, most_);
      kept_.push_back(simple.mesh.vertices.size(0));
      all_.push_back(sent(simple));
    }
    return known->second;
  }

  [[nodiscard]] std::int64_t kept(std::size_t mesh) const { return kept_[mesh]; }
  [[nodiscard]] const std::vector<Json>& all() const { return all_; }

 private:
  std::int64_t most_;
  std::map<std::string, std::size_t> places_;
  std::vector<std::int64_t> kept_;
  std::vector<Json> all_;
};

std::string size_text(const SurfacePair& pair, std::int64_t predicted, std::int64_t truth) {
  if (predicted == pair.predicted.vertices.size(0) && truth == pair.truth.vertices.size(0)) return "";
  return text("Simplified for turning: ", predicted, " of ", pair.predicted.vertices.size(0),
              " vertices of the predicted bone, ", truth, " of ", pair.truth.vertices.size(0), " of the true one.");
}

}  // namespace

std::string turning_view(std::span<const SurfacePair> pairs, double most, const std::string& colours) {
  const std::int64_t each = kMostVerticesOfPage / std::max<std::int64_t>(1, 2 * std::ssize(pairs));
  Meshes meshes(std::min(kMostVertices, each));
  Json list = Json::array();
  std::string choices;
  for (const SurfacePair& pair : pairs) {
    const std::size_t predicted = meshes.add(pair.predicted, pair.distance), truth = meshes.add(pair.truth, {});
    list.push_back({{"predicted", predicted},
                    {"truth", truth},
                    {"about", size_text(pair, meshes.kept(predicted), meshes.kept(truth))}});
    choices += text("<option>", escaped(pair.caption), "</option>");
  }
  return text(
      "<figure class=\"solid\" hidden>\n<canvas tabindex=\"0\" role=\"img\" aria-label=\"the predicted bone, coloured "
      "by its distance from the true one, and the true bone; arrow keys turn them, plus and minus enlarge, 0 shows the "
      "front\"></canvas>\n<div class=\"panel\">\n<label>bone <select data-role=\"pair\">",
      choices,
      "</select></label>\n<label class=\"fade\"><span>predicted</span><input type=\"range\" min=\"0\" max=\"100\" "
      "value=\"0\" data-role=\"fade\" aria-label=\"from the predicted bone to the true "
      "one\"><span>true</span></label>\n"
      "<div class=\"buttons\" data-role=\"sides\" role=\"group\" aria-label=\"sides\"></div>\n"
      "<p class=\"legend\"><span>distance, mm</span>",
      colours,
      "</p>\n<p class=\"scale\" data-role=\"scale\"><span></span><b></b></p>\n"
      "<p class=\"quiet\">Drag to turn, two fingers or + and − to enlarge, with Shift to move; a double click shows "
      "the "
      "front.</p>\n<p class=\"quiet\" data-role=\"about\"></p>\n</div>\n",
      data_block({{"most", most}, {"meshes", meshes.all()}, {"pairs", list}}), "</figure>\n");
}

}  // namespace osteon::report
