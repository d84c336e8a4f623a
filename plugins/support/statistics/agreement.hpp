#pragma once

// How far two groupings of the same things agree, whatever the groups are called: mutual information, normalised to 1
// for equal groupings, and adjusted for what random groupings of the same sizes share.
//
// NMI(U, V) = MI / mean(H(U), H(V)) and AMI(U, V) = (MI - E[MI]) / (mean(H(U), H(V)) - E[MI]) with the arithmetic mean
// and the exact expectation under the hypergeometric model of randomness (Vinh, Epps and Bailey, "Information theoretic
// measures for clusterings comparison", JMLR 11, 2010, equation 24a): scikit-learn's defaults.
//
// `first` and `second` hold the group of each thing; any integers. All functions throw an `Error` for lists of
// different length, and give NaN for empty ones.

#include <cstdint>
#include <span>

namespace osteon::statistics {

using Groups = std::span<const std::int64_t>;

/// Shannon entropy of one grouping, in nats.
[[nodiscard]] double entropy(Groups groups);

/// In nats, at least 0.
[[nodiscard]] double mutual_information(Groups first, Groups second);

/// Mean of the mutual information, in nats, when the groups' members are dealt anew and the sizes kept.
[[nodiscard]] double expected_mutual_information(Groups first, Groups second);

/// 0 … 1; large by chance alone where groups are many and small. Two groupings of one group each agree fully: 1.
[[nodiscard]] double normalized_mutual_information(Groups first, Groups second);

/// 1 for equal groupings, 0 on average for random ones, negative below that. 1 where the sizes leave one grouping only:
/// both all in one group, or both all apart.
[[nodiscard]] double adjusted_mutual_information(Groups first, Groups second);

}  // namespace osteon::statistics
