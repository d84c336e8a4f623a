#pragma once

// What each estimator answered, laid onto the truths.

#include "comparison.hpp"

#include <optional>

namespace osteon::shape_error {

struct Method {
  std::string name;
  bool deforms = true;                            ///< it never chose a gallery bone
  std::vector<const ShapeCase::Answer*> answers;  ///< [case]; null where it has none
  std::vector<std::optional<Laid>> together;      ///< [case]: from all X-ray pairs
  std::vector<std::vector<Laid>> alone;           ///< [case][pair]
  std::vector<std::optional<Laid>> ceiling;       ///< [case]: its model fitted to the truth
};

/// In the order of first answers. Chosen bones reuse the candidates' alignments.
std::vector<Method> measured_methods(Comparison& comparison);

}  // namespace osteon::shape_error
