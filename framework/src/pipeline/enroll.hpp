#pragma once

// A bone that is known, put into a gallery.

#include "pipeline/model.hpp"

namespace osteon::pipeline {

struct Enrolment {
  std::string id, subject;     ///< pseudonyms; without a subject the bone's id is the person's
  std::filesystem::path mesh;  ///< the bone's surface, of which the SHA-256 is kept; "" for none
  QueryFiles files;
};

/// Adds the X-rays' fingerprint to the gallery's file, which is made when it isn't there. Safe when others do the same
/// at once, and when it is killed: the file holds all of the entry or nothing. X-rays that are in it already change
/// nothing. Returns what to tell. Throws `Error` as `Model::read` and `add_entry` do, and for a gallery of another
/// network.
[[nodiscard]] std::vector<std::string> enroll(const Model& model, const std::filesystem::path& gallery,
                                              const Enrolment& enrolment);

}  // namespace osteon::pipeline
