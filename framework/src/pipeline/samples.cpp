#include "pipeline/samples.hpp"

#include "pipeline/stage_tools.hpp"

#include <ATen/Functions.h>

#include <cstdio>

namespace osteon::pipeline {

namespace {

constexpr std::int64_t kThumbnailHeight = 48;

const char* word_of(Role role) {
  switch (role) {
    case Role::training:
      return "training";
    case Role::validation:
      return "validation";
    case Role::gallery:
      return "gallery";
    case Role::query:
      return "query";
  }
  return "?";
}

}  // namespace

void show_samples(const RunContext& run, const Cohort& cohort, const ImageTable& images) {
  std::vector<bool> shown(cohort.scans.size(), false);
  std::vector<std::int64_t> nominal(cohort.scans.size(), -1);
  const auto deviation = [&](std::int64_t i) {
    const ImageRow& row = images.rows[static_cast<std::size_t>(i)];
    return std::abs(row.axial) + std::abs(row.tilt) + std::abs(row.in_plane);
  };
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(images.scan.size()); ++i) {
    std::int64_t& best = nominal[images.scan[static_cast<std::size_t>(i)]];
    if (best < 0 || deviation(i) < deviation(best)) best = i;
  }
  for (std::size_t s = 0; s < cohort.scans.size(); ++s) {
    const Scan& scan = cohort.scans[s];
    const auto row = static_cast<std::size_t>(nominal[s]);
    const EvidenceBone& bone = images.bone_of(nominal[s]);
    char angles[96];
    std::snprintf(angles, sizeof angles, "axial %.0f°, tilt %.0f°, in-plane %.0f°, %.0f keV", images.rows[row].axial,
                  images.rows[row].tilt, images.rows[row].in_plane, images.rows[row].energy);
    run.reporters(Picture{scan.acquisition == 0 ? "bones" : "queries",
                          text(bone.id, bone.held_out ? " (held out)" : "", ": ", angles), images.pixels[nominal[s]]});
  }
}

PicturedMap pictured(const EmbeddingMap& map, const ImageTable& images) {
  PicturedMap shown{map, {}, {}, {}, {}, {}};
  const std::vector<std::int64_t> rows = as_vector(map.images);
  const std::int64_t height = std::min(kThumbnailHeight, images.pixels.height());
  const std::int64_t width = std::max<std::int64_t>(1, height * images.pixels.width() / images.pixels.height());
  shown.thumbnails = at::empty({std::ssize(rows), height, width}, at::kByte);
  const auto* bone = images.bone.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int64_t row = rows[i];
    const EvidenceBone& shows = images.bones[static_cast<std::size_t>(bone[row])];
    shown.thumbnails[static_cast<std::int64_t>(i)] =
        at::adaptive_avg_pool2d(images.pixels[row].to(at::kFloat).unsqueeze(0), {height, width})
            .round()
            .to(at::kByte)
            .squeeze(0);
    shown.bones.push_back(shows.id);
    shown.held_out.push_back(shows.held_out);
    shown.roles.emplace_back(word_of(images.role[static_cast<std::size_t>(row)]));
    shown.rows.push_back(images.rows[static_cast<std::size_t>(row)]);
  }
  return shown;
}

}  // namespace osteon::pipeline
