// Slices → volume: sorting, grouping, and the checks that make a regular grid of a series.

#include "itk/dicom_series.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/files.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace osteon::dicom {

namespace fs = std::filesystem;

namespace {

constexpr double kSamePosition = 1e-3;  // mm

double place(const Slice& slice, Vec3 normal) { return dot(slice.position, normal); }

std::string in_mm(double value) { return text(std::round(value * 1000) / 1000, " mm"); }

/// Size, pixel spacing and direction of each slice against the first.
void require_alike(std::span<const Slice> slices) {
  const Slice& first = slices.front();
  const auto refuse = [&](const Slice& slice, const std::string& what) {
    throw Error(text(slice.file.string(), ": ", what, " the first slice of its series, ", first.file.string(),
                     "; remove the file, or put it in a folder of its own series"));
  };
  for (const Slice& slice : slices) {
    if (!slice.problem.empty()) throw Error(text(slice.file.string(), ": not usable as a CT slice: ", slice.problem));
    if (slice.rows != first.rows || slice.columns != first.columns)
      refuse(slice, text("the slice has ", slice.columns, "x", slice.rows, " pixels, not the ", first.columns, "x",
                         first.rows, " of"));
    if (std::abs(slice.row_spacing - first.row_spacing) > 1e-4 ||
        std::abs(slice.column_spacing - first.column_spacing) > 1e-4)
      refuse(slice, "the slice has another PixelSpacing than");
    if (norm(slice.along_row - first.along_row) > 1e-3 || norm(slice.along_column - first.along_column) > 1e-3)
      refuse(slice, "the slice has another direction (ImageOrientationPatient) than");
  }
}

/// The distance between slices. The positions decide; they must be different and evenly spaced.
double slice_distance(std::span<const Slice> slices, Vec3 normal) {
  const std::size_t gaps = slices.size() - 1;
  const std::string folder = slices.front().file.parent_path().string();
  if (gaps == 0) {
    if (slices[0].between_slices && *slices[0].between_slices > 0) return *slices[0].between_slices;
    throw Error(text(slices[0].file.string(), ": the series has one slice only; a volume needs two or more"));
  }
  std::vector<double> gap(gaps);
  for (std::size_t k = 0; k < gaps; ++k) {
    gap[k] = place(slices[k + 1], normal) - place(slices[k], normal);
    if (gap[k] < kSamePosition)
      throw Error(text(slices[k].file.string(), " and ", slices[k + 1].file.string(),
                       ": two slices of one series at the same position, ", in_mm(place(slices[k], normal)),
                       " along the normal; remove one of them"));
  }
  std::vector<double> sorted = gap;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(gaps / 2), sorted.end());
  const double usual = sorted[gaps / 2];
  for (std::size_t k = 0; k < gaps; ++k)
    if (gap[k] > 1.5 * usual)
      throw Error(text(folder, ": ", std::max(1L, std::lround(gap[k] / usual) - 1), " slice(s) missing between ",
                       in_mm(place(slices[k], normal)), " (", slices[k].file.filename().string(), ") and ",
                       in_mm(place(slices[k + 1], normal)), " (", slices[k + 1].file.filename().string(),
                       "): the other slices lie ", in_mm(usual), " apart; export the whole series again"));
  return (place(slices.back(), normal) - place(slices.front(), normal)) / static_cast<double>(gaps);
}

/// Every slice in its place on the grid: evenly spaced along the normal and not shifted within its plane.
void require_regular(std::span<const Slice> slices, Vec3 normal, double distance) {
  const Slice& first = slices.front();
  const double half_pixel = 0.5 * std::min(first.row_spacing, first.column_spacing);
  for (std::size_t k = 0; k < slices.size(); ++k) {
    const Vec3 step = slices[k].position - first.position;
    const double along = dot(step, normal), expected = static_cast<double>(k) * distance;
    if (std::abs(along - expected) > 0.25 * distance)
      throw Error(text(slices[k].file.string(), ": the slices are not evenly spaced: this one lies ",
                       in_mm(std::abs(along - expected)), " off its place; export the series with one slice distance"));
    const double aside = norm(step - along * normal);
    if (aside > half_pixel)
      throw Error(text(slices[k].file.string(), ": the slice is shifted sideways by ", in_mm(aside),
                       " against the first one (a tilted gantry?); resample the series to an upright grid"));
  }
}

}  // namespace

std::vector<fs::path> files_of(const fs::path& folder, bool recursive) {
  std::vector<fs::path> files;
  const auto take = [&](const fs::directory_entry& entry) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  };
  try {
    if (recursive)
      for (const auto& entry : fs::recursive_directory_iterator(folder)) take(entry);
    else
      for (const auto& entry : fs::directory_iterator(folder)) take(entry);
  } catch (const fs::filesystem_error& e) {
    throw Error(text(e.path1().empty() ? folder.string() : e.path1().string(), ": cannot list: ", e.code().message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

Findings find_slices(std::span<const fs::path> files) {
  Findings findings;
  findings.files = files.size();
  for (const fs::path& file : files) {
    if (!is_dicom(file)) continue;
    Slice slice = read_slice(file);
    if (!slice.is_ct()) {
      if (findings.stranger.empty())
        findings.stranger = text(file.string(), " is \"", slice.sop_class_name, "\" of modality ",
                                 slice.modality.empty() ? "unknown" : slice.modality);
    } else if (!slice.is_localiser()) {
      findings.slices.push_back(std::move(slice));
    }
  }
  return findings;
}

void sort_slices(std::vector<Slice>& slices) {
  const auto sound = std::find_if(slices.begin(), slices.end(), [](const Slice& s) { return s.problem.empty(); });
  const Vec3 normal = sound == slices.end() ? Vec3{0, 0, 1} : sound->normal();
  const auto order = [&](const Slice& slice) {
    const bool sick = !slice.problem.empty();
    return std::tuple(sick, sick ? 0.0 : place(slice, normal), slice.file.string());
  };
  std::sort(slices.begin(), slices.end(), [&](const Slice& a, const Slice& b) { return order(a) < order(b); });
}

Grid grid_of(std::span<const Slice> slices) {
  if (slices.empty()) throw Error("a series without slices");
  require_alike(slices);
  const Slice& first = slices.front();
  const Vec3 normal = normalised(first.normal());
  double distance = slice_distance(slices, normal);
  require_regular(slices, normal, distance);
  if (first.between_slices && std::abs(*first.between_slices - distance) < 1e-3) distance = *first.between_slices;

  Grid grid;
  grid.size = {first.columns, first.rows, static_cast<std::int64_t>(slices.size())};
  grid.spacing = {first.column_spacing, first.row_spacing, distance};
  grid.origin = first.position;
  grid.direction = {{first.along_row, first.along_column, first.normal()}};
  grid = grid.canonical();
  try {
    grid.check();
  } catch (const Error& e) {
    throw e.within(first.file.string());
  }
  return grid;
}

Volume read_series(std::span<const Slice> slices) {
  const Grid grid = grid_of(slices);
  Volume volume{at::empty({grid.size[2], grid.size[1], grid.size[0]}, at::kShort), grid};
  const auto plane = static_cast<std::size_t>(grid.size[0] * grid.size[1]);
  auto* voxels = volume.hounsfield.data_ptr<std::int16_t>();
  for (std::size_t k = 0; k < slices.size(); ++k) read_hounsfield(slices[k], {voxels + k * plane, plane});
  return volume;
}

std::string digest_of(std::span<const Slice> slices) {
  Digest digest;
  for (const Slice& slice : slices) digest.add(read_file(slice.file));
  return digest.hex();
}

std::string enumeration(std::span<const std::vector<Slice>> series) {
  static constexpr const char* kNumbers[] = {"no", "one", "two", "three", "four"};
  std::string words = series.size() < 5 ? kNumbers[series.size()] : std::to_string(series.size());
  words += " CT series: ";
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (i > 0) words += i + 1 < series.size() ? ", " : " and ";
    words += text(series[i].size(), " slices (first file ", series[i].front().file.filename().string(), ")");
  }
  return words;
}

std::vector<std::vector<Slice>> by_series(std::vector<Slice> slices) {
  std::map<std::string, std::vector<Slice>> groups;
  for (Slice& slice : slices) groups[slice.series].push_back(std::move(slice));
  std::vector<std::vector<Slice>> series;
  for (auto& [uid, members] : groups) {
    sort_slices(members);
    series.push_back(std::move(members));
  }
  std::stable_sort(series.begin(), series.end(), [](const auto& a, const auto& b) {
    return std::tuple(b.size(), a.front().series_number) < std::tuple(a.size(), b.front().series_number);
  });
  return series;
}

}  // namespace osteon::dicom
