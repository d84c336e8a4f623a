// What is done to the volume: a thin shaft, a proximal end that is broken off, an implant.

#include "imaging/perturb.hpp"

#include "imaging/implant.hpp"
#include "imaging/shaft.hpp"

#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

namespace osteon::imaging {

namespace {

/// How much of the thinning a height has: all of it in the middle, falling smoothly to none over the fifths at the
/// ends.
double narrowing(double height, double from, double to) {
  const double t = std::clamp(std::min(height - from, to - height) / (0.2 * (to - from)), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

/// Each cross-section shrinks about its centroid, cortex and marrow alike, and what surrounds the bone fills the room.
void thin_shaft(Volume& volume, const Mask& near, const Shaft& shaft, const Parameters& perturb) {
  const double strength = perturb.real("thin_shaft") / 100;
  const double from = shaft.heights().mm(perturb.real("thin_shaft_from"));
  const double to = shaft.heights().mm(perturb.real("thin_shaft_to"));
  const std::int16_t filler = surroundings(volume, near, shaft, from, to);
  const at::Tensor healthy = volume.hounsfield.clone();
  const auto* before = healthy.data_ptr<std::int16_t>();
  auto* now = volume.hounsfield.data_ptr<std::int16_t>();
  for_each_voxel(near, volume.grid, [&](std::size_t n, Vec3 point) {
    const Vec3 own = shaft.own(point);
    const double kept = 1 - strength * narrowing(own.z, from, to);
    if (own.z < from || own.z > to || kept == 1) return;
    const Vec3 centre = shaft.centre(own.z);
    const std::int64_t taken =
        voxel_at(volume.grid, volume.grid.to_index(shaft.patient(centre + (own - centre) * (1 / kept))));
    const bool is_near = taken >= 0 && near[static_cast<std::size_t>(taken)] != 0;
    now[n] = is_near ? before[taken] : filler;
  });
}

/// How a broken end lies: x ↦ pivot + turn · (x - pivot) + shift.
struct Break {
  double plane;  ///< height, mm
  Vec3 pivot, shift;
  Mat3 turn;

  Break(const Shaft& shaft, const BoneFrame& frame, const Parameters& perturb)
      : plane(shaft.heights().mm(perturb.real("broken_end_height"))), pivot(shaft.patient(shaft.centre(plane))) {
    const double towards = radians(perturb.real("broken_end_towards"));
    const Vec3 direction = frame.medial * std::cos(towards) + frame.anterior * std::sin(towards);
    turn = rotation(cross(frame.proximal, direction), radians(perturb.real("broken_end")));
    shift = direction * perturb.real("broken_end_shift");
  }
  [[nodiscard]] Vec3 now(Vec3 before) const { return pivot + turn * (before - pivot) + shift; }
  [[nodiscard]] Vec3 before(Vec3 now) const { return pivot + transposed(turn) * (now - pivot - shift); }
};

/// Index ranges.
struct Region {
  Vec3 low{1e9, 1e9, 1e9}, high{-1e9, -1e9, -1e9};

  void add(Vec3 p) {
    for (int axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], p[axis]);
      high[axis] = std::max(high[axis], p[axis]);
    }
  }
};

/// Where the end comes to lie, with the blur around it, in voxels.
Region region_of(const Break& broken, const Mesh& bone, const Shaft& shaft, const Grid& grid) {
  const auto* v = bone.vertices.data_ptr<float>();
  Region region;
  for (std::int64_t i = 0; i < bone.vertices.size(0); ++i) {
    const Vec3 p{v[3 * i], v[3 * i + 1], v[3 * i + 2]};
    // A mesh has no vertices on the plane of the break itself: those a little below it stand for them.
    if (shaft.own(p).z >= broken.plane - 10) region.add(grid.to_index(broken.now(p)));
  }
  region.add(grid.to_index(broken.now(broken.pivot)));
  for (int axis = 0; axis < 3; ++axis) {
    const double room = std::ceil(kBlurMargin / grid.spacing[axis]) + 1;
    region.low[axis] = std::floor(region.low[axis]) - room;
    region.high[axis] = std::ceil(region.high[axis]) + room;
  }
  return region;
}

/// The volume in a grid that also holds the region; what is new is air.
Volume with_room(const Volume& volume, const Region& region) {
  std::array<std::int64_t, 3> before{}, size{};
  Volume result{{}, volume.grid};
  for (std::size_t a = 0; a < 3; ++a) {
    const int axis = static_cast<int>(a);
    before[a] = std::max<std::int64_t>(0, -static_cast<std::int64_t>(region.low[axis]));
    size[a] = before[a] + std::max(volume.grid.size[a], static_cast<std::int64_t>(region.high[axis]) + 1);
  }
  result.grid.origin = volume.grid.to_patient(
      {-static_cast<double>(before[0]), -static_cast<double>(before[1]), -static_cast<double>(before[2])});
  result.grid.size = size;
  result.hounsfield = at::full({size[2], size[1], size[0]}, -1000, at::kShort);
  result.hounsfield.narrow(0, before[2], volume.grid.size[2])
      .narrow(1, before[1], volume.grid.size[1])
      .narrow(2, before[0], volume.grid.size[0])
      .copy_(volume.hounsfield);
  return result;
}

/// Between the voxels around an index; the nearest ones at the edge.
double trilinear(const Volume& volume, Vec3 index) {
  const auto* voxels = volume.hounsfield.data_ptr<std::int16_t>();
  std::array<std::int64_t, 3> low{}, high{};
  Vec3 share;
  for (int axis = 0; axis < 3; ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    const std::int64_t last = volume.grid.size[a] - 1;
    const double at = std::clamp(index[axis], 0.0, static_cast<double>(last));
    low[a] = static_cast<std::int64_t>(at);
    high[a] = std::min(low[a] + 1, last);
    share[axis] = at - static_cast<double>(low[a]);
  }
  double sum = 0;
  for (int corner = 0; corner < 8; ++corner) {
    double weight = 1;
    std::array<std::int64_t, 3> at{};
    for (int axis = 0; axis < 3; ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      const bool upper = ((corner >> axis) & 1) != 0;
      weight *= upper ? share[axis] : 1 - share[axis];
      at[a] = upper ? high[a] : low[a];
    }
    sum += weight * voxels[(at[2] * volume.grid.size[1] + at[1]) * volume.grid.size[0] + at[0]];
  }
  return sum;
}

/// Puts the end where it comes to lie. Inside what remains of the shaft, and in the blur around the end, the denser of
/// both shows.
void place_end(Volume& result, const Volume& healthy, const Mask& solid, const Mask& near, const Shaft& shaft,
               const Break& broken, const Region& region) {
  const Grid& grid = result.grid;
  auto* voxels = result.hounsfield.data_ptr<std::int16_t>();
  const auto first = [&](int axis) { return std::max<std::int64_t>(0, static_cast<std::int64_t>(region.low[axis])); };
  const auto last = [&](int axis) {
    return std::min(grid.size[static_cast<std::size_t>(axis)] - 1, static_cast<std::int64_t>(region.high[axis]));
  };
  for (auto k = first(2); k <= last(2); ++k)
    for (auto j = first(1); j <= last(1); ++j)
      for (auto i = first(0); i <= last(0); ++i) {
        const Vec3 here = grid.to_patient({static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)});
        const Vec3 before = broken.before(here);
        if (shaft.own(before).z < broken.plane) continue;
        const Vec3 index = grid.to_index(before);
        const std::int64_t from = voxel_at(grid, index);
        if (from < 0 || near[static_cast<std::size_t>(from)] == 0) continue;
        const auto n = static_cast<std::size_t>((k * grid.size[1] + j) * grid.size[0] + i);
        const auto value = static_cast<std::int16_t>(std::lround(trilinear(healthy, index)));
        const bool remains = solid[n] != 0 && shaft.own(here).z < broken.plane;
        const bool is_bone = solid[static_cast<std::size_t>(from)] != 0;
        voxels[n] = is_bone && !remains ? value : std::max(voxels[n], value);
      }
}

/// The end is bone alone: flesh stays where it is, and fills what the end left.
Volume with_broken_end(const Volume& volume, const Mesh& bone, const Shaft& shaft, const Break& broken) {
  const Volume healthy = with_room(volume, region_of(broken, bone, shaft, volume.grid));
  const Region region = region_of(broken, bone, shaft, healthy.grid);
  const Mask solid = voxels_inside(bone, healthy.grid), near = within(solid, healthy.grid, kBlurMargin);
  const Heights& heights = shaft.heights();
  const std::int16_t filler = surroundings(healthy, near, shaft, broken.plane, heights.mm(100));
  Volume result{healthy.hounsfield.clone(), healthy.grid};
  auto* voxels = result.hounsfield.data_ptr<std::int16_t>();
  for_each_voxel(near, result.grid, [&](std::size_t n, Vec3 point) {
    if (shaft.own(point).z >= broken.plane && (solid[n] != 0 || voxels[n] > filler)) voxels[n] = filler;
  });
  place_end(result, healthy, solid, near, shaft, broken, region);
  return result;
}

}  // namespace

Volume perturbed(const Volume& volume, const Mesh& bone, const BoneFrame& frame, const Parameters& perturb) {
  const bool thin = perturb.real("thin_shaft") > 0 && perturb.text("thin_shaft_on") == "volume";
  const bool is_broken = (perturb.real("broken_end") > 0 || perturb.real("broken_end_shift") > 0) &&
                         perturb.text("broken_end_on") == "volume";
  const bool has_implant = perturb.real("implant_diameter") > 0;
  if (!thin && !is_broken && !has_implant) return volume;
  volume.check();
  const Mask solid = voxels_inside(bone, volume.grid);
  const Shaft shaft(solid, volume.grid, bone, frame);
  Volume result{volume.hounsfield.clone(), volume.grid};
  if (thin) thin_shaft(result, within(solid, volume.grid, kBlurMargin), shaft, perturb);
  if (is_broken) result = with_broken_end(result, bone, shaft, Break(shaft, frame, perturb));
  if (has_implant) put_implant(result, Implant(solid, volume.grid, shaft, frame, perturb), shaft);
  return result;
}

std::vector<Pose> with_view_error(std::span<const Pose> told, const Parameters& perturb, std::uint64_t stream) {
  std::vector<Pose> taken(told.begin(), told.end());
  const double most = perturb.real("view_error");
  if (most == 0) return taken;
  Random random(0, "view errors", stream);
  for (Pose& pose : taken) {
    pose.axial += random.uniform(-most, most);
    pose.tilt += random.uniform(-most, most);
    pose.in_plane += random.uniform(-most, most);
  }
  return taken;
}

}  // namespace osteon::imaging
