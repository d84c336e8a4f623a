#include "bench/inputs.hpp"

#include "imaging/silhouette.hpp"
#include "imaging/views.hpp"

#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

namespace osteon::bench {

namespace {

constexpr std::int64_t kEmbedding = 128, kXRayRows = 128, kPairsOfABone = 2;
constexpr int kGalleryRings = 32;  ///< surfaces of 2,000 triangles: how shapes vary is learnt from them in seconds

at::Tensor normal_rows(std::int64_t n, std::int64_t d, const char* purpose, std::uint64_t seed) {
  at::Tensor rows = at::empty({n, d}, at::kFloat);
  auto* data = rows.data_ptr<float>();
  parallel_for(0, n, 64, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      Random random(seed, purpose, static_cast<std::uint64_t>(i));
      for (std::int64_t j = 0; j < d; ++j) data[i * d + j] = static_cast<float>(random.normal());
    }
  });
  return rows;
}

Parameters bench_views() { return {imaging::views_schema(), {{"height", kXRayRows}, {"field_of_view", 520.0}}}; }

imaging::BoneFrame femur_frame() { return {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, 400}; }

PairExposures posed_pair(const imaging::Pose& pose) {
  const Parameters views = bench_views();
  const auto exposed = [&](Plane plane) {
    const imaging::BoneFrame frame = femur_frame();
    return imaging::in_bone_frame(imaging::projection(frame, plane, pose, views), frame);
  };
  return {exposed(Plane::ap), exposed(Plane::ml)};
}

PairExposures told_pair() {
  const Parameters views = bench_views();
  const double spacing = imaging::pixel_spacing(femur_frame(), views);
  return {imaging::told_projection(Plane::ap, spacing, views), imaging::told_projection(Plane::ml, spacing, views)};
}

at::Tensor shadows(const Mesh& bone, const PairExposures& pair) {
  return at::cat({imaging::silhouette(bone, pair.ap, false), imaging::silhouette(bone, pair.ml, false)}, 1) * 200;
}

/// What a grey value stands for, in the shadows.
at::Tensor grey_values() { return at::arange(256, at::kFloat) / 255; }

}  // namespace

at::Tensor unit_rows(std::int64_t n, std::int64_t d, std::uint64_t seed) {
  const at::Tensor rows = normal_rows(n, d, "bench: rows", seed);
  return rows / rows.norm(2, {1}, true);
}

at::Tensor embeddings_of(const at::Tensor& labels, std::int64_t d) {
  const at::Tensor centres = unit_rows(labels.max().item<std::int64_t>() + 1, d, 1);
  const at::Tensor rows = centres.index_select(0, labels) + 1.5 * unit_rows(labels.numel(), d, 2);
  return (rows / rows.norm(2, {1}, true)).contiguous();
}

Volume bone_in_tissue(std::int64_t side) {
  const double spacing = 128.0 / static_cast<double>(side), first = spacing / 2 - 64;
  Volume volume{at::empty({side, side, side}, at::kShort), {}};
  volume.grid.size = {side, side, side};
  volume.grid.spacing = {spacing, spacing, spacing};
  volume.grid.origin = {first, first, first};
  auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  const auto place = [&](std::int64_t index) { return first + spacing * static_cast<double>(index); };
  parallel_for(0, side, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t k = begin; k < end; ++k)
      for (std::int64_t j = 0; j < side; ++j)
        for (std::int64_t i = 0; i < side; ++i) {
          const double x = place(i), y = place(j), z = place(k), around = std::hypot(x, y);
          const double depth = 1 - std::hypot(around / 16, z / 54);  // above 0 in the bone
          const int hounsfield = around > 52 ? -1000 : depth < 0 ? 40 : depth < 0.25 ? 1400 : 600;
          voxel[(k * side + j) * side + i] = static_cast<std::int16_t>(hounsfield);
        }
  });
  return volume;
}

std::vector<Projection> two_exposures(std::int64_t side) {
  const auto exposure = [&](Vec3 beam, Vec3 right) {
    const double pitch = 2 * 140.0 / static_cast<double>(side), middle = (static_cast<double>(side) - 1) / 2;
    Projection p;
    p.source = beam * -900;
    p.direction = beam;
    p.rows = p.columns = side;
    p.column_step = right * pitch;
    p.row_step = {0, 0, -pitch};
    p.first_pixel = beam * 900 - (p.column_step + p.row_step) * middle;
    return p;
  };
  return {exposure({0, 1, 0}, {1, 0, 0}), exposure({1, 0, 0}, {0, -1, 0})};
}

Mesh femur(std::int64_t number, int rings) {
  Random random(1, "bench: femurs", static_cast<std::uint64_t>(number));
  const double half = 200 + 10 * random.normal(), girth = 1 + 0.08 * random.normal();
  const int around = rings;
  std::vector<float> points;
  std::vector<std::int32_t> corners;
  for (int r = 0; r <= rings; ++r) {
    const bool is_end = r == 0 || r == rings;
    for (int s = 0; s < (is_end ? 1 : around); ++s) {
      const double polar = std::numbers::pi * r / rings, angle = 2 * std::numbers::pi * s / around;
      const double z = std::cos(polar), width = is_end ? 0 : std::sqrt(std::sin(polar));
      const double head = std::exp(-std::pow((z - 0.9) / 0.1, 2)), knee = std::exp(-std::pow((z + 0.9) / 0.12, 2));
      const double radius = width * (13 + 8 * head + 12 * knee) * girth;
      for (const double x :
           {radius * std::cos(angle) + 25 * head, radius * 0.8 * std::sin(angle) - 12 * knee, half * z})
        points.push_back(static_cast<float>(x));
    }
  }
  const auto at = [&](int r, int s) {
    return r == 0 ? 0 : r == rings ? 1 + (rings - 1) * around : 1 + (r - 1) * around + s % around;
  };
  for (int r = 0; r < rings; ++r)
    for (int s = 0; s < around; ++s) {
      if (r > 0) corners.insert(corners.end(), {at(r, s), at(r + 1, s), at(r, s + 1)});
      if (r + 1 < rings) corners.insert(corners.end(), {at(r, s + 1), at(r + 1, s), at(r + 1, s + 1)});
    }
  return {at::tensor(points, at::kFloat).view({-1, 3}), at::tensor(corners, at::kInt).view({-1, 3})};
}

ShapeGallery shape_gallery(std::int64_t bones) {
  ShapeGallery gallery;
  std::vector<at::Tensor> images;
  for (std::int64_t bone = 0; bone < bones; ++bone) {
    gallery.meshes.push_back(femur(bone, kGalleryRings));
    gallery.person.push_back(bone / 2);
    for (std::int64_t pair = 0; pair < kPairsOfABone; ++pair) {
      Random random(1, "bench: poses", static_cast<std::uint64_t>(bone * kPairsOfABone + pair));
      imaging::Pose pose;
      pose.axial = random.uniform(-5, 5);
      pose.in_plane = random.uniform(-5, 5);
      gallery.exposures.push_back(posed_pair(pose));
      gallery.told.push_back(told_pair());
      images.push_back(shadows(gallery.meshes.back(), gallery.exposures.back()));
    }
  }
  gallery.images = at::stack(images).to(at::kByte).contiguous();
  gallery.bone = at::arange(bones, at::kLong).repeat_interleave(kPairsOfABone);
  gallery.embeddings = embeddings_of(gallery.bone, kEmbedding);
  gallery.line_integrals = grey_values();
  gallery.scale_error = 0.01;
  return gallery;
}

ShapeQuery shape_query() {
  ShapeQuery query;
  imaging::Pose pose;
  pose.axial = 3;
  pose.in_plane = -2;
  query.images = shadows(femur(1'000'000, kGalleryRings), posed_pair(pose)).unsqueeze(0).to(at::kByte).contiguous();
  query.exposures = {told_pair()};
  query.embeddings = unit_rows(1, kEmbedding, 9);
  query.line_integrals = grey_values();
  query.scale_error = 0.01;
  return query;
}

}  // namespace osteon::bench
