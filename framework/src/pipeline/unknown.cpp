#include "pipeline/unknown.hpp"

#include "pipeline/stage_tools.hpp"

#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <limits>

namespace osteon::pipeline {

namespace {

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

/// These rows of the images, with their people.
Labelled labelled(const EmbeddingSet& set, const ImageTable& images, const at::Tensor& rows) {
  Labelled result{set.vectors.index_select(0, rows).contiguous(), images.bone.index_select(0, rows), {}};
  for (const std::int64_t row : as_vector(rows)) result.person.push_back(images.bone_of(row).subject);
  return result;
}

/// The rows whose person is one of `people`, or is not.
Labelled part_of(const Labelled& all, const std::set<std::string>& people, bool wanted) {
  std::vector<std::int64_t> rows;
  Labelled part;
  for (std::size_t i = 0; i < all.person.size(); ++i) {
    if (people.contains(all.person[i]) != wanted) continue;
    rows.push_back(static_cast<std::int64_t>(i));
    part.person.push_back(all.person[i]);
  }
  const at::Tensor index = at::tensor(rows, at::kLong);
  part.vectors = all.vectors.index_select(0, index).contiguous();
  part.labels = all.labels.index_select(0, index);
  return part;
}

std::int64_t bones_in(const Labelled& some) {
  const std::vector<std::int64_t> bones = as_vector(some.labels);
  return std::ssize(std::set<std::int64_t>(bones.begin(), bones.end()));
}

/// Who plays the strangers together: everyone once, and all at once before a gallery that knows none of them.
std::vector<std::set<std::string>> dealt(const std::vector<std::string>& people, const Labelled& gallery,
                                         std::int64_t groups, std::uint64_t seed) {
  const std::set<std::string> all(people.begin(), people.end());
  if (std::ranges::none_of(gallery.person, [&](const std::string& one) { return all.contains(one); })) return {all};
  std::vector<std::set<std::string>> result(static_cast<std::size_t>(std::min(groups, std::ssize(people))));
  const auto order = Random(seed, "strangers").permutation(std::ssize(people));
  for (std::size_t i = 0; i < people.size(); ++i)
    result[i % result.size()].insert(people[static_cast<std::size_t>(order[i])]);
  return result;
}

/// What one image of each person counts.
std::map<std::string, double> weight_of_image(const std::vector<std::string>& person) {
  std::map<std::string, double> weight;
  for (const std::string& one : person) ++weight[one];
  for (auto& [one, images] : weight) images = 1 / (images * static_cast<double>(weight.size()));
  return weight;
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
  const std::map<std::string, double> weight = weight_of_image(person);
  std::vector<std::pair<float, double>> weighted;  // score, share of all
  for (std::int64_t i = 0; i < scores.numel(); ++i)
    weighted.emplace_back(scores.data_ptr<float>()[i], weight.at(person[static_cast<std::size_t>(i)]));
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

std::int64_t PeopleScores::people() const { return std::ssize(std::set<std::string>(person.begin(), person.end())); }

double PeopleScores::share_reaching(double score) const {
  if (person.empty()) return std::numeric_limits<double>::quiet_NaN();
  const std::map<std::string, double> weight = weight_of_image(person);
  double share = 0;
  for (std::size_t i = 0; i < person.size(); ++i)
    if (scores.data_ptr<float>()[i] >= score) share += weight.at(person[i]);
  return share;
}

PeopleScores ask_strangers(const host::ClassifierHandle& classifier, const Labelled& gallery, const Labelled& asked,
                           const std::vector<std::string>& people, std::int64_t groups, std::uint64_t seed) {
  std::vector<at::Tensor> scores{at::empty({0}, at::kFloat)};
  PeopleScores result;
  for (const std::set<std::string>& strangers : dealt(people, gallery, groups, seed)) {
    throw_if_stopped();
    const Labelled known = part_of(gallery, strangers, false), queries = part_of(asked, strangers, true);
    // Between fewer than two bones there is nothing to decide; a gallery that was given with one bone is another
    // matter.
    const bool is_whole = known.person.size() == gallery.person.size();
    if ((!is_whole && bones_in(known) < 2) || queries.person.empty()) continue;
    classifier.fit(known.vectors, known.labels);
    scores.push_back(classifier.predict(queries.vectors).scores);
    result.person.insert(result.person.end(), queries.person.begin(), queries.person.end());
  }
  result.scores = at::cat(scores).contiguous();
  return result;
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
  const PeopleScores strangers = ask_strangers(classifier, labelled(set, images, known), labelled(set, images, asked),
                                               people, unknown.integer("groups"), seed);
  return threshold_for(strangers.scores, strangers.person, rate);
}

at::Tensor scores_of_strangers(const host::ClassifierHandle& classifier, const EmbeddingSet& set,
                               const ImageTable& images, const at::Tensor& gallery, const at::Tensor& queries) {
  at::Tensor scores = at::full({queries.numel()}, std::numeric_limits<float>::quiet_NaN(), at::kFloat);
  std::map<std::string, std::vector<std::int64_t>> places;  // in `queries`, by person
  for (std::int64_t q = 0; q < queries.numel(); ++q)
    places[images.bone_of(queries.data_ptr<std::int64_t>()[q]).subject].push_back(q);
  for (const auto& [person, own] : places) {
    throw_if_stopped();
    const at::Tensor others = select(gallery, [&](std::int64_t row) { return images.bone_of(row).subject != person; });
    if (bones_in(images, others) < 2) return {};
    fit(classifier, set, images, others);
    const at::Tensor where = at::tensor(own, at::kLong), rows = queries.index_select(0, where);
    scores.index_put_({where}, classifier.predict(set.vectors.index_select(0, rows).contiguous()).scores);
  }
  return scores;
}

}  // namespace osteon::pipeline
