#include "pipeline/identify.hpp"

#include "config/document.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

namespace osteon::pipeline {

namespace {

/// With none seen in n independent trials, rates up to 3/n are compatible (Hanley and Lippman-Hand, JAMA 249, 1983).
constexpr double kRuleOfThree = 3;

const PackedClassifier& chosen(const Pack& pack, const std::string& name, const std::string& file) {
  if (pack.classifiers.empty())
    throw Error(text(file, ": the model has no classifier; its run's experiment names none, as [classifier.NAME]"));
  if (name.empty()) return pack.classifiers.front();
  std::vector<std::string> names;
  for (const PackedClassifier& one : pack.classifiers) {
    if (one.choice.instance == name) return one;
    names.push_back(one.choice.instance);
  }
  throw Error(text("--classifier ", name, ": the model has ", config::join(names, ", ")));
}

/// The bones of a gallery by distance, nearest first.
std::vector<Candidate> nearest_bones(const Gallery& gallery, const at::Tensor& fingerprint) {
  const at::Tensor distances = (gallery.fingerprints.to(at::kDouble) - fingerprint.to(at::kDouble).unsqueeze(0))
                                   .square()
                                   .sum(1)
                                   .sqrt()
                                   .contiguous();
  std::map<std::string, Candidate> bones;
  for (std::size_t i = 0; i < gallery.entries.size(); ++i) {
    const GalleryEntry& entry = gallery.entries[i];
    const double distance = distances.data_ptr<double>()[i];
    const auto [place, is_new] = bones.try_emplace(entry.id, Candidate{entry.id, distance, i, entry.picture});
    Candidate& bone = place->second;
    if (!is_new && distance < bone.distance) {
      bone.distance = distance, bone.entry = i;
      if (entry.picture >= 0) bone.picture = entry.picture;
    }
    if (bone.picture < 0) bone.picture = entry.picture;
  }
  std::vector<Candidate> result;
  for (auto& [id, bone] : bones) result.push_back(std::move(bone));
  std::ranges::stable_sort(result, {}, &Candidate::distance);
  return result;
}

void add_notices(Answer& answer, const Gallery& gallery, const Query& query, bool own) {
  if (!own && !std::isnan(answer.accept_from))
    answer.notices.push_back(
        text("the threshold is from ", answer.strangers.trained.people(),
             " people of the model's training, asked against this gallery; how its own bones score "
             "on another day it does not know"));
  const auto same = std::ranges::find(gallery.entries, answer.id, &GalleryEntry::id);
  if (answer.accepted && same != gallery.entries.end() && query.side != Side::unknown && same->side != Side::unknown &&
      query.side != same->side)
    answer.notices.push_back(text("bone ", answer.id, " is a ", to_text(same->side),
                                  " one and the query is said to be a ", to_text(query.side), " one"));
  if (answer.accepted && !answer.candidates.empty() && answer.candidates.front().id != answer.id)
    answer.notices.push_back(text("the nearest fingerprint is one of ", answer.candidates.front().id,
                                  "; the classifier weighs more than that"));
}

std::string four_digits(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.4g", value);
  return digits;
}

std::string percent(double share) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.1f %%", 100 * share);
  return digits;
}

/// How many of these people's X-rays score as high, and how much so few of them can say.
std::string share_text(const PeopleScores& people, double score, const std::string& who) {
  const double share = people.share_reaching(score);
  const double least = std::min(1.0, kRuleOfThree / static_cast<double>(people.people()));
  return text(percent(share), " of the X-rays of ", people.people(), people.people() == 1 ? " stranger" : " strangers",
              who, " score as high",
              share < least ? text("; so few people vouch for ", percent(least), " at best") : std::string());
}

std::vector<std::string> confidence(const Answer& answer) {
  const Strangers& strangers = answer.strangers;
  if (strangers.trained.person.empty()) return {"confidence not known: nobody to calibrate with"};
  std::vector<std::string> lines = {"confidence " + share_text(strangers.trained, answer.score, "")};
  if (!strangers.unseen.person.empty())
    lines.push_back("           " + share_text(strangers.unseen, answer.score, " that the network never saw"));
  if (!answer.known.person.empty())
    lines.push_back(text("           ", percent(answer.known.share_reaching(answer.score)),
                         " of those of known bones, from scans of their own"));
  return lines;
}

std::string pose_text(const GalleryEntry& entry) {
  if (!entry.pose) return "X-rays of " + entry.date.substr(0, 10);
  return text("axial ", four_digits(entry.pose->axial), "°, tilt ", four_digits(entry.pose->tilt), "°, in-plane ",
              four_digits(entry.pose->in_plane), "°",
              entry.energy > 0 ? text(", ", four_digits(entry.energy), " keV") : "");
}

}  // namespace

Answer identify(host::Registry& registry, const Model& model, const Gallery& gallery, bool own, const Query& query,
                const std::string& classifier, std::int64_t top) {
  const Pack& pack = model.pack();
  require_network("the gallery", gallery, pack.network);
  if (gallery.entries.empty()) throw Error("the gallery is empty; put bones into it with osteon enroll");
  const PackedClassifier& packed = chosen(pack, classifier, model.file().string());
  const host::ClassifierHandle handle(registry.find("classifier", packed.choice.plugin), packed.choice.parameters);

  Answer answer;
  answer.classifier = packed.choice.instance;
  answer.rate = pack.section("unknown").real("false_accept_rate");
  answer.strangers = own ? packed.strangers : strangers_of(handle, pack, gallery);
  if (own) answer.known = packed.known;
  const PeopleScores& trained = answer.strangers.trained;
  answer.accept_from = threshold_for(trained.scores, trained.person, answer.rate);
  handle.fit(gallery.fingerprints.contiguous(), gallery.labels());
  const Prediction prediction = handle.predict(query.fingerprint.unsqueeze(0).contiguous());
  const std::int64_t label = prediction.labels.item<std::int64_t>();
  answer.score = prediction.scores.item<float>();
  if (label >= 0) answer.id = gallery.bones()[static_cast<std::size_t>(label)];
  answer.accepted = label >= 0 && (std::isnan(answer.accept_from) || answer.score >= answer.accept_from);
  answer.candidates = nearest_bones(gallery, query.fingerprint);
  if (top > 0 && top < std::ssize(answer.candidates)) answer.candidates.resize(static_cast<std::size_t>(top));
  answer.notices = query.notices;
  add_notices(answer, gallery, query, own);
  return answer;
}

std::vector<std::string> told(const Answer& answer, const Gallery& gallery) {
  std::vector<std::string> lines;
  lines.push_back("answer     " + (answer.accepted ? answer.id : std::string("unknown")));
  std::string threshold = "not calibrated: every answer is taken";
  if (!std::isnan(answer.accept_from))
    threshold =
        text("accepted from ", four_digits(answer.accept_from), " on, for ", percent(answer.rate), " false accepts");
  lines.push_back(text("score      ", four_digits(answer.score), " by ", answer.classifier, " · ", threshold));
  if (!answer.accepted)
    lines.push_back(answer.id.empty() ? "why        the classifier itself names no bone"
                                      : text("why        ", answer.id, " is most alike, but not alike enough"));
  for (std::string& line : confidence(answer)) lines.push_back(std::move(line));
  std::size_t rank = 0, width = 4;
  for (const Candidate& one : answer.candidates) width = std::max(width, one.id.size());
  lines.push_back(text("rank  bone", std::string(width - 4, ' '), "  distance  nearest to"));
  for (const Candidate& one : answer.candidates) {
    char line[48];
    std::snprintf(line, sizeof line, "%4zu  ", ++rank);
    char distance[32];
    std::snprintf(distance, sizeof distance, "  %8.4f  ", one.distance);
    lines.push_back(line + one.id + std::string(width - one.id.size(), ' ') + distance +
                    pose_text(gallery.entries[one.entry]));
  }
  for (const std::string& notice : answer.notices) lines.push_back("note       " + notice);
  return lines;
}

}  // namespace osteon::pipeline
