#pragma once

// Weights of a file against a backbone: which tensor goes where, and what stands in the way.

#include "training/weights.hpp"

#include <osteon/backbone.hpp>
#include <osteon/parameters.hpp>

#include <map>
#include <string>
#include <vector>

namespace osteon::training {

[[nodiscard]] Schema weights_schema();  ///< [weights]: file and key

/// What first weights from a file add to a cache key: the file's content and the key; nothing when [weights] names no
/// file.
[[nodiscard]] std::map<std::string, std::string> weights_parts(const Parameters& weights);

struct WeightsFit {
  struct Match {
    const StoredTensor* stored;
    at::Tensor parameter;  ///< the network's own, or its buffer
  };
  std::string prefix;                 ///< in front of the network's names in the file: "module.", "backbone."
  std::vector<Match> matches;         ///< in the network's order
  std::vector<std::string> left_out;  ///< the file's tensors that belong to the class layer and auxiliary ones
  std::vector<std::string> outside;   ///< those without the prefix
  /// Names that only the network has, names that only the file has, sentences about those that both have.
  std::vector<std::string> missing, unexpected, misfits;
  std::string advice;  ///< what would make them fit, where that can be told

  [[nodiscard]] bool fits() const { return missing.empty() && unexpected.empty() && misfits.empty(); }
  /// The three lists, each with its number and up to ten names, and the advice; "" when it fits.
  [[nodiscard]] std::string complaint() const;
};

/// The result refers to `weights` and `backbone`.
[[nodiscard]] WeightsFit fit_weights(Network& backbone, const StateDict& weights);

/// Copies a file's weights into the network, in the network's precision. Throws one `Error` with all that is missing,
/// unexpected, of another shape or not finite; the network is then not to be used.
void load_backbone_weights(Network& backbone, const StateDict& weights);

/// The same as the section [weights] says; does nothing when it names no file.
void load_backbone_weights(Network& backbone, const Parameters& weights);

}  // namespace osteon::training
