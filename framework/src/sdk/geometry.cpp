#include <osteon/error.hpp>
#include <osteon/geometry.hpp>
#include <osteon/volume.hpp>

#include <ATen/core/Tensor.h>

namespace osteon {

namespace {

/// The double nearest to the decimal with `digits` places: what reading the printed number back gives.
double to_decimal(double value, int digits) {
  const double scale = std::pow(10.0, digits);
  const double nearest = std::round(value * scale) / scale;
  return nearest == 0 ? 0 : nearest;  // no negative zero
}

Vec3 to_decimal(Vec3 v, int digits) {
  return {to_decimal(v.x, digits), to_decimal(v.y, digits), to_decimal(v.z, digits)};
}

}  // namespace

Vec3 Grid::to_patient(Vec3 index) const {
  return origin + direction * Vec3{index.x * spacing.x, index.y * spacing.y, index.z * spacing.z};
}

Vec3 Grid::to_index(Vec3 point) const {
  const Vec3 local = transposed(direction) * (point - origin);
  return {local.x / spacing.x, local.y / spacing.y, local.z / spacing.z};
}

Vec3 Grid::centre() const { return to_patient({(size[0] - 1) / 2.0, (size[1] - 1) / 2.0, (size[2] - 1) / 2.0}); }

Grid Grid::canonical() const {
  Grid grid = *this;
  grid.spacing = to_decimal(spacing, 6);
  grid.origin = to_decimal(origin, 4);
  grid.direction.column[0] = to_decimal(direction.column[0], 10);
  grid.direction.column[1] = to_decimal(direction.column[1], 10);
  grid.direction.column[2] = cross(grid.direction.column[0], grid.direction.column[1]);
  return grid;
}

void Grid::check() const {
  for (int axis = 0; axis < 3; ++axis) {
    if (size[axis] < 1)
      throw Error(text("a volume needs at least one voxel along each axis; axis ", axis, " has ", size[axis]));
    if (!(spacing[axis] > 0) || !std::isfinite(spacing[axis]))
      throw Error(text("voxel spacing must be above 0 mm; along axis ", axis, " it is ", spacing[axis]));
    if (!std::isfinite(origin[axis])) throw Error("the volume's origin is not finite");
  }
  for (int i = 0; i < 3; ++i)
    for (int j = 0; j < 3; ++j)
      if (!(std::abs(dot(direction.column[i], direction.column[j]) - (i == j)) < 1e-4))
        throw Error("the volume's direction is no rotation: its columns are not orthonormal");
  if (determinant(direction) < 0) throw Error("the volume's direction is left-handed; it must be a rotation");
}

void Volume::check() const {
  grid.check();
  if (!hounsfield.defined() || hounsfield.scalar_type() != at::kShort || !hounsfield.is_contiguous() ||
      hounsfield.dim() != 3)
    throw Error("a volume's voxels must be a contiguous int16 tensor [K, J, I]");
  if (hounsfield.size(0) != grid.size[2] || hounsfield.size(1) != grid.size[1] || hounsfield.size(2) != grid.size[0])
    throw Error("a volume's voxels do not have the size of its grid");
}

}  // namespace osteon
