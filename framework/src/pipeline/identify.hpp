#pragma once

// Which bone is this? A query's fingerprint against a gallery: the nearest bones, the classifier's answer or "unknown",
// and how sure that is.

#include "pipeline/model.hpp"

namespace osteon::pipeline {

/// A bone of the gallery by its fingerprint that lies nearest to the query's.
struct Candidate {
  std::string id;
  double distance = 0;        ///< Euclidean
  std::size_t entry = 0;      ///< of the gallery: the nearest fingerprint
  std::int64_t picture = -1;  ///< row of the gallery's pictures: the entry's, else one of the bone's
};

struct Answer {
  std::string classifier;
  std::string id;         ///< the bone that the classifier names; "" when it names none itself
  bool accepted = false;  ///< false: unknown
  double score = 0;
  double accept_from = 0;             ///< NaN: not calibrated, every answer is accepted
  double rate = 0;                    ///< the false-accept rate that `accept_from` was chosen for
  Strangers strangers;                ///< what the same classifier gives to people whom this gallery does not know
  PeopleScores known;                 ///< and to known bones; nobody unless the gallery is the model's own
  std::vector<Candidate> candidates;  ///< nearest first
  std::vector<std::string> notices;
};

/// Fits the classifier named (the model's first where it is "") to the gallery and asks it. `own` says that the gallery
/// is the model's. Throws `Error` for an empty gallery, one of another network, and a classifier that the model has
/// not.
[[nodiscard]] Answer identify(host::Registry& registry, const Model& model, const Gallery& gallery, bool own,
                              const Query& query, const std::string& classifier, std::int64_t top);

/// The answer as lines for a terminal.
[[nodiscard]] std::vector<std::string> told(const Answer& answer, const Gallery& gallery);

/// The query and the best candidates side by side, uint8 `[H, W, 3]`.
[[nodiscard]] at::Tensor picture_of(const Answer& answer, const Gallery& gallery, const Query& query);

/// A page of its own with the picture and the lines.
[[nodiscard]] std::string page_of(const Answer& answer, const Gallery& gallery, const Query& query, const Model& model);

}  // namespace osteon::pipeline
