// Gaussians in millimetres, as ITK's DiscreteGaussianImageFilter has them.

#include "density.hpp"

#include "itk/volume_image.hpp"

#include <itkDiscreteGaussianImageFilter.h>

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

namespace osteon::isosurface {

std::vector<float> smoothed(const Volume& volume, double deviation) {
  if (deviation == 0) {
    const auto* voxels = volume.hounsfield.data_ptr<std::int16_t>();
    return {voxels, voxels + volume.hounsfield.numel()};
  }
  auto filter = itk::DiscreteGaussianImageFilter<ItkVolume, itk::Image<float, 3>>::New();
  filter->SetInput(to_itk(volume));
  filter->SetVariance(deviation * deviation);  // mm²: the filter uses the image's spacing
  filter->SetMaximumError(0.001);
  filter->SetMaximumKernelWidth(101);
  filter->SetNumberOfWorkUnits(1);
  filter->Update();
  const float* values = filter->GetOutput()->GetBufferPointer();
  return {values, values + volume.hounsfield.numel()};
}

std::vector<float> antialiased(const at::Tensor& labels, const Grid& grid, double deviation) {
  const auto* label = labels.data_ptr<std::uint8_t>();
  if (std::all_of(label, label + labels.numel(), [](std::uint8_t value) { return value == 0; }))
    throw Error("no bone: the label map marks no voxel; check source.label and the label map");
  const at::Tensor marked = at::empty(labels.sizes(), at::kShort);
  std::transform(label, label + labels.numel(), marked.data_ptr<std::int16_t>(),
                 [](std::uint8_t value) { return static_cast<std::int16_t>(value != 0 ? 1000 : 0); });
  auto filter = itk::DiscreteGaussianImageFilter<ItkVolume, itk::Image<float, 3>>::New();
  filter->SetInput(to_itk({marked, grid}));
  itk::FixedArray<double, 3> variance;
  for (unsigned axis = 0; axis < 3; ++axis)
    variance[axis] = std::pow(grid.spacing[static_cast<int>(axis)], 2) + deviation * deviation;
  filter->SetVariance(variance);
  filter->SetMaximumError(0.001);
  filter->SetMaximumKernelWidth(101);
  filter->SetNumberOfWorkUnits(1);
  filter->Update();
  const float* values = filter->GetOutput()->GetBufferPointer();
  return {values, values + labels.numel()};
}

}  // namespace osteon::isosurface
