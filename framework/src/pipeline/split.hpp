#pragma once

// Who trains, who is held out, which poses validate. Subjects are the unit: both bones of a person stay on one side.

#include <osteon/image_set.hpp>
#include <osteon/metric.hpp>
#include <osteon/parameters.hpp>
#include <osteon/specimen.hpp>

#include <set>
#include <span>
#include <string>
#include <vector>

namespace osteon::pipeline {

[[nodiscard]] Schema split_schema();  ///< [split]

/// The held-out people of a fold, 0 … `folds` - 1. Throws `Error` when fewer than two bones would be left to train on.
[[nodiscard]] std::set<std::string> held_out_subjects(const Parameters& split, std::span<const SpecimenInfo> specimens,
                                                      std::int64_t fold);

/// Whether a scan belongs to the gallery: the first `training_scans` of a bone, but never its last when it has several.
[[nodiscard]] bool is_gallery_scan(const Parameters& split, const SpecimenInfo& specimen, int acquisition);

/// The role of each image of a gallery scan. Training bones: training and validation, drawn by pose (all
/// energies of one pose stay together). Held-out bones: gallery. When `queries_share_volume`, validation poses of
/// held-out bones become queries, since there is no other volume to take them from.
[[nodiscard]] std::vector<Role> gallery_roles(const Parameters& split, std::span<const ImageRow> images,
                                              std::uint64_t stream, bool held_out, bool queries_share_volume);

}  // namespace osteon::pipeline
