// renderer/itk_raycast: line integrals by ITK's own ray caster
//
// itk::RayCastInterpolateImageFunction (the interpolator of ITK's examples of digitally reconstructed radiographs and
// of 2D–3D registration), once for each material, with threshold 0. It steps from voxel plane to voxel plane and
// interpolates between the four voxels around the ray, as `joseph` does, but shares no line of code with it: use it as
// an independent reference. It is an order of magnitude slower.
//
// What ITK's class leaves to its user, and how it is done here:
//   - it ignores the direction of the image: the image has none here, rays are turned into its frame;
//   - it integrates along the whole line, behind the focal point too: a volume behind the source is left out here, and
//   a
//     source inside the volume is refused;
//   - it takes a point and a focal point, and means the line through both: the focal point is set for each ray, so that
//     parallel rays are exactly parallel;
//   - when it looks for the faces that a ray crosses, it rounds areas to 100 mm², overlooks faces that the ray meets at
//     less than 1 / (100 mm · distance to the focal point), and overflows where a ray meets the plane of a face some
//     10⁸ mm away: it is given lengths in units of which the volume's diagonal is 1,000 and a focal point 500 units
//     away, so that what it overlooks is less than a tenth of a voxel and nothing overflows;
//   - it leaves out up to two planes where a ray enters or leaves through a side: three voxels of air surround the
//     volume.
//
// Memory: two float images with that border. One interpolator a thread; its sums don't depend on how many there are.
//
// Cost: 4.7 s of processor time, all threads together, for a projection of 200 × 200 × 400 voxels at 0.4 mm onto
// 400 × 800 pixels (`osteon-benchmarks --benchmark_filter=ProjectLimb`, column CPU, two threads; `joseph` took 100 ms
// in the same run).
//
// There are no parameters.
//
//     [renderer]
//     plugin = "itk_raycast"

#include <osteon/parallel.hpp>
#include <osteon/renderer.hpp>

#include <itkIdentityTransform.h>
#include <itkImage.h>
#include <itkRayCastInterpolateImageFunction.h>

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace osteon {

namespace {

using FractionImage = itk::Image<float, 3>;
using RayCaster = itk::RayCastInterpolateImageFunction<FractionImage, double>;

/// Voxels of air on each side.
constexpr std::int64_t kBorder = 3;
/// The volume's diagonal and the distance of the focal point in the units that ITK is given.
constexpr double kDiagonal = 1000, kFocalDistance = 500;

/// Frame of the images: axes along i, j, k of the grid, origin at the centre of its voxel (0, 0, 0), lengths in units.
class Frame {
 public:
  explicit Frame(const Grid& grid) : grid_(grid) {
    double square = 0;
    for (int axis = 0; axis < 3; ++axis) {
      const double length =
          static_cast<double>(grid.size[static_cast<std::size_t>(axis)] + 2 * kBorder) * grid.spacing[axis];
      square += length * length;
      low_[axis] = -1;
      high_[axis] = static_cast<double>(grid.size[static_cast<std::size_t>(axis)]);
    }
    units_per_mm_ = kDiagonal / std::sqrt(square);
  }

  [[nodiscard]] double units_per_mm() const { return units_per_mm_; }
  [[nodiscard]] Vec3 direction(Vec3 in_patient) const { return transposed(grid_.direction) * in_patient; }
  [[nodiscard]] Vec3 point(Vec3 in_patient) const { return direction(in_patient - grid_.origin) * units_per_mm_; }

  /// Where, in units from `point` along `direction`, the line is within a voxel of the grid; first > second: nowhere.
  [[nodiscard]] std::pair<double, double> inside(Vec3 point, Vec3 direction) const {
    double from = -std::numeric_limits<double>::infinity(), to = -from;
    for (int axis = 0; axis < 3; ++axis) {
      const double voxel = grid_.spacing[axis] * units_per_mm_;
      const double low = low_[axis] * voxel - point[axis], high = high_[axis] * voxel - point[axis];
      if (direction[axis] == 0) {
        if (low > 0 || high < 0) return {1, 0};
        continue;
      }
      from = std::max(from, std::min(low / direction[axis], high / direction[axis]));
      to = std::min(to, std::max(low / direction[axis], high / direction[axis]));
    }
    return {from, to};
  }

 private:
  Grid grid_;
  Vec3 low_, high_;  ///< in voxels, one beyond the outermost centres: where the interpolated value has fallen to air
  double units_per_mm_ = 1;
};

std::array<FractionImage::Pointer, kMaterials> make_images(const Volume& volume, const Frame& frame) {
  FractionImage::SizeType size;
  FractionImage::SpacingType spacing;
  FractionImage::PointType origin;
  for (unsigned axis = 0; axis < 3; ++axis) {
    size[axis] = static_cast<itk::SizeValueType>(volume.grid.size[axis] + 2 * kBorder);
    spacing[axis] = volume.grid.spacing[static_cast<int>(axis)] * frame.units_per_mm();
    origin[axis] = -static_cast<double>(kBorder) * spacing[axis];
  }
  std::array<FractionImage::Pointer, kMaterials> images;
  for (auto& image : images) {
    image = FractionImage::New();
    image->SetRegions(size);
    image->SetSpacing(spacing);
    image->SetOrigin(origin);
    image->Allocate(true);
  }
  const auto [columns, rows, slices] = volume.grid.size;
  const auto* from = volume.hounsfield.data_ptr<std::int16_t>();
  for (std::int64_t k = 0; k < slices; ++k)
    for (std::int64_t j = 0; j < rows; ++j) {
      const auto first = ((k + kBorder) * (rows + 2 * kBorder) + j + kBorder) * (columns + 2 * kBorder) + kBorder;
      float* water = images[0]->GetBufferPointer() + first;
      float* bone = images[1]->GetBufferPointer() + first;
      for (std::int64_t i = 0; i < columns; ++i) {
        const MaterialFractions fractions = material_fractions(*from++);
        water[i] = fractions.water;
        bone[i] = fractions.bone;
      }
    }
  return images;
}

class RayCastProjector final : public Projector {
 public:
  explicit RayCastProjector(const Volume& volume) : frame_(volume.grid), images_(make_images(volume, frame_)) {}

  at::Tensor project(std::span<const Projection> projections) override {
    const auto count = static_cast<std::int64_t>(projections.size());
    const std::int64_t rows = projections.front().rows, columns = projections.front().columns;
    at::Tensor result = at::zeros({count, kMaterials, rows, columns}, at::kFloat);
    auto* pixels = result.data_ptr<float>();
    parallel_for(0, count * rows, 1, [&](std::int64_t begin, std::int64_t end) {
      std::array<RayCaster::Pointer, kMaterials> casters;
      for (std::size_t m = 0; m < casters.size(); ++m) {
        casters[m] = RayCaster::New();
        casters[m]->SetInputImage(images_[m]);
        casters[m]->SetTransform(itk::IdentityTransform<double, 3>::New());
        casters[m]->SetThreshold(0);
      }
      for (std::int64_t item = begin; item < end; ++item) {
        const std::int64_t view = item / rows, row = item % rows;
        project_row(projections[static_cast<std::size_t>(view)], row, casters,
                    pixels + view * kMaterials * rows * columns + row * columns);
      }
    });
    return result;
  }

 private:
  void project_row(const Projection& view, std::int64_t row, std::array<RayCaster::Pointer, kMaterials>& casters,
                   float* pixels) const {
    const std::int64_t plane = view.rows * view.columns;
    for (std::int64_t column = 0; column < view.columns; ++column) {
      const Vec3 pixel =
          view.first_pixel + view.row_step * static_cast<double>(row) + view.column_step * static_cast<double>(column);
      const Vec3 along = frame_.direction(view.parallel ? view.direction : normalised(pixel - view.source));
      const Vec3 start = frame_.point(view.parallel ? pixel : view.source);
      const auto [enters, leaves] = frame_.inside(start, along);
      if (!(enters < leaves) || (!view.parallel && leaves <= 0)) continue;
      if (!view.parallel && enters < 0)
        throw Error(
            "the X-ray source lies inside the volume, and ITK's ray caster has no rays that begin there; move the "
            "source away (views.source_detector) or take another renderer");
      // A point of the ray near the volume keeps ITK's intersections with its faces precise.
      const Vec3 point = start + along * ((enters + leaves) / 2), focus = point - along * kFocalDistance;
      for (std::size_t m = 0; m < casters.size(); ++m) {
        casters[m]->SetFocalPoint(RayCaster::InputPointType(std::array{focus.x, focus.y, focus.z}.data()));
        const double integral =
            casters[m]->Evaluate(RayCaster::PointType(std::array{point.x, point.y, point.z}.data()));
        pixels[column + static_cast<std::int64_t>(m) * plane] = static_cast<float>(integral / frame_.units_per_mm());
      }
    }
  }

  Frame frame_;
  std::array<FractionImage::Pointer, kMaterials> images_;  ///< water, bone
};

class RayCastRenderer final : public Renderer {
 public:
  static Schema schema() {
    return {"Line integrals by ITK's ray caster (itk::RayCastInterpolateImageFunction), as an independent reference.",
            {}};
  }
  explicit RayCastRenderer(const Parameters& /*parameters*/) {}

  [[nodiscard]] std::unique_ptr<Projector> prepare(const Volume& volume) const override {
    volume.check();
    return std::make_unique<RayCastProjector>(volume);
  }
};

}  // namespace

OSTEON_PLUGIN(renderer, itk_raycast, "0.1.0", RayCastRenderer)

}  // namespace osteon
