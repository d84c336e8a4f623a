// Voxels through ITK's ImageIO classes, which are asked directly: a factory would choose a reader by the name of the
// file and convert what it reads.

#include "itk/image_file.hpp"

#include "itk/image_header.hpp"
#include "itk/volume_image.hpp"

#include <itkImageFileWriter.h>
#include <itkMetaDataObject.h>
#include <itkMetaImageIO.h>
#include <itkNiftiImageIO.h>
#include <itkNrrdImageIO.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>

namespace osteon::image {

namespace fs = std::filesystem;

namespace {

constexpr double kPerpendicular = 1e-3;  // largest cosine between two axes
constexpr double kMostVoxels = 4e9;

itk::ImageIOBase::Pointer reader_for(const std::string& ending) {
  itk::Object::GlobalWarningDisplayOff();
  if (ending.starts_with(".nii")) return itk::NiftiImageIO::New().GetPointer();
  if (ending == ".nrrd" || ending == ".nhdr") return itk::NrrdImageIO::New().GetPointer();
  auto io = itk::MetaImageIO::New();
  io->SetDoublePrecision(17);
  return io.GetPointer();
}

Error unreadable(const fs::path& file, const std::string& what) {
  return Error(text(file.filename().string(), ": ", what, "; copy it again from where it came"));
}

/// Index → patient, as ITK understood the header.
Frame frame_of(const itk::ImageIOBase& io) {
  Frame frame;
  for (unsigned axis = 0; axis < 3; ++axis) {
    const std::vector<double> direction = io.GetDirection(axis);
    for (unsigned row = 0; row < 3; ++row)
      frame.steps.column[axis][static_cast<int>(row)] = direction.at(row) * io.GetSpacing(axis);
    frame.origin[static_cast<int>(axis)] = io.GetOrigin(axis);
  }
  return frame;
}

std::string in_brackets(Vec3 v) { return text("(", v.x, ", ", v.y, ", ", v.z, ")"); }

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
void with_type(itk::IOComponentEnum type, const char* bytes, const Body& body) {
  using Type = itk::IOComponentEnum;
  switch (type) {
    case Type::UCHAR:
      return body(reinterpret_cast<const unsigned char*>(bytes));
    case Type::CHAR:
      return body(reinterpret_cast<const signed char*>(bytes));
    case Type::USHORT:
      return body(reinterpret_cast<const unsigned short*>(bytes));
    case Type::SHORT:
      return body(reinterpret_cast<const short*>(bytes));
    case Type::UINT:
      return body(reinterpret_cast<const unsigned int*>(bytes));
    case Type::INT:
      return body(reinterpret_cast<const int*>(bytes));
    case Type::ULONG:
      return body(reinterpret_cast<const unsigned long*>(bytes));
    case Type::LONG:
      return body(reinterpret_cast<const long*>(bytes));
    case Type::ULONGLONG:
      return body(reinterpret_cast<const unsigned long long*>(bytes));
    case Type::LONGLONG:
      return body(reinterpret_cast<const long long*>(bytes));
    case Type::FLOAT:
      return body(reinterpret_cast<const float*>(bytes));
    case Type::DOUBLE:
      return body(reinterpret_cast<const double*>(bytes));
    default:
      throw Error("its voxels are of a type that is not read");
  }
}

}  // namespace

const std::vector<std::string>& endings() {
  static const std::vector<std::string> list = {".nii.gz", ".nii", ".nrrd", ".nhdr", ".mha", ".mhd"};
  return list;
}

std::string ending_of(const fs::path& file) {
  std::string name = file.filename().string();
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const std::string& ending : endings())
    if (name.size() > ending.size() && name.ends_with(ending)) return ending;
  return "";
}

std::vector<fs::path> parts_of(const fs::path& file) {
  const std::string ending = ending_of(file);
  std::vector<fs::path> parts{file};
  if (ending.starts_with(".nii")) return parts;
  const bool nrrd = ending == ".nrrd" || ending == ".nhdr", alone = ending == ".nrrd" || ending == ".mha";
  const auto lines = header_lines(file);
  std::string data;
  static const std::vector<std::string> kNrrdKeys = {"data file", "datafile"}, kMetaKeys = {"elementdatafile"};
  for (const std::string& key : nrrd ? kNrrdKeys : kMetaKeys)
    if (const auto line = lines.find(key); line != lines.end()) data = line->second;
  if (data == "LOCAL") data.clear();
  if (alone && data.empty()) return parts;
  const bool plain = !data.empty() && data.find_first_of("/\\%* ") == std::string::npos && data != "LIST";
  std::error_code problem;
  if (alone || !plain || !fs::is_regular_file(file.parent_path() / data, problem))
    throw Error(text(
        file.filename().string(), ": its voxels should lie in ",
        data.empty() ? "a file that it does not name" : "\"" + data + "\"",
        alone ? ", but only .nhdr and .mhd may name another file" : ", which is not one plain file in the same folder",
        "; save it as one file (.nrrd, .mha)"));
  parts.push_back(file.parent_path() / data);
  return parts;
}

struct ImageFile::State {
  fs::path file;
  itk::ImageIOBase::Pointer io;
  Grid grid;
  bool reversed = false;

  /// All voxels as they are stored.
  [[nodiscard]] std::vector<char> voxels() const {
    itk::ImageIORegion region(io->GetNumberOfDimensions());
    for (unsigned axis = 0; axis < io->GetNumberOfDimensions(); ++axis) region.SetSize(axis, io->GetDimensions(axis));
    io->SetIORegion(region);
    std::vector<char> bytes(static_cast<std::size_t>(io->GetImageSizeInBytes()));
    try {
      io->Read(bytes.data());
    } catch (const itk::ExceptionObject&) {
      throw unreadable(file, text("its voxels are damaged or cut off: expected ", bytes.size(), " bytes, unpacked"));
    }
    return bytes;
  }

  /// Calls `body(value, target index)` for every voxel, slices reversed where the file is left-handed.
  template <class Voxel, class Body>
  void each(const Voxel* voxel, const Body& body) const {
    const std::int64_t plane = grid.size[0] * grid.size[1];
    for (std::int64_t k = 0; k < grid.size[2]; ++k) {
      const std::int64_t target = (reversed ? grid.size[2] - 1 - k : k) * plane;
      for (std::int64_t v = 0; v < plane; ++v) body(static_cast<double>(*voxel++), target + v);
    }
  }
};

ImageFile::ImageFile(const fs::path& file) : state_(std::make_unique<State>()) {
  const std::string ending = ending_of(file), name = file.filename().string();
  std::error_code problem;
  if (!fs::is_regular_file(file, problem)) throw Error(text(name, ": no such file"));
  if (ending.empty()) throw Error(text(name, ": not a NIfTI, NRRD or MetaImage file by its ending"));
  (void)parts_of(file);
  state_->file = file;
  state_->io = reader_for(ending);
  itk::ImageIOBase& io = *state_->io;
  io.SetFileName(file.string());
  const bool nifti = ending.starts_with(".nii");
  Frame frame;
  if (nifti)
    require_sound(file, frame = nifti_frame(file));
  else
    require_place(file);
  try {
    if (!io.CanReadFile(file.c_str())) throw unreadable(file, "its header is damaged or not of its ending's format");
    io.ReadImageInformation();
  } catch (const itk::ExceptionObject&) {
    throw unreadable(file, "its header is damaged or cut off");
  }
  const unsigned dimensions = io.GetNumberOfDimensions();
  double voxels = 1;
  std::string sizes;
  bool flat = dimensions < 3;
  for (unsigned axis = 0; axis < dimensions; ++axis) {
    voxels *= static_cast<double>(io.GetDimensions(axis));
    sizes += text(axis > 0 ? " x " : "", io.GetDimensions(axis));
    flat = flat || (axis < 3 ? io.GetDimensions(axis) < 2 : io.GetDimensions(axis) != 1);
  }
  if (flat || io.GetNumberOfComponents() != 1)
    throw Error(text(name, ": a CT volume has three dimensions of two voxels or more and one number a voxel; this has ",
                     sizes, " voxels with ", io.GetNumberOfComponents(), " number(s) each"));
  if (voxels > kMostVoxels)
    throw Error(text(name, ": ", sizes, " voxels are more than the ", kMostVoxels, " that are read"));
  if (!nifti) require_sound(file, frame = frame_of(io));
  const auto size = [&](unsigned axis) { return static_cast<std::int64_t>(io.GetDimensions(axis)); };
  state_->grid = grid_of(frame, {size(0), size(1), size(2)}, state_->reversed);
}

ImageFile::~ImageFile() = default;

const Grid& ImageFile::grid() const { return state_->grid; }

std::string ImageFile::remark(const std::string& key) const {
  std::string words;
  itk::ExposeMetaData<std::string>(state_->io->GetMetaDataDictionary(), key, words);
  return words;
}

Volume ImageFile::hounsfield(double intercept) const {
  const Grid& grid = state_->grid;
  Volume volume{at::empty({grid.size[2], grid.size[1], grid.size[0]}, at::kShort), grid};
  auto* to = volume.hounsfield.data_ptr<std::int16_t>();
  const std::vector<char> bytes = state_->voxels();
  double low = std::numeric_limits<double>::infinity(), high = -low;
  std::int64_t odd = 0;
  using Limits = std::numeric_limits<std::int16_t>;
  with_type(state_->io->GetComponentType(), bytes.data(), [&](const auto* voxel) {
    state_->each(voxel, [&](double stored, std::int64_t target) {
      const double value = std::round(stored + intercept);
      if (!std::isfinite(value)) {
        ++odd;
        return;
      }
      low = std::min(low, value), high = std::max(high, value);
      if (value >= Limits::min() && value <= Limits::max()) to[target] = static_cast<std::int16_t>(value);
    });
  });
  const std::string name = state_->file.filename().string();
  if (odd > 0)
    throw Error(text(name, ": ", odd, " of ", volume.hounsfield.numel(),
                     " voxels are no finite numbers; set them to -1000 HU (air)"));
  if (low < Limits::min() || high > Limits::max())
    throw Error(text(name, ": its values run from ", low, " to ", high, " HU, beyond the ", Limits::min(), " to ",
                     Limits::max(), " of a CT volume; is this a CT in Hounsfield units?"));
  return volume;
}

at::Tensor ImageFile::labelled(double label) const {
  const Grid& grid = state_->grid;
  at::Tensor mask = at::empty({grid.size[2], grid.size[1], grid.size[0]}, at::kByte);
  auto* to = mask.data_ptr<std::uint8_t>();
  const std::vector<char> bytes = state_->voxels();
  with_type(state_->io->GetComponentType(), bytes.data(), [&](const auto* voxel) {
    state_->each(voxel,
                 [&](double value, std::int64_t target) { to[target] = label == 0 ? value != 0 : value == label; });
  });
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
    writer->SetImageIO(reader_for(ending));
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
