#include "surfaces.hpp"

#include "chart.hpp"
#include "markup.hpp"
#include "solids.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

namespace osteon::report {

namespace {

constexpr int kSamples = 3;       ///< a pixel is the mean of so many samples each way
constexpr double kScaleBar = 50;  ///< mm
constexpr Colour kBone = {0.90, 0.86, 0.78}, kNowhere = {0.6, 0.6, 0.6};
// Orange and blue of Okabe and Ito's colour-blind-safe palette.
constexpr Colour kOnlyTrue = {0.902, 0.624, 0.0}, kOnlyPredicted = {0.0, 0.447, 0.698}, kBoth = {0.72, 0.72, 0.72};

struct Direction {
  const char* name;
  Vec3 right, up, towards_eye;  ///< in the bone's own frame: x medial, y anterior, z proximal
};
constexpr Direction kDirections[] = {{"AP", {1, 0, 0}, {0, 0, 1}, {0, 1, 0}}, {"ML", {0, 1, 0}, {0, 0, 1}, {-1, 0, 0}}};

struct Extent {
  double low = INFINITY, high = -INFINITY;
  void include(const Mesh& mesh, Vec3 axis) {
    const float* p = mesh.vertices.data_ptr<float>();
    for (std::int64_t i = 0; i < mesh.vertices.size(0); ++i) {
      const double at = dot(Vec3{p[3 * i], p[3 * i + 1], p[3 * i + 2]}, axis);
      low = std::min(low, at);
      high = std::max(high, at);
    }
  }
  [[nodiscard]] double size() const { return high - low; }
  [[nodiscard]] double middle() const { return (low + high) / 2; }
};

/// Both bones in one picture of `height` pixels, with a rim of 1 %.
Camera camera_for(const SurfacePair& pair, const Direction& direction, int height) {
  Extent across, along;
  for (const Mesh* mesh : {&pair.truth, &pair.predicted}) {
    across.include(*mesh, direction.right);
    along.include(*mesh, direction.up);
  }
  Camera camera{direction.right, direction.up, direction.towards_eye, across.middle(), along.middle()};
  camera.height = height;
  camera.millimetres_per_pixel = std::max(along.size(), 1e-3) * 1.02 / height;
  const double width = std::ceil(across.size() / camera.millimetres_per_pixel + 0.02 * height);
  camera.width = static_cast<int>(std::clamp(width, 1.0, 4.0 * height));
  return camera;
}

Camera finer(Camera camera) {
  camera.width *= kSamples;
  camera.height *= kSamples;
  camera.millimetres_per_pixel /= kSamples;
  return camera;
}

Colour scaled(Colour colour, double factor) { return {colour[0] * factor, colour[1] * factor, colour[2] * factor}; }

/// One bone, seen and lit.
struct Seen {
  const Mesh* mesh;
  Camera camera;
  Raster raster;
  std::vector<Vec3> normals;

  Seen(const Mesh& bone, const Camera& fine)
      : mesh(&bone), camera(fine), raster(rasterise(bone, fine)), normals(vertex_normals(bone)) {}
  [[nodiscard]] bool covered(std::size_t sample) const { return raster.covered(sample); }
  [[nodiscard]] double light(std::size_t sample) const { return shade(raster, sample, *mesh, normals, camera); }
};

double distance_at(const Seen& seen, std::size_t sample, const float* distance) {
  const auto* corner =
      seen.mesh->triangles.data_ptr<std::int32_t>() + 3 * static_cast<std::int64_t>(seen.raster.triangle[sample]);
  double sum = 0;
  for (std::size_t k = 0; k < 3; ++k) sum += static_cast<double>(seen.raster.weight[sample][k]) * distance[corner[k]];
  return sum;
}

std::string view(const SurfacePair& pair, const Direction& direction, int height, double most) {
  const Camera camera = camera_for(pair, direction, height), fine = finer(camera);
  const Seen truth(pair.truth, fine), predicted(pair.predicted, fine);
  const float* distance = pair.distance.data_ptr<float>();
  const auto picture = [&](const char* what, const auto& covered, const auto& colour) {
    const at::Tensor pixels = resolve(camera.width, camera.height, kSamples, covered, colour);
    return text(
        "<figure>",
        zoomable(data_url(pixels), text(what, ", ", direction.name, ": ", pair.caption), camera.width, camera.height),
        "<figcaption>", what, "</figcaption></figure>");
  };
  std::string html = text("<div class=\"view\"><h4>", direction.name, "</h4><div class=\"row\">");
  html += picture(
      "true", [&](std::size_t s) { return truth.covered(s); },
      [&](std::size_t s) { return scaled(kBone, truth.light(s)); });
  html += picture(
      "predicted", [&](std::size_t s) { return predicted.covered(s); },
      [&](std::size_t s) {
        const double mm = distance_at(predicted, s, distance);
        return scaled(std::isfinite(mm) ? viridis(mm / most) : kNowhere, 0.25 + 0.75 * predicted.light(s));
      });
  html += picture(
      "both", [&](std::size_t s) { return truth.covered(s) || predicted.covered(s); },
      [&](std::size_t s) {
        if (!predicted.covered(s)) return scaled(kOnlyTrue, 0.3 + 0.7 * truth.light(s));
        return scaled(truth.covered(s) ? kBoth : kOnlyPredicted, 0.3 + 0.7 * predicted.light(s));
      });
  const double bar = kScaleBar / camera.millimetres_per_pixel;
  if (bar < camera.width * 3.0)
    html += text("</div><p class=\"scale\"><span style=\"width:", number(bar, 4), "px\"></span>", kScaleBar,
                 " mm</p></div>");
  else
    html += "</div></div>";
  return html;
}

/// Distances of all finite vertices, sorted.
std::vector<float> sorted_distances(std::span<const SurfacePair> pairs) {
  std::vector<float> all;
  for (const SurfacePair& pair : pairs) {
    const float* distance = pair.distance.data_ptr<float>();
    std::copy_if(distance, distance + pair.distance.numel(), std::back_inserter(all),
                 [](float d) { return std::isfinite(d); });
  }
  std::sort(all.begin(), all.end());
  return all;
}

double quantile(const std::vector<float>& sorted, double share) {
  return sorted.empty() ? NAN : sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1))];
}

/// `id` is of its gradient, which a page has but once.
std::string colour_bar(double most, const char* id) {
  constexpr double kBarWidth = 220;
  std::string stops, labels;
  for (int i = 0; i <= 16; ++i) {
    const Colour c = viridis(i / 16.0);
    stops += text("<stop offset=\"", number(i / 16.0, 5), "\" stop-color=\"rgb(", std::lround(255 * c[0]), " ",
                  std::lround(255 * c[1]), " ", std::lround(255 * c[2]), ")\"/>");
  }
  const std::vector<double> ticks = round_ticks(0, most, 4);
  for (const double tick : ticks)
    labels += text("<text x=\"", number(14 + kBarWidth * tick / most, 5), "\" y=\"30\" text-anchor=\"middle\">",
                   tick == ticks.back() ? "≥ " : "", number(tick), "</text>");
  return text("<svg class=\"bar\" width=\"248\" height=\"36\" role=\"img\" aria-label=\"colour scale from 0 to ",
              number(most), " millimetres\"><defs><linearGradient id=\"", id, "\">", stops,
              "</linearGradient></defs><rect x=\"14\" y=\"4\" width=\"", kBarWidth, "\" height=\"12\" fill=\"url(#", id,
              ")\"/>", labels, "</svg>");
}

std::string swatch(const char* name, Colour c) {
  return text("<span class=\"swatch\"><i style=\"background:rgb(", std::lround(255 * c[0]), " ",
              std::lround(255 * c[1]), " ", std::lround(255 * c[2]), ")\"></i>", name, "</span>");
}

std::string figure(const SurfacePair& pair, std::size_t place, int height, double most) {
  const std::vector<float> distances = sorted_distances({&pair, 1});
  std::string html =
      text("<article class=\"shape\"><button type=\"button\" class=\"turn\" data-pair=\"", place,
           "\" hidden>turn it in 3D</button><h3>", escaped(pair.caption),
           "</h3>\n<p class=\"quiet\">half of the predicted surface's vertices lie within ",
           number(quantile(distances, 0.5)), " mm of the true bone, 95 % within ", number(quantile(distances, 0.95)),
           " mm, all within ", number(quantile(distances, 1)), " mm</p>\n<div class=\"views\">");
  for (const Direction& direction : kDirections) html += view(pair, direction, height, most);
  return html + "</div></article>\n";
}

void check(const SurfacePair& pair) {
  pair.truth.check();
  pair.predicted.check();
  if (!pair.distance.defined() || pair.distance.scalar_type() != at::kFloat ||
      pair.distance.numel() != pair.predicted.vertices.size(0))
    throw failure(text("surface pair \"", pair.caption, "\": distance must be float32 with one value for each of the ",
                       pair.predicted.vertices.size(0), " predicted vertices"));
}

}  // namespace

Colour viridis(double share) {
  static constexpr int kAnchors[17] = {0x440154, 0x48186a, 0x472d7b, 0x424086, 0x3b528b, 0x33638d,
                                       0x2c728e, 0x26828e, 0x21918c, 0x1fa088, 0x28ae80, 0x3fbc73,
                                       0x5ec962, 0x84d44b, 0xaddc30, 0xd8e219, 0xfde725};
  const double place = std::clamp(share, 0.0, 1.0) * 16;
  const int below = std::min(15, static_cast<int>(place));
  Colour colour{};
  for (int k = 0; k < 3; ++k) {
    const int low = kAnchors[below] >> (16 - 8 * k) & 255, high = kAnchors[below + 1] >> (16 - 8 * k) & 255;
    colour[static_cast<std::size_t>(k)] = std::lerp(low, high, place - below) / 255;
  }
  return colour;
}

std::string surface_figures(std::span<const SurfacePair> pairs, int height) {
  for (const SurfacePair& pair : pairs) check(pair);
  const double far = quantile(sorted_distances(pairs), 0.98);
  const double most = round_ticks(0, std::isfinite(far) && far > 0 ? far : 1, 4).back();
  std::string html = turning_view(pairs, most, colour_bar(most, "viridis-turning"));
  html += text("<p class=\"legend\"><span>distance, mm</span>", colour_bar(most, "viridis"),
               "<span>both, one over the other:</span>", swatch("both bones", kBoth), swatch("true only", kOnlyTrue),
               swatch("predicted only", kOnlyPredicted),
               "</p>\n<p class=\"quiet\">AP is seen from the front, medial on "
               "the right; ML from the lateral side, the front on the right. One colour scale for all bones. Click a "
               "picture to enlarge it.</p>\n");
  for (std::size_t i = 0; i < pairs.size(); ++i) html += figure(pairs[i], i, height, most);
  return html;
}

}  // namespace osteon::report
