#pragma once

// Volumes, exposures and renderers that the tests of several renderers share.

#include "host/handles.hpp"

#include <ATen/Functions.h>

#include <cmath>
#include <functional>
#include <map>

namespace osteon::scenes {

inline host::Registry& registry() {
  static host::Registry instance({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  return instance;
}

/// The renderers that were built: `itk_raycast` may be left out.
inline std::vector<std::string> built_renderers() {
  std::vector<std::string> names;
  for (const host::FoundPlugin& plugin : registry().list())
    if (plugin.kind == "renderer") names.push_back(plugin.name);
  return names;
}

inline host::RendererHandle renderer(const std::string& name, const std::map<std::string, ParameterValue>& given = {}) {
  const host::LoadedPlugin& plugin = registry().find("renderer", name);
  return {plugin, Parameters(plugin.schema, given)};
}

inline const Vec3 kCentre{13, -25, 8};  // of every volume here, off the origin

inline Volume volume(std::array<std::int64_t, 3> size, Vec3 spacing, const Mat3& direction,
                     const std::function<double(Vec3)>& hounsfield_at) {
  Volume result;
  result.grid = {size, spacing, {}, direction};
  result.grid.origin = -result.grid.centre() + kCentre;
  result.hounsfield = at::empty({size[2], size[1], size[0]}, at::kShort);
  auto* voxel = result.hounsfield.data_ptr<std::int16_t>();
  for (std::int64_t k = 0; k < size[2]; ++k)
    for (std::int64_t j = 0; j < size[1]; ++j)
      for (std::int64_t i = 0; i < size[0]; ++i) {
        const Vec3 index{static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)};
        *voxel++ = static_cast<std::int16_t>(std::lround(hounsfield_at(result.grid.to_patient(index))));
      }
  return result;
}

/// `rows` × `columns` parallel rays along `direction`, `pitch` mm apart, the middle one through `target`.
inline Projection parallel(Vec3 direction, Vec3 target, std::int64_t rows, std::int64_t columns, double pitch) {
  Projection p;
  p.parallel = true;
  p.direction = normalised(direction);
  const Vec3 other = std::abs(p.direction.z) < 0.9 ? Vec3{0, 0, 1} : Vec3{1, 0, 0};
  const Vec3 right = normalised(cross(p.direction, other));
  p.column_step = right * pitch;
  p.row_step = cross(right, p.direction) * -pitch;
  p.rows = rows;
  p.columns = columns;
  p.first_pixel = target + p.direction * 150 - p.column_step * (static_cast<double>(columns - 1) / 2) -
                  p.row_step * (static_cast<double>(rows - 1) / 2);
  return p;
}

/// The pixels of `p`, seen from a point source at `distance` from `target`.
inline Projection perspective(Projection p, Vec3 target, double distance) {
  p.parallel = false;
  p.source = target - p.direction * distance;
  return p;
}

struct RayOfPixel {
  Vec3 from, direction;  ///< unit direction
};
inline RayOfPixel ray_of(const Projection& p, std::int64_t row, std::int64_t column) {
  const Vec3 pixel =
      p.first_pixel + p.row_step * static_cast<double>(row) + p.column_step * static_cast<double>(column);
  return {p.parallel ? pixel : p.source, p.parallel ? p.direction : normalised(pixel - p.source)};
}

/// Where a point appears, in pixels (column, row).
inline std::pair<double, double> pixel_of(const Projection& p, Vec3 point) {
  const Vec3 normal = normalised(cross(p.column_step, p.row_step));
  const Vec3 along = p.parallel ? p.direction : point - p.source;
  const Vec3 hit = point + along * (dot(p.first_pixel - point, normal) / dot(along, normal));
  const Vec3 from_first = hit - p.first_pixel;
  return {dot(from_first, p.column_step) / dot(p.column_step, p.column_step),
          dot(from_first, p.row_step) / dot(p.row_step, p.row_step)};
}

/// 1 inside, 0 outside, a logistic edge of about `width` mm: what a scanner makes of a sharp edge.
inline double soft(double depth, double width = 0.5) { return 1 / (1 + std::exp(-depth / width)); }

/// HU of a femur-like body about `kCentre`, its shaft along z: a cortical tube with marrow that widens towards its
/// ends, a ball on a neck, in a cylinder of soft tissue. 90 mm long.
inline double femur_like(Vec3 point) {
  const Vec3 p = point - kCentre;
  const double flare = 9 + 5 * std::pow(p.z / 45, 4), radius = std::hypot(p.x, p.y);
  const double shaft = std::min(flare - radius, 42 - std::abs(p.z));
  const Vec3 head{14, 4, 34};
  const double t = std::clamp(
      dot(p - Vec3{0, 0, 26}, head - Vec3{0, 0, 26}) / dot(head - Vec3{0, 0, 26}, head - Vec3{0, 0, 26}), 0.0, 1.0);
  const double neck = 6 - norm(p - (Vec3{0, 0, 26} + (head - Vec3{0, 0, 26}) * t));
  const double outside = std::max({shaft, 10 - norm(p - head), neck});
  const double marrow = outside - 3.5;
  const double tissue = -1000 + 1040 * soft(26 - radius);
  return tissue + (1460 * soft(outside) - 1250 * soft(marrow)) * soft(26 - radius);
}

inline Volume femur(double spacing, const Mat3& direction = {}, Vec3 stretch = {1, 1, 1}) {
  const Vec3 size_mm{60, 60, 100}, step{spacing * stretch.x, spacing * stretch.y, spacing * stretch.z};
  std::array<std::int64_t, 3> size{};
  for (int axis = 0; axis < 3; ++axis)
    size[static_cast<std::size_t>(axis)] = static_cast<std::int64_t>(std::ceil(size_mm[axis] / step[axis]));
  return volume(size, step, direction,
                [&](Vec3 p) { return femur_like(kCentre + transposed(direction) * (p - kCentre)); });
}

}  // namespace osteon::scenes
