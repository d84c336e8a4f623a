#include "pipeline/unknown.hpp"

#include "pipeline/stage_tools.hpp"

#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <limits>

namespace osteon::pipeline {

namespace {

const std::string& person_of(const ImageTable& images, std::int64_t image) {
  return images.bones[static_cast<std::size_t>(images.bone.data_ptr<std::int64_t>()[image])].subject;
}

at::Tensor select(const at::Tensor& rows, const std::function<bool(std::int64_t)>& keep) {
  std::vector<std::int64_t> kept;
  for (const std::int64_t row : as_vector(rows))
    if (keep(row)) kept.push_back(row);
  return at::tensor(kept, at::kLong);
}

void fit(const host::ClassifierHandle& classifier, const EmbeddingSet& set, const ImageTable& images,
         const at::Tensor& gallery) {
  classifier.fit(set.vectors.index_select(0, gallery).contiguous(), images.bone.index_select(0, gallery));
}

std::int64_t bones_in(const ImageTable& images, const at::Tensor& rows) {
  std::set<std::int64_t> bones;
  for (const std::int64_t row : as_vector(rows)) bones.insert(images.bone.data_ptr<std::int64_t>()[row]);
  return std::ssize(bones);
}

}  // namespace

Schema unknown_schema() {
  return {
      "When classifiers answer \"unknown\": calibrated on validation images of bones that the network was trained on",
      {Parameter::real("false_accept_rate", 0.1,
                       "Share of the X-rays of strangers that may be taken for a bone of the gallery; 0: classifiers "
                       "are not calibrated and always answer.")
           .at_least(0)
           .below(1),
       Parameter::integer("groups", 5,
                          "Into how many groups the trained people are dealt; each group in turn plays the strangers.")
           .at_least(2)
           .at_most(1000)}};
}

double threshold_for(const at::Tensor& scores, const std::vector<std::string>& person, double rate) {
  std::map<std::string, double> images_of;
  for (const std::string& one : person) ++images_of[one];
  std::vector<std::pair<float, double>> weighted;  // score, share of all
  for (std::int64_t i = 0; i < scores.numel(); ++i)
    weighted.emplace_back(scores.data_ptr<float>()[i],
                          1 / (images_of[person[static_cast<std::size_t>(i)]] * static_cast<double>(images_of.size())));
  if (weighted.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::ranges::sort(weighted, std::greater{});
  double accepted = 0, threshold = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < weighted.size();) {
    const float score = weighted[i].first;  // all of one score are accepted together
    for (; i < weighted.size() && weighted[i].first == score; ++i) accepted += weighted[i].second;
    if (accepted > rate + 1e-12)
      return threshold == std::numeric_limits<double>::infinity()
                 ? std::nextafter(score, std::numeric_limits<float>::infinity())
                 : threshold;
    threshold = score;
  }
  return threshold;
}

double calibrated_threshold(const host::ClassifierHandle& classifier, const EmbeddingSet& set, const ImageTable& images,
                            const Parameters& unknown, std::uint64_t seed) {
  const double rate = unknown.real("false_accept_rate");
  const auto rows_of = [&](Role role) {
    return images.rows_where([&](std::int64_t i) { return images.role[static_cast<std::size_t>(i)] == role; });
  };
  const at::Tensor known = rows_of(Role::training), asked = rows_of(Role::validation);
  if (rate == 0 || asked.numel() == 0) return std::numeric_limits<double>::quiet_NaN();

  std::vector<std::string> people;
  for (const EvidenceBone& bone : images.bones)
    if (!bone.held_out && std::ranges::find(people, bone.subject) == people.end()) people.push_back(bone.subject);
  const auto order = Random(seed, "strangers").permutation(std::ssize(people));
  const std::int64_t groups = std::min(unknown.integer("groups"), std::ssize(people));
  std::vector<at::Tensor> scores;
  std::vector<std::string> person;
  for (std::int64_t group = 0; group < groups; ++group) {
    throw_if_stopped();
    std::set<std::string> strangers;
    for (std::int64_t i = group; i < std::ssize(people); i += groups)
      strangers.insert(people[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
    const auto is_stranger = [&](std::int64_t row) { return strangers.contains(person_of(images, row)); };
    const at::Tensor gallery = select(known, [&](std::int64_t row) { return !is_stranger(row); });
    const at::Tensor queries = select(asked, is_stranger);
    if (bones_in(images, gallery) < 2 || queries.numel() == 0) continue;
    fit(classifier, set, images, gallery);
    scores.push_back(classifier.predict(set.vectors.index_select(0, queries).contiguous()).scores);
    for (const std::int64_t row : as_vector(queries)) person.push_back(person_of(images, row));
  }
  if (scores.empty()) return std::numeric_limits<double>::quiet_NaN();
  return threshold_for(at::cat(scores).contiguous(), person, rate);
}

at::Tensor scores_of_strangers(const host::ClassifierHandle& classifier, const EmbeddingSet& set,
                               const ImageTable& images, const at::Tensor& gallery, const at::Tensor& queries) {
  at::Tensor scores = at::full({queries.numel()}, std::numeric_limits<float>::quiet_NaN(), at::kFloat);
  std::map<std::string, std::vector<std::int64_t>> places;  // in `queries`, by person
  for (std::int64_t q = 0; q < queries.numel(); ++q)
    places[person_of(images, queries.data_ptr<std::int64_t>()[q])].push_back(q);
  for (const auto& [person, own] : places) {
    throw_if_stopped();
    const at::Tensor others = select(gallery, [&](std::int64_t row) { return person_of(images, row) != person; });
    if (bones_in(images, others) < 2) return {};
    fit(classifier, set, images, others);
    const at::Tensor where = at::tensor(own, at::kLong), rows = queries.index_select(0, where);
    scores.index_put_({where}, classifier.predict(set.vectors.index_select(0, rows).contiguous()).scores);
  }
  return scores;
}

}  // namespace osteon::pipeline
