// Slices → volume: finding, sorting, grouping, reading.

#include "itk/dicom_series.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/files.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>

namespace osteon::dicom {

namespace fs = std::filesystem;

namespace {

constexpr int kLowestPadding = -3100, kHighestAir = -500;  // HU that a CT's lowest value lies between

/// Without the folder in the message.
std::string bytes_of(const Slice& slice) {
  try {
    return read_file(slice.file);
  } catch (const Error&) {
    throw Error(text(slice.name(), ": cannot read the file"));
  }
}

/// Without a rescale in the header, are the stored values HU?
void require_hounsfield(std::span<const Slice> slices, const Volume& volume, std::vector<std::string>& notices) {
  const Slice& first = slices.front();
  if (std::none_of(slices.begin(), slices.end(), [](const Slice& slice) { return slice.rescale_assumed; })) return;
  const auto* voxels = volume.hounsfield.data_ptr<std::int16_t>();
  const auto [low, high] = std::minmax_element(voxels, voxels + volume.hounsfield.numel());
  if (!first.is_signed || *low < kLowestPadding || *low > kHighestAir)
    throw Error(text(first.name(),
                     ": its header gives no RescaleSlope and RescaleIntercept, and the series' stored "
                     "values, from ",
                     *low, " to ", *high, ", are no Hounsfield units (signed, the lowest between ", kLowestPadding,
                     " and ", kHighestAir, "); export the series again with its rescale"));
  notices.push_back(text("the headers give no RescaleSlope and RescaleIntercept; stored values, from ", *low, " to ",
                         *high, ", were taken for Hounsfield units"));
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
    throw Error(text(folder.string(), ": cannot list it and the folders below it: ", e.code().message()));
  }
  std::sort(files.begin(), files.end());
  return files;
}

Findings find_slices(std::span<const fs::path> files) {
  Findings findings;
  findings.files = files.size();
  for (const fs::path& file : files) {
    if (!is_dicom(file)) continue;
    std::vector<Slice> slices = read_slices(file);
    const Slice& first = slices.front();
    if (!first.is_ct()) {
      ++findings.strangers;
      if (findings.stranger.empty())
        findings.stranger = text(first.name(), " is \"", first.sop_class_name, "\" of modality ",
                                 first.modality.empty() ? "unknown" : first.modality);
    } else if (std::erase_if(slices, [](const Slice& slice) { return slice.is_localiser(); }) > 0) {
      ++findings.localisers;
    }
    if (!slices.empty() && slices.front().is_ct())
      std::move(slices.begin(), slices.end(), std::back_inserter(findings.slices));
  }
  return findings;
}

void sort_slices(std::vector<Slice>& slices) {
  const auto sound = std::find_if(slices.begin(), slices.end(), [](const Slice& s) { return s.problem.empty(); });
  const Vec3 normal = sound == slices.end() ? Vec3{0, 0, 1} : sound->normal();
  const auto order = [&](const Slice& slice) {
    const bool sick = !slice.problem.empty();
    return std::tuple(sick, sick ? 0.0 : dot(slice.position, normal), slice.file.string(), slice.frame);
  };
  std::sort(slices.begin(), slices.end(), [&](const Slice& a, const Slice& b) { return order(a) < order(b); });
}

Reading read_series(std::span<const Slice> slices) {
  const Layout layout = layout_of(slices);
  const Slice& first = slices.front();
  const auto count = static_cast<std::int64_t>(slices.size());
  for (const Slice& slice : slices) PixelReader::require_room(slice);
  Reading reading{{at::empty({count, first.rows, first.columns}, at::kShort), layout.grid}, layout.notices};
  const auto plane = static_cast<std::size_t>(first.rows * first.columns);
  auto* voxels = reading.volume.hounsfield.data_ptr<std::int16_t>();
  PixelReader pixels;
  for (std::size_t k = 0; k < slices.size(); ++k) {
    throw_if_stopped();
    pixels.read_hounsfield(slices[k], {voxels + k * plane, plane});
  }
  require_hounsfield(slices, reading.volume, reading.notices);
  if (std::any_of(slices.begin(), slices.end(), [](const Slice& slice) { return slice.lossy; }))
    reading.notices.emplace_back("the slices were compressed with loss, so the values are not those of the scanner");
  if (layout.needs_resampling()) reading.volume.hounsfield = resampled(reading.volume.hounsfield, layout);
  return reading;
}

std::string digest_of(std::span<const Slice> slices) {
  Digest digest;
  const Slice* last = nullptr;
  for (const Slice& slice : slices) {
    if (last == nullptr || last->file != slice.file) digest.add(bytes_of(slice));
    if (slice.frames > 1) digest.add(text("frame ", slice.frame, "\n"));
    last = &slice;
  }
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
