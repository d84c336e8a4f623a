#include "imaging/render.hpp"

#include "imaging/detector.hpp"
#include "imaging/film.hpp"
#include "imaging/slot.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>

namespace osteon::imaging {

namespace {

/// Line integrals in memory at one time: bytes at most, and poses at most, so that progress and Ctrl-C are prompt.
constexpr std::int64_t kChunkBytes = 128 << 20, kChunkPoses = 32;

/// Names the volume's streams of noise: an acquisition has its own noise because it has its own voxels, and a run that
/// is repeated has the same.
std::uint64_t noise_seed(const Volume& volume) {
  Digest digest;
  digest.add(std::as_bytes(
      std::span(volume.hounsfield.data_ptr<std::int16_t>(), static_cast<std::size_t>(volume.hounsfield.numel()))));
  return std::stoull(digest.hex().substr(0, 16), nullptr, 16);
}

void require_bone_inside(const BoneFrame& frame, const Volume& volume) {
  const Vec3 index = volume.grid.to_index(frame.origin);
  for (int axis = 0; axis < 3; ++axis)
    if (!(index[axis] >= -0.5 && index[axis] <= static_cast<double>(volume.grid.size[axis]) - 0.5))
      throw Error(
          "the bone's centroid lies outside the volume that is to be X-rayed: surface and volume don't belong "
          "together");
}

/// The exposures of a chunk: AP, ML, AP, ML, …
std::vector<Projection> exposures(const BoneFrame& frame, std::span<const Pose> poses, const Parameters& views) {
  std::vector<Projection> result;
  for (const Pose& pose : poses)
    for (const Plane plane : {Plane::ap, Plane::ml}) result.push_back(projection(frame, plane, pose, views));
  return result;
}

/// The line integrals of one exposure. All zero: the rays went through air alone.
MaterialImage material_image(const at::Tensor& integrals, std::int64_t exposure) {
  const std::int64_t rows = integrals.size(2), columns = integrals.size(3);
  const float* water = integrals.data_ptr<float>() + exposure * kMaterials * rows * columns;
  return {water, water + rows * columns, rows, columns};
}

void require_shadow(const MaterialImage& image, const Pose& pose) {
  const float* end = image.water + kMaterials * image.rows * image.columns;
  if (std::all_of(image.water, end, [](float v) { return v == 0; }))
    throw Error(text("the X-ray at axial ", pose.axial, "°, tilt ", pose.tilt, "°, in-plane ", pose.in_plane,
                     "° shows nothing: every ray passed through air; is the volume empty?"));
}

}  // namespace

ImageSet render(const host::RendererHandle& renderer, const Volume& volume, const BoneFrame& frame,
                std::span<const Pose> poses, const Parameters& views, const Parameters& film_parameters,
                const std::function<void(std::int64_t, std::int64_t)>& progress) {
  volume.check();
  require_bone_inside(frame, volume);
  const Film film(film_parameters);
  const auto energies = static_cast<std::int64_t>(film.energies().size());
  const auto count = static_cast<std::int64_t>(poses.size());
  const std::int64_t height = views.integer("height"), half = height / 2, width = 2 * half;
  const std::uint64_t seed = film_parameters.real("photons") > 0 ? noise_seed(volume) : 0;
  const double spacing = pixel_spacing(frame, views);

  ImageSet images;
  images.pixels = at::empty({count * energies, height, width}, at::kByte);
  auto* pixels = images.pixels.data_ptr<std::uint8_t>();
  const auto projector = renderer.prepare(volume);
  const std::int64_t pose_bytes = 2 * kMaterials * height * half * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t chunk = std::clamp<std::int64_t>(kChunkBytes / pose_bytes, 1, kChunkPoses);
  for (std::int64_t first = 0; first < count; first += chunk) {
    throw_if_stopped();
    const std::int64_t here = std::min(chunk, count - first);
    const auto chunk_poses = poses.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(here));
    const auto chunk_exposures = exposures(frame, chunk_poses, views);
    const at::Tensor integrals =
        is_slot_scan(views) ? project_slot(projector, chunk_exposures) : projector.project(chunk_exposures);
    for (std::int64_t i = 0; i < 2 * here; ++i)
      require_shadow(material_image(integrals, i), chunk_poses[static_cast<std::size_t>(i / 2)]);
    parallel_for(0, here * energies, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t image = first * energies + i;
        for (std::int64_t plane = 0; plane < 2; ++plane)
          film.expose(material_image(integrals, 2 * (i / energies) + plane), static_cast<std::size_t>(i % energies),
                      Random(seed, "quantum noise", static_cast<std::uint64_t>(2 * image + plane)),
                      pixels + (image * height) * width + plane * half, width);
      }
    });
    for (std::int64_t i = 0; i < here * energies; ++i) {
      const Pose& pose = chunk_poses[static_cast<std::size_t>(i / energies)];
      const Angles ml = angles_of(pose, Plane::ml);
      images.rows.push_back({first + i / energies, pose.axial, pose.tilt, pose.in_plane,
                             film.energies()[static_cast<std::size_t>(i % energies)], spacing, ml.axial, ml.tilt,
                             ml.in_plane, pose.ap_scale, pose.ml_scale});
    }
    if (progress) progress((first + here) * energies, count * energies);
  }
  cut_to_detector(images.pixels, frame, views);
  return images;
}

}  // namespace osteon::imaging
