#pragma once

// Solids whose surface is known, blurred as a scanner blurs them, and what the plugin makes of them.

#include "host/handles.hpp"
#include "host/registry.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <numbers>
#include <string>

namespace osteon::test {

using Given = std::map<std::string, ParameterValue>;

inline Mesh extract(const Volume& volume, const Given& given = {}, const at::Tensor& labels = {}) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const auto& plugin = registry.find("surface", "isosurface");
  return host::SurfaceHandle(plugin, Parameters(plugin.schema, given)).extract(volume, labels);
}

/// What the plugin says when it refuses; "" when it doesn't.
inline std::string refusal(const Volume& volume, const Given& given = {}, const at::Tensor& labels = {}) {
  try {
    (void)extract(volume, given, labels);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

/// The middle of `tilted_grid`.
inline const Vec3 kMiddle{-31.7, 12.3, 480.9};

/// Tilted, of three different spacings.
inline Grid tilted_grid(std::array<std::int64_t, 3> size = {72, 64, 50}) {
  Grid grid;
  grid.size = size;
  grid.spacing = {0.5, 0.6, 0.8};
  grid.direction = rotation(normalised({1, 2, 3}), 0.4) * rotation({1, 0, 0}, -0.2);
  grid.origin = kMiddle - (grid.centre() - grid.origin);
  return grid.canonical();
}

/// Soft tissue outside, bone inside, 346 HU on the surface; `distance` is signed, mm, above 0 outside.
template <class Distance>
Volume blurred(const Grid& grid, Distance distance) {
  Volume volume{at::empty({grid.size[2], grid.size[1], grid.size[0]}, at::kShort), grid};
  auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  for (std::int64_t k = 0; k < grid.size[2]; ++k)
    for (std::int64_t j = 0; j < grid.size[1]; ++j)
      for (std::int64_t i = 0; i < grid.size[0]; ++i) {
        const Vec3 p = grid.to_patient({static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)});
        *voxel++ = static_cast<std::int16_t>(std::lround(346 - 500 * std::tanh(distance(p) / 0.7)));
      }
  return volume;
}

inline auto ball(Vec3 middle, double radius) {
  return [=](Vec3 p) { return norm(p - middle) - radius; };
}

inline double sphere_volume(double radius) { return 4.0 / 3 * std::numbers::pi * radius * radius * radius; }

inline Vec3 vertex(const Mesh& mesh, std::int64_t v) {
  const auto* p = mesh.vertices.data_ptr<float>() + 3 * v;
  return {p[0], p[1], p[2]};
}

}  // namespace osteon::test
