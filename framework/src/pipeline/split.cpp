#include "pipeline/split.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <algorithm>
#include <cmath>

namespace osteon::pipeline {

Schema split_schema() {
  return {
      "Who trains and who is held out; subjects, never bones or images, are divided",
      {Parameter::integer("held_out", 3, "People whose bones are never trained on, drawn with `seed`.").at_least(0),
       Parameter::texts("subjects", {}, "The held-out people by name, instead of a draw."),
       Parameter::integer(
           "folds", 1,
           "1 holds out the same people throughout. More: all people are dealt into so many groups, each "
           "of which is held out in turn, by a network of its own (as many folds as people: leave one "
           "person out); `held_out` and `subjects` then count for nothing.")
           .at_least(1)
           .at_most(1000),
       Parameter::real("validation", 0.3, "Share of the poses of each training bone that validate (the study: 0.3).")
           .above(0)
           .below(1),
       Parameter::integer("training_scans", 1,
                          "Scans of each bone that train and are its gallery; the others are queries, at least one.")
           .at_least(1),
       Parameter::integer("seed", 1, "Seed of both draws.").at_least(0)}};
}

std::set<std::string> held_out_subjects(const Parameters& split, std::span<const SpecimenInfo> specimens,
                                        std::int64_t fold) {
  std::vector<std::string> subjects;
  for (const SpecimenInfo& specimen : specimens) subjects.push_back(specimen.subject);
  std::ranges::sort(subjects);
  subjects.erase(std::ranges::unique(subjects).begin(), subjects.end());

  std::set<std::string> held_out;
  const auto seed = static_cast<std::uint64_t>(split.integer("seed"));
  const std::int64_t count = split.integer("held_out");
  if (const std::int64_t folds = split.integer("folds"); folds > 1) {
    if (folds > std::ssize(subjects))
      throw Error(text("split.folds is ", folds, ", but there are ", subjects.size(),
                       " people, and each fold holds out one of them at least; set split.folds to at most ",
                       subjects.size(), " or add people"));
    const auto order = Random(seed, "held-out subjects").permutation(std::ssize(subjects));
    for (std::size_t i = static_cast<std::size_t>(fold); i < order.size(); i += static_cast<std::size_t>(folds))
      held_out.insert(subjects[static_cast<std::size_t>(order[i])]);
  } else if (const auto& named = split.texts("subjects"); !named.empty()) {
    for (const std::string& subject : named) {
      if (std::ranges::find(subjects, subject) == subjects.end())
        throw Error("split.subjects: there is no subject \"" + subject + "\" among the specimens");
      held_out.insert(subject);
    }
  } else {
    const auto order = Random(seed, "held-out subjects").permutation(static_cast<std::int64_t>(subjects.size()));
    for (std::int64_t i = 0; i < std::min(count, static_cast<std::int64_t>(order.size())); ++i)
      held_out.insert(subjects[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
  }
  const auto left = std::ranges::count_if(specimens, [&](const auto& s) { return !held_out.contains(s.subject); });
  if (left < 2) {
    const bool in_turn = split.integer("folds") > 1;
    throw Error(text(in_turn ? "split.folds: " : "split.held_out: ", held_out.size(), " of ", subjects.size(),
                     " people held out leaves ", left, " bones to train on; at least 2 are needed: ",
                     in_turn ? "take more folds" : "hold fewer people out", " or add bones"));
  }
  return held_out;
}

bool is_gallery_scan(const Parameters& split, const SpecimenInfo& specimen, int acquisition) {
  const std::int64_t others = std::max(1, specimen.acquisitions - 1);
  return acquisition < std::min(split.integer("training_scans"), others);
}

std::vector<Role> gallery_roles(const Parameters& split, std::span<const ImageRow> images, std::uint64_t stream,
                                bool held_out, bool queries_share_volume) {
  std::int64_t poses = 0;
  for (const ImageRow& image : images) poses = std::max(poses, image.pose + 1);
  const auto order =
      Random(static_cast<std::uint64_t>(split.integer("seed")), "validation poses", stream).permutation(poses);
  const auto validating = static_cast<std::int64_t>(std::lround(split.real("validation") * static_cast<double>(poses)));
  std::vector<bool> validates(static_cast<std::size_t>(poses), false);
  for (std::int64_t i = 0; i < validating; ++i)
    validates[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])] = true;

  std::vector<Role> roles;
  for (const ImageRow& image : images) {
    const bool second = validates[static_cast<std::size_t>(image.pose)];
    if (held_out) {
      roles.push_back(second && queries_share_volume ? Role::query : Role::gallery);
    } else {
      roles.push_back(second ? Role::validation : Role::training);
    }
  }
  return roles;
}

}  // namespace osteon::pipeline
