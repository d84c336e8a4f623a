#pragma once

// When a classifier answers "unknown": from which score on its answers are accepted, calibrated on validation images.

#include "host/handles.hpp"
#include "pipeline/stages.hpp"

namespace osteon::pipeline {

[[nodiscard]] Schema unknown_schema();  ///< [unknown]

/// The smallest score of which at most `rate` of the impostors' scores reach it or more, each person's images counting
/// as much as another's. `scores` float32 `[Q]`, `person` the person of each. NaN where there are none.
[[nodiscard]] double threshold_for(const at::Tensor& scores, const std::vector<std::string>& person, double rate);

/// Fingerprints of which one knows whose they are.
struct Labelled {
  at::Tensor vectors;               ///< float32 `[N, d]`
  at::Tensor labels;                ///< int64 `[N]`: the bone
  std::vector<std::string> person;  ///< of each
};

/// What X-rays of some people score, and whose they are.
struct PeopleScores {
  at::Tensor scores;                ///< float32 `[S]`; empty where nobody was asked
  std::vector<std::string> person;  ///< of each

  [[nodiscard]] std::int64_t people() const;
  /// Share of the scores that are `score` or more, each person's images counting as much as another's. NaN where there
  /// are none.
  [[nodiscard]] double share_reaching(double score) const;
};

/// Asks `classifier` about images of people whom it cannot know: `people` are dealt into `groups` at random, and each
/// group in turn is taken out of the gallery that it is fitted to and asked about. A gallery that knows none of them is
/// fitted to once. What the classifier was fitted to is lost.
[[nodiscard]] PeopleScores ask_strangers(const host::ClassifierHandle& classifier, const Labelled& gallery,
                                         const Labelled& asked, const std::vector<std::string>& people,
                                         std::int64_t groups, std::uint64_t seed);

/// Fits `classifier` to the training images of some of the trained people and asks it about validation images of the
/// others, whom it cannot know, so that in the end everyone was a stranger once. Returns the threshold for the rate in
/// [unknown]; NaN where that is 0, or where there are no validation images. What `classifier` was fitted to is lost.
[[nodiscard]] double calibrated_threshold(const host::ClassifierHandle& classifier, const EmbeddingSet& set,
                                          const ImageTable& images, const Parameters& unknown, std::uint64_t seed);

/// What `classifier` scores `queries` when the person of each has been taken out of the gallery: float32 `[Q]`.
[[nodiscard]] at::Tensor scores_of_strangers(const host::ClassifierHandle& classifier, const EmbeddingSet& set,
                                             const ImageTable& images, const at::Tensor& gallery,
                                             const at::Tensor& queries);

}  // namespace osteon::pipeline
