#pragma once

// X-rays of a run that its report shows.

#include "pipeline/stages.hpp"

namespace osteon::pipeline {

/// Sample X-rays for the report: the nominal pose of each bone's first acquisition, and one query of each.
void show_samples(const RunContext& run, const Cohort& cohort, const ImageTable& images);

/// A map of embeddings with a small picture of each X-ray on it.
[[nodiscard]] PicturedMap pictured(const EmbeddingMap& map, const ImageTable& images);

}  // namespace osteon::pipeline
