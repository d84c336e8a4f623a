// The bone's voxels by scan lines along i (a line is inside a closed surface between its odd and even crossings), then
// their distance, axis by axis, no further than the margin (the separable distance transform of Felzenszwalb and
// Huttenlocher 2012 with a bounded window).

#include "imaging/crop.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace osteon::imaging {

namespace {

constexpr std::int16_t kAir = -1000, kSoftTissue = 60;  // HU; muscle
constexpr float kFar = std::numeric_limits<float>::infinity();

/// A box of voxels around the bone and, for each, its squared distance to the bone in mm²; `kFar` beyond the margin.
struct Surroundings {
  std::array<std::int64_t, 3> low{}, size{};
  std::vector<float> squared;
};

/// Vertices in voxel coordinates.
std::vector<Vec3> in_voxels(const Mesh& bone, const Grid& grid) {
  std::vector<Vec3> points(static_cast<std::size_t>(bone.vertices.size(0)));
  const auto* v = bone.vertices.data_ptr<float>();
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = grid.to_index({v[3 * i], v[3 * i + 1], v[3 * i + 2]});
  return points;
}

/// The box that holds the bone and the margin, within the volume.
Surroundings box_around(const std::vector<Vec3>& points, const Grid& grid, double margin) {
  Surroundings box;
  for (int axis = 0; axis < 3; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    const auto [low, high] =
        std::minmax_element(points.begin(), points.end(), [&](Vec3 p, Vec3 q) { return p[axis] < q[axis]; });
    const double reach = margin / grid.spacing[axis] + 1;
    const auto last = static_cast<double>(grid.size[a] - 1);
    box.low[a] = static_cast<std::int64_t>(std::floor(std::clamp((*low)[axis] - reach, 0.0, last)));
    box.size[a] = static_cast<std::int64_t>(std::ceil(std::clamp((*high)[axis] + reach, 0.0, last))) - box.low[a] + 1;
  }
  box.squared.assign(static_cast<std::size_t>(box.size[0] * box.size[1] * box.size[2]), kFar);
  return box;
}

/// Where the lines along i cross the surface, in voxels from the box's start; one list a line. Lines run a hair beside
/// the voxels' centres, so that none meets a vertex or an edge.
std::vector<std::vector<float>> crossings(const std::vector<Vec3>& points, const Mesh& bone, const Surroundings& box) {
  constexpr double kAsideJ = 1.414e-5, kAsideK = 2.236e-5;
  std::vector<std::vector<float>> lines(static_cast<std::size_t>(box.size[1] * box.size[2]));
  const auto* corner = bone.triangles.data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < bone.triangles.size(0); ++t) {
    Vec3 p[3];
    for (int c = 0; c < 3; ++c)
      p[c] = points[static_cast<std::size_t>(corner[3 * t + c])] - Vec3{static_cast<double>(box.low[0]),
                                                                        static_cast<double>(box.low[1]) + kAsideJ,
                                                                        static_cast<double>(box.low[2]) + kAsideK};
    const auto [j0, j1] = std::minmax({p[0].y, p[1].y, p[2].y});
    const auto [k0, k1] = std::minmax({p[0].z, p[1].z, p[2].z});
    const double area = (p[1].y - p[0].y) * (p[2].z - p[0].z) - (p[2].y - p[0].y) * (p[1].z - p[0].z);
    if (area == 0) continue;
    const auto first = [](double x) { return std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(x))); };
    for (std::int64_t k = first(k0); k <= std::min(k1, static_cast<double>(box.size[2] - 1)); ++k)
      for (std::int64_t j = first(j0); j <= std::min(j1, static_cast<double>(box.size[1] - 1)); ++j) {
        const auto y = static_cast<double>(j), z = static_cast<double>(k);
        double weight[3];
        for (int c = 0; c < 3; ++c) {
          const Vec3 &a = p[(c + 1) % 3], &b = p[(c + 2) % 3];
          weight[c] = ((a.y - y) * (b.z - z) - (b.y - y) * (a.z - z)) / area;
        }
        if (weight[0] < 0 || weight[1] < 0 || weight[2] < 0) continue;
        lines[static_cast<std::size_t>(k * box.size[1] + j)].push_back(
            static_cast<float>(weight[0] * p[0].x + weight[1] * p[1].x + weight[2] * p[2].x));
      }
  }
  return lines;
}

/// 0 on the voxels within the surface.
void mark_solid(Surroundings& box, std::vector<std::vector<float>> lines) {
  for (std::size_t line = 0; line < lines.size(); ++line) {
    std::sort(lines[line].begin(), lines[line].end());
    float* row = &box.squared[line * static_cast<std::size_t>(box.size[0])];
    for (std::size_t c = 0; c + 1 < lines[line].size(); c += 2) {
      const float last = std::min(lines[line][c + 1], static_cast<float>(box.size[0] - 1));
      for (auto i = static_cast<std::int64_t>(std::ceil(std::max(0.F, lines[line][c]))); static_cast<float>(i) <= last;
           ++i)
        row[i] = 0;
    }
  }
}

/// Adds the distance along one axis: d²(x) = min over t of d²(x + t) + (t · spacing)², |t · spacing| ≤ margin.
void spread_along(Surroundings& box, int axis, double spacing, double margin) {
  const auto a = static_cast<std::size_t>(axis);
  const std::int64_t stride = axis == 0 ? 1 : axis == 1 ? box.size[0] : box.size[0] * box.size[1];
  const std::int64_t length = box.size[a], lines = static_cast<std::int64_t>(box.squared.size()) / length;
  const auto window = static_cast<std::int64_t>(std::floor(margin / spacing));
  if (window == 0) return;
  std::vector<float> step(static_cast<std::size_t>(window + 1));
  for (std::size_t t = 0; t < step.size(); ++t)
    step[t] = static_cast<float>(std::pow(static_cast<double>(t) * spacing, 2));
  parallel_for(0, lines, 64, [&](std::int64_t begin, std::int64_t end) {
    std::vector<float> before(static_cast<std::size_t>(length));
    for (std::int64_t line = begin; line < end; ++line) {
      float* value = &box.squared[static_cast<std::size_t>(line / stride * stride * length + line % stride)];
      for (std::int64_t x = 0; x < length; ++x) before[static_cast<std::size_t>(x)] = value[x * stride];
      for (std::int64_t x = 0; x < length; ++x) {
        float least = kFar;
        for (std::int64_t y = std::max<std::int64_t>(0, x - window); y <= std::min(length - 1, x + window); ++y)
          least =
              std::min(least, before[static_cast<std::size_t>(y)] + step[static_cast<std::size_t>(std::abs(x - y))]);
        value[x * stride] = least;
      }
    }
  });
}

}  // namespace

Schema crop_schema() {
  return {"What of a volume comes into the picture beside its one bone.",
          {Parameter::text("outside", "keep",
                           "What lies further than the margin from the bone: kept, made air, or capped at soft tissue "
                           "(60 HU), which removes neighbouring bones and leaves the flesh.")
               .one_of({"keep", "air", "soft_tissue"}),
           Parameter::real("margin", 3, "Distance from the bone's surface up to which everything is kept.")
               .unit("mm")
               .at_least(0)
               .at_most(500)}};
}

Volume cropped(const Volume& volume, const Mesh& bone, const Parameters& crop) {
  const std::string& outside = crop.text("outside");
  const double margin = crop.real("margin");
  if (outside == "keep") return volume;
  const Grid& grid = volume.grid;
  const std::vector<Vec3> points = in_voxels(bone, grid);
  Surroundings box = box_around(points, grid, margin);
  mark_solid(box, crossings(points, bone, box));
  for (int axis = 0; axis < 3; ++axis) spread_along(box, axis, grid.spacing[axis], margin);

  Volume result{volume.hounsfield.clone(), grid};
  auto* voxels = result.hounsfield.data_ptr<std::int16_t>();
  const auto replace = [&](std::int16_t& voxel) { voxel = outside == "air" ? kAir : std::min(voxel, kSoftTissue); };
  const auto limit = static_cast<float>(margin * margin);
  parallel_for(0, grid.size[2], 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k)
      for (std::int64_t j = 0; j < grid.size[1]; ++j) {
        std::int16_t* row = voxels + (k * grid.size[1] + j) * grid.size[0];
        const std::int64_t bj = j - box.low[1], bk = k - box.low[2];
        const bool beside = bj < 0 || bj >= box.size[1] || bk < 0 || bk >= box.size[2];
        const float* near =
            beside ? nullptr : &box.squared[static_cast<std::size_t>((bk * box.size[1] + bj) * box.size[0])];
        for (std::int64_t i = 0; i < grid.size[0]; ++i) {
          const std::int64_t bi = i - box.low[0];
          if (beside || bi < 0 || bi >= box.size[0] || near[bi] > limit) replace(row[i]);
        }
      }
  });
  return result;
}

}  // namespace osteon::imaging
