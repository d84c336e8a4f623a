#pragma once

// Where the network looks, in the report.

#include "pipeline/stages.hpp"

namespace osteon::pipeline {

[[nodiscard]] Schema grad_cam_schema();  ///< [grad_cam]

/// A picture of each bone that was trained on: an X-ray, and its heat map of the class's score where the loss knows
/// classes, else of the similarity to the bone's mean fingerprint.
void show_heat_maps(const RunContext& run, const ImageTable& images, const TrainedModel& model,
                    const EmbeddingSet& fingerprints, Records& records);

}  // namespace osteon::pipeline
