#pragma once

// Pictures of the distances: the study's scatter (its Figure 4), and histograms, with the thresholds drawn.

#include "pairs.hpp"

namespace osteon::separation {

/// What all charts of one embedding set share.
struct Drawing {
  const Evidence* evidence;
  const Identities* identities;
  const EmbeddingSet* set;
  std::vector<Chart::Guide> guides;
  std::string note;
};

/// A scatter and a histogram of the pairs of `column` whose images both have `bit` of `membership`. Nothing where there
/// are none. `where`: "within 4°, never trained on".
void add_charts(const Drawing& drawing, const Column& column, const std::vector<std::uint8_t>& membership, unsigned bit,
                const std::string& where, std::vector<Chart>& charts);

}  // namespace osteon::separation
