#pragma once

// Volume ↔ itk::Image. Both are in LPS millimetres with spacing, origin and direction, so nothing is turned or flipped.
// The only header of this library that includes ITK.

#include <osteon/error.hpp>
#include <osteon/volume.hpp>

#include <itkImage.h>
#include <itkImportImageFilter.h>
#include <itkMultiThreaderBase.h>

#include <ATen/Functions.h>

#include <algorithm>
#include <mutex>

namespace osteon {

using ItkVolume = itk::Image<std::int16_t, 3>;

/// ITK computes in the caller's thread from here on: threads are the host's (`parallel_for`).
inline void keep_itk_in_this_thread() {
  static std::once_flag once;
  std::call_once(once, [] {
    itk::MultiThreaderBase::SetGlobalDefaultThreader(itk::MultiThreaderBase::ThreaderEnum::Platform);
    itk::MultiThreaderBase::SetGlobalDefaultNumberOfThreads(1);
  });
}

/// Gives an ITK image the place of a grid.
template <class Image>
void set_grid(Image& image, const Grid& grid) {
  typename Image::SpacingType spacing;
  typename Image::PointType origin;
  typename Image::DirectionType direction;
  for (unsigned axis = 0; axis < 3; ++axis) {
    spacing[axis] = grid.spacing[static_cast<int>(axis)];
    origin[axis] = grid.origin[static_cast<int>(axis)];
    for (unsigned row = 0; row < 3; ++row) direction(row, axis) = grid.direction.column[axis][static_cast<int>(row)];
  }
  image.SetSpacing(spacing);
  image.SetOrigin(origin);
  image.SetDirection(direction);
}

/// The voxels are shared, not copied: the volume must outlive the image.
inline ItkVolume::Pointer to_itk(const Volume& volume) {
  keep_itk_in_this_thread();
  ItkVolume::SizeType size;
  for (unsigned axis = 0; axis < 3; ++axis) size[axis] = static_cast<itk::SizeValueType>(volume.grid.size[axis]);
  auto import = itk::ImportImageFilter<std::int16_t, 3>::New();
  import->SetRegion({{}, size});
  import->SetImportPointer(volume.hounsfield.data_ptr<std::int16_t>(),
                           static_cast<itk::SizeValueType>(volume.hounsfield.numel()), false);
  import->Update();
  ItkVolume::Pointer image = import->GetOutput();
  image->DisconnectPipeline();
  set_grid(*image, volume.grid);
  return image;
}

/// A copy, with the canonical grid.
inline Volume from_itk(const ItkVolume& image) {
  Grid grid;
  for (unsigned axis = 0; axis < 3; ++axis) {
    grid.size[axis] = static_cast<std::int64_t>(image.GetLargestPossibleRegion().GetSize()[axis]);
    grid.spacing[static_cast<int>(axis)] = image.GetSpacing()[axis];
    grid.origin[static_cast<int>(axis)] = image.GetOrigin()[axis];
    for (unsigned row = 0; row < 3; ++row)
      grid.direction.column[axis][static_cast<int>(row)] = image.GetDirection()(row, axis);
  }
  Volume volume{at::empty({grid.size[2], grid.size[1], grid.size[0]}, at::kShort), grid.canonical()};
  std::copy_n(image.GetBufferPointer(), volume.hounsfield.numel(), volume.hounsfield.data_ptr<std::int16_t>());
  volume.check();
  return volume;
}

}  // namespace osteon
