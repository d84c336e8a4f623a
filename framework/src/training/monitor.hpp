#pragma once

// Watches a training for the ways in which metric learning fails silently, and names the remedy.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace osteon::training {

/// What an epoch's batches showed, on average.
struct EpochSummary {
  double loss = 0;
  std::optional<double> between;  ///< squared distance of images of different classes
};

/// Collapse: the network maps all images to one point, where the triplet loss stands at its margin and its gradient
/// nearly vanishes (Schroff et al. 2015; Hermans et al. 2017, section 3.2; Wu et al. 2017, section 3); a loss over
/// classes then stands at that of a blind guess.
class CollapseDetector {
 public:
  /// `margin` of the loss, negative where it has none; `classes` where it scores classes, else 0; `unit`: whether the
  /// embeddings are unit rows, for which distances have a scale.
  CollapseDetector(double margin, std::int64_t classes, bool unit) : margin_(margin), classes_(classes), unit_(unit) {}

  /// After each epoch, from 1. What to tell the user, once for a collapse that lasts; nothing when all is well.
  [[nodiscard]] std::optional<std::string> look(std::int64_t epoch, const EpochSummary& summary);

 private:
  double margin_;
  std::int64_t classes_;
  bool unit_;
  bool told_ = false;
};

/// Mean of `distances` over pairs of different labels; nothing where there is none.
[[nodiscard]] std::optional<double> mean_between(const at::Tensor& distances, const at::Tensor& labels);

}  // namespace osteon::training
