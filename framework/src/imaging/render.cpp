#include "imaging/render.hpp"

#include "imaging/detector.hpp"
#include "imaging/film.hpp"
#include "imaging/slot.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <map>

namespace osteon::imaging {

namespace {

/// Images and line integrals in memory at one time: bytes at most, and poses at most, so that progress and Ctrl-C are
/// prompt.
constexpr std::int64_t kChunkBytes = 24 << 20, kChunkPoses = 32;

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

/// All line integrals zero: the rays went through air alone.
void require_shadow(const MaterialImage& image, const Pose& pose) {
  const float* end = image.water + kMaterials * image.rows * image.columns;
  if (std::all_of(image.water, end, [](float v) { return v == 0; }))
    throw Error(text("the X-ray at axial ", pose.axial, "°, tilt ", pose.tilt, "°, in-plane ", pose.in_plane,
                     "° shows nothing: every ray passed through air; is the volume empty?"));
}

/// The exposures of one plane at all poses, and the line integrals that a chunk of them needs.
class PlaneExposures {
 public:
  PlaneExposures(const BoneFrame& frame, Plane plane, std::span<const Pose> poses, const Parameters& views,
                 const Grid& grid, RollReuse reuse)
      : slot_(is_slot_scan(views)), plan_(all(frame, plane, poses, views), grid, slot_ ? RollReuse::never : reuse) {}

  /// Projects what poses `first` to `end` need and is not there from the chunk before.
  void project(const host::RendererHandle::BoundProjector& projector, std::size_t first, std::size_t end) {
    std::vector<Projection> alone, sheets;
    std::map<int, at::Tensor> held;
    std::vector<int> numbers;
    place_.clear();
    first_ = first;
    for (std::size_t i = first; i < end; ++i) {
      const int sheet = plan_.sheet_of(i);
      place_.push_back(static_cast<std::int64_t>(alone.size()));
      if (sheet < 0) alone.push_back(plan_.exposure(i));
      if (sheet < 0 || held.contains(sheet)) continue;
      if (const auto old = sheets_.find(sheet); old != sheets_.end()) {
        held.insert(*old);
      } else {
        held[sheet] = at::Tensor();
        numbers.push_back(sheet);
        sheets.push_back(plan_.sheet(sheet));
      }
    }
    sheets_ = std::move(held);
    alone_ = alone.empty() ? at::Tensor() : slot_ ? project_slot(projector, alone) : projector.project(alone);
    if (sheets.empty()) return;
    const at::Tensor projected = projector.project(sheets);
    for (std::size_t i = 0; i < numbers.size(); ++i) sheets_[numbers[i]] = projected[static_cast<std::int64_t>(i)];
  }

  /// The line integrals of pose `i`, perhaps in `buffer`.
  [[nodiscard]] MaterialImage image(std::size_t i, std::vector<float>& buffer) const {
    const std::int64_t rows = plan_.exposure(i).rows, columns = plan_.exposure(i).columns;
    const float* water = nullptr;
    if (const int sheet = plan_.sheet_of(i); sheet >= 0) {
      buffer.resize(static_cast<std::size_t>(kMaterials * rows * columns));
      plan_.resample(i, sheets_.at(sheet).data_ptr<float>(), buffer.data());
      water = buffer.data();
    } else {
      water = alone_.data_ptr<float>() + place_[i - first_] * kMaterials * rows * columns;
    }
    return {water, water + rows * columns, rows, columns};
  }

  [[nodiscard]] bool shares(std::size_t i) const { return plan_.sheet_of(i) >= 0; }

 private:
  static std::vector<Projection> all(const BoneFrame& frame, Plane plane, std::span<const Pose> poses,
                                     const Parameters& views) {
    std::vector<Projection> result;
    for (const Pose& pose : poses) result.push_back(projection(frame, plane, pose, views));
    return result;
  }

  bool slot_;  ///< each row has a source of its own
  RollPlan plan_;
  std::size_t first_ = 0;
  std::vector<std::int64_t> place_;   ///< of each pose of the chunk in `alone_`
  at::Tensor alone_;                  ///< `[V, kMaterials, rows, columns]`
  std::map<int, at::Tensor> sheets_;  ///< `[kMaterials, rows, columns]`
};

}  // namespace

std::vector<ImageRow> render(const host::RendererHandle& renderer, const Volume& volume, const BoneFrame& frame,
                             std::span<const Pose> poses, const Parameters& views, const Parameters& film_parameters,
                             const std::function<void(std::int64_t, std::int64_t)>& progress,
                             const std::function<void(std::int64_t, const at::Tensor&)>& take, RollReuse reuse) {
  volume.check();
  require_bone_inside(frame, volume);
  const double spacing = pixel_spacing(frame, views);
  const Film film(film_parameters, spacing, magnification(views));
  const auto energies = static_cast<std::int64_t>(film.energies().size());
  const auto count = static_cast<std::int64_t>(poses.size());
  const std::int64_t height = views.integer("height"), half = height / 2, width = 2 * half;
  const std::uint64_t seed = film_parameters.real("photons") > 0 ? noise_seed(volume) : 0;

  std::array<PlaneExposures, 2> planes = {PlaneExposures(frame, Plane::ap, poses, views, volume.grid, reuse),
                                          PlaneExposures(frame, Plane::ml, poses, views, volume.grid, reuse)};
  const auto projector = renderer.prepare(volume);
  std::vector<ImageRow> rows;
  for (std::int64_t first = 0; first < count;) {
    throw_if_stopped();
    std::int64_t end = first;
    for (std::int64_t bytes = 0; end < count && end - first < kChunkPoses && bytes < kChunkBytes; ++end) {
      bytes += energies * height * width;
      for (const PlaneExposures& plane : planes)
        if (!plane.shares(static_cast<std::size_t>(end)))
          bytes += kMaterials * height * half * static_cast<std::int64_t>(sizeof(float));
    }
    for (PlaneExposures& plane : planes)
      plane.project(projector, static_cast<std::size_t>(first), static_cast<std::size_t>(end));
    at::Tensor images = at::empty({(end - first) * energies, height, width}, at::kByte);
    auto* pixels = images.data_ptr<std::uint8_t>();
    parallel_for(0, 2 * (end - first), 1, [&](std::int64_t begin, std::int64_t last) {
      std::vector<float> buffer;
      for (std::int64_t i = begin; i < last; ++i) {
        const std::int64_t pose = first + i / 2, plane = i % 2;
        const MaterialImage image =
            planes[static_cast<std::size_t>(plane)].image(static_cast<std::size_t>(pose), buffer);
        require_shadow(image, poses[static_cast<std::size_t>(pose)]);
        const auto stream = [&](std::size_t energy) {
          const std::int64_t number = pose * energies + static_cast<std::int64_t>(energy);
          return Random(seed, "quantum noise", static_cast<std::uint64_t>(2 * number + plane));
        };
        const auto place = [&](std::size_t energy) {
          return pixels + (((pose - first) * energies + static_cast<std::int64_t>(energy)) * height) * width +
                 plane * half;
        };
        film.expose_all(image, stream, place, width);
      }
    });
    for (std::int64_t i = first * energies; i < end * energies; ++i) {
      const Pose& pose = poses[static_cast<std::size_t>(i / energies)];
      const Angles ml = angles_of(pose, Plane::ml);
      rows.push_back({i / energies, pose.axial, pose.tilt, pose.in_plane,
                      film.energies()[static_cast<std::size_t>(i % energies)], spacing, ml.axial, ml.tilt, ml.in_plane,
                      pose.ap_scale, pose.ml_scale});
    }
    cut_to_detector(images, frame, views);
    take(first * energies, images);
    first = end;
    if (progress) progress(first * energies, count * energies);
  }
  return rows;
}

ImageSet render(const host::RendererHandle& renderer, const Volume& volume, const BoneFrame& frame,
                std::span<const Pose> poses, const Parameters& views, const Parameters& film,
                const std::function<void(std::int64_t, std::int64_t)>& progress, RollReuse reuse) {
  const std::int64_t height = views.integer("height"), width = height / 2 * 2;
  const auto energies = static_cast<std::int64_t>(Film(film).energies().size());
  ImageSet set;
  set.pixels = at::empty({static_cast<std::int64_t>(poses.size()) * energies, height, width}, at::kByte);
  const auto keep = [&](std::int64_t first, const at::Tensor& images) {
    set.pixels.narrow(0, first, images.size(0)).copy_(images);
  };
  set.rows = render(renderer, volume, frame, poses, views, film, progress, keep, reuse);
  return set;
}

std::int64_t metal_voxels(const Volume& volume) {
  const auto* first = volume.hounsfield.data_ptr<std::int16_t>();
  return std::count_if(first, first + volume.hounsfield.numel(), [](std::int16_t v) { return v > kMetalHounsfield; });
}

}  // namespace osteon::imaging
