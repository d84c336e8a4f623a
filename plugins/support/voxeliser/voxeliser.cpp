#include "voxeliser.hpp"

#include "smooth_field.hpp"
#include "surface_distance.hpp"
#include "thigh.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

namespace osteon::voxeliser {

std::vector<Parameter> parameters(std::string spacing_sentence) {
  return {
      Parameter::real("spacing", 0, std::move(spacing_sentence)).unit("mm").at_least(0).at_most(10),
      Parameter::real("blur", 0.5,
                      "Scanner blur: standard deviation of a Gaussian, in voxels; each acquisition's own "
                      "within 20 % of it.")
          .unit("voxels")
          .at_least(0)
          .at_most(3),
      Parameter::real("noise", 15, "Scanner noise, standard deviation; each acquisition's own within 30 % of it.")
          .unit("HU")
          .at_least(0)
          .at_most(500),
      Parameter::real("surface_error", 0.4,
                      "Smooth error of the surface in each acquisition, standard deviation on a human femur; smaller "
                      "bones have less in proportion.")
          .unit("mm")
          .at_least(0)
          .at_most(3),
      Parameter::real("tilt", 10, "Largest tilt of the patient's bone and of the grid, each anew in each acquisition.")
          .unit("degrees")
          .at_least(0)
          .at_most(30)};
}

Settings read_settings(const Parameters& parameters, std::uint64_t seed, double scale, double standard_spacing) {
  Settings settings;
  settings.seed = seed;
  settings.scale = scale;
  settings.spacing = parameters.real("spacing") > 0 ? parameters.real("spacing") : standard_spacing;
  settings.blur = parameters.real("blur");
  settings.noise = parameters.real("noise");
  settings.surface_error = parameters.real("surface_error");
  settings.tilt = parameters.real("tilt");
  return settings;
}

Tissue draw_tissue(const Settings& settings, std::uint64_t bone) {
  Random random(settings.seed, "bone tissue", bone);
  const auto draw = [&](double mean, double deviation, double low, double high) {
    return std::clamp(random.normal(mean, deviation), low, high);
  };
  Tissue tissue{};
  tissue.cortical = draw(1550, 120, 1200, 1900);
  tissue.shaft_thickness = settings.scale * draw(6.0, 0.9, 4, 8);
  tissue.end_thickness = settings.scale * draw(1.5, 0.25, 0.9, 2.2);
  tissue.thickest_at = draw(0.52, 0.04, 0.4, 0.6);
  tissue.trabecular = draw(300, 70, 150, 500);
  tissue.marrow = draw(0, 30, -50, 50);
  return tissue;
}

namespace {

/// What one acquisition draws for itself.
struct Scan {
  Affine pose;     ///< of the bone
  Mat3 direction;  ///< of the grid
  Vec3 spacing;
  Vec3 first_voxel;  ///< offset of the grid, in voxels
  double blur, noise, gain, surface_error;
};

std::uint64_t stream(std::uint64_t bone, int acquisition) {
  return bone * 1024 + static_cast<std::uint64_t>(acquisition);
}

Mat3 small_rotation(Random& random, double tilt) {
  // The long axis tilts by at most half of it on each side, so that patient and grid together stay within it.
  const double lean = radians(tilt) / 2, turn = radians(tilt);
  const double x = random.uniform(-lean, lean), y = random.uniform(-lean, lean), z = random.uniform(-turn, turn);
  return rotation({1, 0, 0}, x) * rotation({0, 1, 0}, y) * rotation({0, 0, 1}, z);
}

Scan draw_scan(const Settings& settings, const Mesh& mesh, std::uint64_t bone, int acquisition) {
  Random random(settings.seed, "scan", stream(bone, acquisition));
  Scan scan{};
  const Box box = bounding_box(mesh);
  const Vec3 centre = (box.low + box.high) * 0.5;
  const Mat3 turn = small_rotation(random, settings.tilt);
  const double place = 15 * settings.scale;
  const Vec3 moved{random.uniform(-place, place), random.uniform(-place, place), random.uniform(-place, place)};
  scan.pose = {turn, centre + moved - turn * centre};
  scan.direction = small_rotation(random, settings.tilt);
  const double in_plane = settings.spacing * random.uniform(0.9, 1.1);
  scan.spacing = {in_plane, in_plane, settings.spacing * random.uniform(0.9, 1.1)};
  scan.first_voxel = {random.uniform(), random.uniform(), random.uniform()};
  scan.blur = settings.blur * random.uniform(0.8, 1.2);
  scan.noise = settings.noise * random.uniform(0.7, 1.3);
  scan.gain = random.uniform(0.97, 1.03);
  scan.surface_error = settings.surface_error * settings.scale * random.uniform(0.75, 1.25);
  return scan;
}

/// The grid that holds the bone and the thigh.
Grid make_grid(const Scan& scan, const Mesh& bone, const Thigh& thigh) {
  const Mat3 to_grid = transposed(scan.direction);
  Vec3 low{1e30, 1e30, 1e30}, high{-1e30, -1e30, -1e30};
  const auto include = [&](Vec3 point, Vec3 margin) {
    const Vec3 q = to_grid * point;
    for (int axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], q[axis] - margin[axis]);
      high[axis] = std::max(high[axis], q[axis] + margin[axis]);
    }
  };
  const auto* p = bone.vertices.data_ptr<float>();
  const double least = 4 * std::max(scan.spacing.x, scan.spacing.z);
  for (std::int64_t i = 0; i < bone.vertices.size(0); ++i)
    include({p[3 * i], p[3 * i + 1], p[3 * i + 2]}, {least, least, least});
  const double skin = thigh.radius() + 2 * scan.spacing.x;
  for (const double end : {-1.0, 1.0})
    include(thigh.centre() + thigh.axis() * (end * thigh.half_length()), {skin, skin, 0});

  Grid grid;
  grid.spacing = scan.spacing;
  grid.direction = scan.direction;
  Vec3 first;
  for (int axis = 0; axis < 3; ++axis) {
    first[axis] = low[axis] - scan.first_voxel[axis] * scan.spacing[axis];
    grid.size[static_cast<std::size_t>(axis)] =
        static_cast<std::int64_t>(std::ceil((high[axis] - first[axis]) / scan.spacing[axis])) + 1;
  }
  grid.origin = scan.direction * first;
  const double voxels =
      static_cast<double>(grid.size[0]) * static_cast<double>(grid.size[1]) * static_cast<double>(grid.size[2]);
  if (voxels > 2e8)
    throw Error(text("a volume of this bone would have ", grid.size[0], " × ", grid.size[1], " × ", grid.size[2],
                     " voxels, more than 200 million; choose a larger spacing than ", scan.spacing.x, " mm"));
  return grid.canonical();
}

/// Share of a voxel of `width` mm that lies on the negative side of a surface at signed distance `d`.
float share(float d, float width) { return std::clamp(0.5F - d / width, 0.0F, 1.0F); }

float smooth_step(float low, float high, float x) {
  const float t = std::clamp((x - low) / (high - low), 0.0F, 1.0F);
  return t * t * (3 - 2 * t);
}

/// Fills one bone: HU as a function of depth below the surface and height along it.
class Filling {
 public:
  Filling(const Tissue& tissue, const Settings& settings, std::uint64_t bone)
      : tissue_(tissue), scale_(static_cast<float>(settings.scale)), texture_(make_texture(settings, bone)) {}

  /// Thickness of the cortex at `height` (0 distal … 1 proximal).
  [[nodiscard]] float thickness(float height) const {
    const auto end = static_cast<float>(tissue_.end_thickness), shaft = static_cast<float>(tissue_.shaft_thickness);
    const auto peak = static_cast<float>(tissue_.thickest_at);
    const float away = std::abs(height - peak) / (height < peak ? peak : 1 - peak);
    return end + (shaft - end) * smooth_step(0.92F, 0.12F, away);
  }

  /// HU below the cortex.
  [[nodiscard]] float inner(float height, float below, Vec3 bone_point) const {
    const float ends = smooth_step(0.32F, 0.16F, height) + smooth_step(0.70F, 0.86F, height);
    if (ends <= 0) return static_cast<float>(tissue_.marrow);
    const float dense = 0.8F + 0.4F * std::exp(-std::max(below, 0.0F) / (6 * scale_));
    const float grain = 1 + static_cast<float>(texture_(bone_point));
    const float trabecular = std::clamp(static_cast<float>(tissue_.trabecular) * dense * grain, 150.0F, 500.0F);
    return static_cast<float>(tissue_.marrow) * (1 - ends) + trabecular * ends;
  }

  [[nodiscard]] float cortical() const { return static_cast<float>(tissue_.cortical); }
  [[nodiscard]] float deepest() const { return static_cast<float>(tissue_.shaft_thickness); }

 private:
  static SmoothField make_texture(const Settings& settings, std::uint64_t bone) {
    Random random(settings.seed, "trabecular texture", bone);
    return {random, 0.15, 8 * settings.scale, 30 * settings.scale, 12};
  }

  Tissue tissue_;
  float scale_;
  SmoothField texture_;
};

/// All that a voxel's value depends on.
struct Scene {
  const Grid& grid;
  const SurfaceDistance& surface;
  const Thigh& thigh;
  const Filling& filling;
  const SmoothField& error;
  Affine to_bone;  ///< patient → the mesh's own coordinates, where the texture is fixed
  float width, gap, error_reach;
};

/// Muscle, fat and air at a distance from the thigh's axis.
float soft_tissue(const Scene& scene, float from_axis) {
  const auto skin = from_axis - static_cast<float>(scene.thigh.radius());
  const auto muscle = from_axis - static_cast<float>(scene.thigh.muscle_radius());
  return -1000 + share(skin, scene.width) * static_cast<float>(scene.thigh.fat() + 1000) +
         share(muscle, scene.width) * static_cast<float>(scene.thigh.muscle() - scene.thigh.fat());
}

/// The part of a neighbouring bone that lies in the muscle.
float with_neighbour(const Scene& scene, float value, Vec3 point, float signed_distance, float from_axis) {
  const float beneath_fat = from_axis - static_cast<float>(scene.thigh.muscle_radius());
  const float d = std::max(scene.thigh.neighbour(point, signed_distance), beneath_fat);
  const float bone = share(d, scene.width), inside = share(d + static_cast<float>(scene.thigh.shell()), scene.width);
  return value + bone * (1300 - value) + inside * (280 - 1300);
}

float with_bone(const Scene& scene, float value, Vec3 point, float signed_distance, double height_above_centre) {
  const float w = scene.width;
  const Landmarks& m = scene.thigh.landmarks();
  const auto height = static_cast<float>((height_above_centre - m.low) / (m.high - m.low));
  const float thickness = scene.filling.thickness(height);
  float d = signed_distance;
  if (d > -thickness - w - scene.error_reach) d += static_cast<float>(scene.error(point));
  const float bone = share(d, w), inside = share(d + thickness, w);
  value += bone * (scene.filling.cortical() - value);
  if (inside > 0)
    value += inside * (scene.filling.inner(height, -d - thickness, scene.to_bone * point) - scene.filling.cortical());
  return value;
}

/// HU of one row of voxels.
void fill_row(const Scene& scene, Vec3 start, Vec3 step, std::span<float> distance, std::span<float> out) {
  const Landmarks& m = scene.thigh.landmarks();
  const Vec3 d = start - m.centre;
  const double rise = dot(d, m.along), slope = dot(step, m.along);
  const double top = rise + slope * static_cast<double>(out.size() - 1);
  const bool neighbours = scene.thigh.has_neighbours(std::min(rise, top), std::max(rise, top));
  const float near = scene.width + scene.error_reach;
  const float depth = scene.filling.deepest() + 2 * scene.width + scene.error_reach;
  scene.surface.along_row(start, step, depth, neighbours ? scene.gap + 2 * scene.width + near : near, distance);
  // Squared distance from the thigh's axis, a quadratic along the row.
  const Vec3 from_centre = start - scene.thigh.centre();
  const double along = dot(from_centre, scene.thigh.axis()), step_along = dot(step, scene.thigh.axis());
  const double square0 = dot(from_centre, from_centre) - along * along,
               square1 = 2 * (dot(from_centre, step) - along * step_along),
               square2 = dot(step, step) - step_along * step_along;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto n = static_cast<double>(i);
    const auto from_axis = static_cast<float>(std::sqrt(std::max(square0 + n * (square1 + n * square2), 0.0)));
    float value = soft_tissue(scene, from_axis);
    const Vec3 point = start + step * n;
    if (neighbours && distance[i] > 0) value = with_neighbour(scene, value, point, distance[i], from_axis);
    if (distance[i] < near) value = with_bone(scene, value, point, distance[i], rise + slope * n);
    out[i] = value;
  }
}

std::vector<float> fill(const Scene& scene) {
  const auto& size = scene.grid.size;
  const auto length = static_cast<std::size_t>(size[0]);
  std::vector<float> values(static_cast<std::size_t>(size[0] * size[1] * size[2]));
  const Vec3 step = scene.grid.to_patient({1, 0, 0}) - scene.grid.to_patient({0, 0, 0});
  parallel_for(0, size[2], 1, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> distance(length);
    for (std::int64_t k = first; k < last; ++k)
      for (std::int64_t j = 0; j < size[1]; ++j)
        fill_row(scene, scene.grid.to_patient({0, static_cast<double>(j), static_cast<double>(k)}), step, distance,
                 {values.data() + (k * size[1] + j) * size[0], length});
  });
  return values;
}

/// Gaussian blur along one axis, edges continued. `stride`: of the axis; rows of `run` values are contiguous.
void blur_axis(std::vector<float>& values, const std::array<std::int64_t, 3>& size, int axis, double deviation) {
  const auto radius = static_cast<std::int64_t>(std::ceil(3 * deviation));
  if (radius == 0) return;
  std::vector<float> kernel(static_cast<std::size_t>(2 * radius + 1));
  float sum = 0;
  for (std::int64_t r = -radius; r <= radius; ++r) {
    const double x = static_cast<double>(r) / deviation;
    sum += kernel[static_cast<std::size_t>(r + radius)] = static_cast<float>(std::exp(-x * x / 2));
  }
  for (float& weight : kernel) weight /= sum;
  // Lines across the axis: for i a line is one row; for j and k whole rows are added up, which the compiler vectorises.
  const std::int64_t stride = axis == 0 ? 1 : axis == 1 ? size[0] : size[0] * size[1];
  const std::int64_t length = size[static_cast<std::size_t>(axis)];
  const std::int64_t run = axis == 0 ? 1 : size[0];
  const std::int64_t lines = static_cast<std::int64_t>(values.size()) / (length * run);
  parallel_for(0, lines, 8, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> line(static_cast<std::size_t>(length * run));
    for (std::int64_t l = first; l < last; ++l) {
      float* base = values.data() + (axis == 0 ? l * length : axis == 1 ? l * size[0] * size[1] : l * size[0]);
      std::fill(line.begin(), line.end(), 0.0F);
      for (std::int64_t r = -radius; r <= radius; ++r) {
        const float weight = kernel[static_cast<std::size_t>(r + radius)];
        for (std::int64_t n = 0; n < length; ++n) {
          const float* from = base + std::clamp<std::int64_t>(n + r, 0, length - 1) * stride;
          float* to = line.data() + n * run;
          for (std::int64_t i = 0; i < run; ++i) to[i] += weight * from[i];
        }
      }
      for (std::int64_t n = 0; n < length; ++n)
        std::memcpy(base + n * stride, line.data() + n * run, static_cast<std::size_t>(run) * sizeof(float));
    }
  });
}

/// Gain above water (a scanner is calibrated on air and water; dense tissue depends on its spectrum), noise, rounding.
at::Tensor read_out(const std::vector<float>& values, const Grid& grid, const Scan& scan, const Settings& settings,
                    std::uint64_t name) {
  at::Tensor hounsfield = at::empty({grid.size[2], grid.size[1], grid.size[0]}, at::kShort);
  auto* out = hounsfield.data_ptr<std::int16_t>();
  const std::int64_t slice = grid.size[0] * grid.size[1];
  // The sum of four uniform bytes is nearly normal, mean 510, variance 4 (256² - 1) / 12.
  const auto unit = static_cast<float>(scan.noise / std::sqrt(4 * (256.0 * 256 - 1) / 12)),
             gain = static_cast<float>(scan.gain);
  parallel_for(0, grid.size[2], 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t k = first; k < last; ++k) {
      Random random(settings.seed, "scanner noise", name * 4096 + static_cast<std::uint64_t>(k));
      for (std::int64_t i = k * slice; i < (k + 1) * slice; ++i) {
        const std::uint32_t bits = random.bits();
        const auto bytes = static_cast<float>((bits & 255) + (bits >> 8 & 255) + (bits >> 16 & 255) + (bits >> 24));
        const float value = values[static_cast<std::size_t>(i)];
        const float read = (value > 0 ? value * gain : value) + (bytes - 510) * unit;
        out[i] = static_cast<std::int16_t>(std::lround(std::clamp(read, -1024.0F, 3071.0F)));
      }
    }
  });
  return hounsfield;
}

}  // namespace

Acquisition voxelise(const Mesh& mesh, const Settings& settings, std::uint64_t bone, int acquisition) {
  const Scan scan = draw_scan(settings, mesh, bone, acquisition);
  const std::uint64_t name = stream(bone, acquisition);
  const Mesh posed = transformed(mesh, scan.pose);
  const double coarsest = std::max(scan.spacing.x, scan.spacing.z);
  // Wide enough that the blurred joint space stays below the iso-value for more than 1.5 voxels.
  const double gap = std::max(4 * settings.scale, (2 + 3 * scan.blur) * coarsest);
  Random surroundings(settings.seed, "thigh", name), bumps(settings.seed, "surface error", name);
  const Thigh thigh(find_landmarks(posed), settings.scale, gap, surroundings);
  const SmoothField error(bumps, scan.surface_error, 25 * settings.scale, 90 * settings.scale);
  const Grid grid = make_grid(scan, posed, thigh);
  const SurfaceDistance surface(posed);
  const Filling filling(draw_tissue(settings, bone), settings, bone);
  const Mat3 back = transposed(scan.pose.linear);
  const auto width = static_cast<float>((2 * scan.spacing.x + scan.spacing.z) / 3);
  const Scene scene{grid,
                    surface,
                    thigh,
                    filling,
                    error,
                    {back, -(back * scan.pose.offset)},
                    width,
                    static_cast<float>(gap),
                    static_cast<float>(4 * scan.surface_error)};
  std::vector<float> values = fill(scene);
  for (int axis = 0; axis < 3; ++axis) blur_axis(values, grid.size, axis, scan.blur);
  return {{read_out(values, grid, scan, settings, name), grid}, posed};
}

at::Tensor coverage(const Mesh& mesh, const Grid& grid) {
  grid.check();
  const SurfaceDistance surface(mesh);
  at::Tensor result = at::empty({grid.size[2], grid.size[1], grid.size[0]}, at::kFloat);
  auto* out = result.data_ptr<float>();
  const Vec3 step = grid.to_patient({1, 0, 0}) - grid.to_patient({0, 0, 0});
  const auto width = static_cast<float>((grid.spacing.x + grid.spacing.y + grid.spacing.z) / 3);
  parallel_for(0, grid.size[2], 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t k = first; k < last; ++k)
      for (std::int64_t j = 0; j < grid.size[1]; ++j) {
        float* row = out + (k * grid.size[1] + j) * grid.size[0];
        surface.along_row(grid.to_patient({0, static_cast<double>(j), static_cast<double>(k)}), step, width, width,
                          {row, static_cast<std::size_t>(grid.size[0])});
        for (std::int64_t i = 0; i < grid.size[0]; ++i) row[i] = share(row[i], width);
      }
  });
  return result;
}

}  // namespace osteon::voxeliser
