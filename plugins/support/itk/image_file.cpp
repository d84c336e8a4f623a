// The place and the values of an image's voxels, checked; and writing.

#include "itk/image_file.hpp"

#include "itk/volume_image.hpp"

#include <itkImageFileWriter.h>
#include <itkMetaDataObject.h>
#include <itkMetaImageIO.h>
#include <itkNiftiImageIO.h>
#include <itkNrrdImageIO.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::image {

namespace fs = std::filesystem;

namespace {

constexpr double kPerpendicular = 1e-3;  // largest cosine between two axes
constexpr double kMostVoxels = 4e9;

itk::ImageIOBase::Pointer writer_for(const std::string& ending) {
  itk::Object::GlobalWarningDisplayOff();
  if (ending.starts_with(".nii")) return itk::NiftiImageIO::New().GetPointer();
  if (ending == ".nrrd") return itk::NrrdImageIO::New().GetPointer();
  auto io = itk::MetaImageIO::New();
  io->SetDoublePrecision(17);
  return io.GetPointer();
}

/// Without the zero's sign.
std::string in_brackets(Vec3 v) { return text("(", v.x + 0.0, ", ", v.y + 0.0, ", ", v.z + 0.0, ")"); }

/// Throws unless the steps are longer than nothing and perpendicular.
void require_sound(const fs::path& file, const Frame& frame) {
  static constexpr const char* kAxes[] = {"i", "j", "k"};
  const std::string name = file.filename().string();
  for (int axis = 0; axis < 3; ++axis)
    if (const double step = norm(frame.steps.column[axis]); !(step > 0) || !std::isfinite(step))
      throw Error(text(name, ": its spacing along ", kAxes[axis], " is ", step, " mm; it must be above 0"));
  for (const auto& [a, b] : {std::pair(0, 1), std::pair(1, 2), std::pair(0, 2)}) {
    const Vec3 first = normalised(frame.steps.column[a]), second = normalised(frame.steps.column[b]);
    const double cosine = dot(first, second);
    if (std::abs(cosine) > kPerpendicular)
      throw Error(text(name, ": its axes ", kAxes[a], " ", in_brackets(first), " and ", kAxes[b], " ",
                       in_brackets(second), " enclose ",
                       std::round(degrees(std::acos(std::clamp(cosine, -1.0, 1.0))) * 10) / 10,
                       " degrees, not 90 (sheared, as a tilted gantry leaves it); resample it onto an upright grid"));
  }
}

/// The canonical grid of a sound frame; `reversed` when its axes are left-handed and the slices must be turned round.
Grid grid_of(const Frame& frame, const std::array<std::int64_t, 3>& size, bool& reversed) {
  Grid grid;
  grid.size = size;
  grid.origin = frame.origin;
  Vec3* const d = grid.direction.column;
  for (int axis = 0; axis < 3; ++axis) {
    grid.spacing[axis] = norm(frame.steps.column[axis]);
    d[axis] = normalised(frame.steps.column[axis]);
  }
  // Perpendicular to the last bit, as the headers' single precision is not.
  d[1] = normalised(d[1] - d[0] * dot(d[0], d[1]));
  reversed = determinant(grid.direction) < 0;
  d[2] = cross(d[0], d[1]);
  // The last slice comes first: its place, along the old third direction, becomes the origin.
  if (reversed) grid.origin = grid.origin - d[2] * (static_cast<double>(size[2] - 1) * grid.spacing.z);
  return grid.canonical();
}

/// Calls `body` with the voxels as what they are stored as.
template <class Body>
void with_type(Number type, const char* bytes, const Body& body) {
  switch (type) {
    case Number::u8:
      return body(reinterpret_cast<const std::uint8_t*>(bytes));
    case Number::i8:
      return body(reinterpret_cast<const std::int8_t*>(bytes));
    case Number::u16:
      return body(reinterpret_cast<const std::uint16_t*>(bytes));
    case Number::i16:
      return body(reinterpret_cast<const std::int16_t*>(bytes));
    case Number::u32:
      return body(reinterpret_cast<const std::uint32_t*>(bytes));
    case Number::i32:
      return body(reinterpret_cast<const std::int32_t*>(bytes));
    case Number::u64:
      return body(reinterpret_cast<const std::uint64_t*>(bytes));
    case Number::i64:
      return body(reinterpret_cast<const std::int64_t*>(bytes));
    case Number::f32:
      return body(reinterpret_cast<const float*>(bytes));
    case Number::f64:
      return body(reinterpret_cast<const double*>(bytes));
  }
}

}  // namespace

std::vector<fs::path> parts_of(const fs::path& file) {
  const Header header = read_header(file);
  if (header.data.empty() || header.data == file) return {file};
  return {file, header.data};
}

ImageFile::ImageFile(const fs::path& file) : file_(file), header_(read_header(file)) {
  const std::string name = file.filename().string();
  double voxels = 1;
  std::string sizes;
  bool flat = header_.size.size() < 3;
  for (std::size_t axis = 0; axis < header_.size.size(); ++axis) {
    voxels *= static_cast<double>(header_.size[axis]);
    sizes += text(axis > 0 ? " x " : "", header_.size[axis]);
    flat = flat || (axis < 3 ? header_.size[axis] < 2 : header_.size[axis] != 1);
  }
  if (flat)
    throw Error(text(name, ": a CT volume has three dimensions of two voxels or more; this has ", sizes, " voxels"));
  if (voxels > kMostVoxels)
    throw Error(text(name, ": ", sizes, " voxels are more than the ", kMostVoxels, " that are read"));
  require_sound(file, header_.frame);
  grid_ = grid_of(header_.frame, {header_.size[0], header_.size[1], header_.size[2]}, reversed_);
}

std::string ImageFile::remark(const std::string& key) const {
  const auto found = header_.remarks.find(key);
  return found == header_.remarks.end() ? "" : found->second;
}

/// Calls `body(value, target index)` for every voxel, slices reversed where the file is left-handed.
template <class Body>
void ImageFile::each(const Body& body) const {
  const std::int64_t plane = grid_.size[0] * grid_.size[1];
  const std::vector<char> bytes = read_voxels(header_, static_cast<std::size_t>(plane * grid_.size[2]));
  with_type(header_.type, bytes.data(), [&](const auto* voxel) {
    for (std::int64_t k = 0; k < grid_.size[2]; ++k) {
      const std::int64_t target = (reversed_ ? grid_.size[2] - 1 - k : k) * plane;
      for (std::int64_t v = 0; v < plane; ++v)
        body(header_.slope * static_cast<double>(*voxel++) + header_.intercept, target + v);
    }
  });
}

Volume ImageFile::hounsfield(double intercept) const {
  require_voxels(header_, static_cast<std::size_t>(grid_.size[0] * grid_.size[1] * grid_.size[2]));
  Volume volume{at::empty({grid_.size[2], grid_.size[1], grid_.size[0]}, at::kShort), grid_};
  auto* to = volume.hounsfield.data_ptr<std::int16_t>();
  double low = std::numeric_limits<double>::infinity(), high = -low;
  std::int64_t odd = 0;
  using Limits = std::numeric_limits<std::int16_t>;
  each([&](double stored, std::int64_t target) {
    const double value = std::round(stored + intercept);
    if (!std::isfinite(value)) {
      ++odd;
      return;
    }
    low = std::min(low, value), high = std::max(high, value);
    if (value >= Limits::min() && value <= Limits::max()) to[target] = static_cast<std::int16_t>(value);
  });
  const std::string name = file_.filename().string();
  if (odd > 0)
    throw Error(text(name, ": ", odd, " of ", volume.hounsfield.numel(),
                     " voxels are no finite numbers; set them to -1000 HU (air)"));
  if (low < Limits::min() || high > Limits::max())
    throw Error(text(name, ": its values run from ", low, " to ", high, " HU, beyond the ", Limits::min(), " to ",
                     Limits::max(), " of a CT volume; is this a CT in Hounsfield units?"));
  return volume;
}

at::Tensor ImageFile::labelled(double label) const {
  require_voxels(header_, static_cast<std::size_t>(grid_.size[0] * grid_.size[1] * grid_.size[2]));
  at::Tensor mask = at::empty({grid_.size[2], grid_.size[1], grid_.size[0]}, at::kByte);
  auto* to = mask.data_ptr<std::uint8_t>();
  each([&](double value, std::int64_t target) { to[target] = label == 0 ? value != 0 : value == label; });
  return mask;
}

void write(const Volume& volume, const std::map<std::string, std::string>& remarks, const fs::path& file) {
  const std::string ending = ending_of(file);
  if (ending.empty() || ending == ".nhdr" || ending == ".mhd")
    throw Error(text(file.string(), ": volumes are written as .nrrd, .mha, .nii or .nii.gz"));
  const fs::path partial = file.parent_path() / (".partial-" + file.filename().string());
  std::error_code problem;
  try {
    const ItkVolume::Pointer picture = to_itk(volume);
    for (const auto& [key, words] : remarks)
      itk::EncapsulateMetaData<std::string>(picture->GetMetaDataDictionary(), key, words);
    auto writer = itk::ImageFileWriter<ItkVolume>::New();
    writer->SetImageIO(writer_for(ending));
    writer->SetInput(picture);
    writer->SetFileName(partial.string());
    writer->SetUseCompression(true);
    writer->Update();
    fs::rename(partial, file);
  } catch (const itk::ExceptionObject& e) {
    fs::remove(partial, problem);
    throw failure(text(file.string(), ": cannot write the volume: ", e.GetDescription()));
  } catch (const fs::filesystem_error& e) {
    fs::remove(partial, problem);
    throw failure(text(file.string(), ": cannot rename the complete file: ", e.code().message()));
  }
}

}  // namespace osteon::image
