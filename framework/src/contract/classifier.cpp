// What a classifier promises (osteon/classifier.hpp).

#include "contract/kind.hpp"

#include <osteon/classifier.hpp>

#include <ATen/Functions.h>

#include <algorithm>

namespace osteon::contract {

namespace {

constexpr std::int64_t kSize = 16, kEach = 10, kQueries = 12;

/// Labels as bones have them: neither in order nor without gaps.
const std::vector<std::int64_t> kLabels = {5, 17, 2, 40};

struct GalleryOfBones {
  at::Tensor embeddings, labels, queries;
};

GalleryOfBones gallery_of_bones(std::uint64_t seed) {
  const auto count = static_cast<std::int64_t>(kLabels.size());
  const at::Tensor centres = unit_rows(count, kSize, seed);
  const at::Tensor rows = centres.repeat_interleave(kEach, 0) + 0.3 * unit_rows(count * kEach, kSize, seed + 1);
  const at::Tensor queries =
      centres.repeat_interleave(kQueries / count, 0) + 0.3 * unit_rows(kQueries, kSize, seed + 2);
  return {rows.contiguous(), at::tensor(kLabels, at::kLong).repeat_interleave(kEach), queries.contiguous()};
}

class ClassifierInUse final : public Subject {
 public:
  explicit ClassifierInUse(std::unique_ptr<Classifier> classifier) : classifier_(std::move(classifier)) {
    const GalleryOfBones gallery = gallery_of_bones(20);
    classifier_->fit(gallery.embeddings, gallery.labels);
  }

  std::string use(int input) override {
    const Prediction answer =
        classifier_->predict(gallery_of_bones(20 + 10 * static_cast<std::uint64_t>(input)).queries);
    Digest digest;
    add_to(digest, answer.labels);
    add_to(digest, answer.scores);
    return digest.hex();
  }

 private:
  std::unique_ptr<Classifier> classifier_;
};

std::unique_ptr<Subject> classifier_subject(const Candidate& candidate, const Parameters& values,
                                            std::uint64_t /*seed*/) {
  return std::make_unique<ClassifierInUse>(candidate.make<Classifier>(values));
}

void expect_prediction(const std::string& what, const Prediction& answer, std::int64_t queries) {
  const auto is_row = [queries](const at::Tensor& t, at::ScalarType type) {
    return t.defined() && t.dim() == 1 && t.size(0) == queries && t.scalar_type() == type;
  };
  expect(is_row(answer.labels, at::kLong), what + ", labels", text("Long [", queries, "]"), described(answer.labels));
  expect(is_row(answer.scores, at::kFloat), what + ", scores", text("Float [", queries, "]"), described(answer.scores));
}

void expect_known_labels(const std::string& what, const at::Tensor& labels, const at::Tensor& known) {
  const auto *label = labels.data_ptr<std::int64_t>(), *first = known.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < labels.numel(); ++i)
    expect(label[i] == -1 || std::find(first, first + known.numel(), label[i]) != first + known.numel(), what,
           "labels of the gallery, or -1", text(label[i]));
}

std::string classifier_outputs(const Candidate& candidate) {
  const auto classifier = candidate.make<Classifier>();
  const GalleryOfBones gallery = gallery_of_bones(20);
  const std::string before = digest_of(gallery.embeddings) + digest_of(gallery.labels) + digest_of(gallery.queries);
  classifier->fit(gallery.embeddings, gallery.labels);
  for (const std::int64_t count : {kQueries, std::int64_t{1}}) {
    const Prediction answer = classifier->predict(gallery.queries.slice(0, 0, count));
    const std::string what = text("the answer to ", count, count == 1 ? " query" : " queries");
    expect_prediction(what, answer, count);
    expect_known_labels(what, answer.labels, gallery.labels);
    expect(!answer.scores.isnan().any().item<bool>(), what, "scores that are numbers", "NaN");
  }
  expect(digest_of(gallery.embeddings) + digest_of(gallery.labels) + digest_of(gallery.queries) == before,
         "gallery and queries", "to be left as they are", "that it has written into them");
  return "int64 labels of the gallery and float32 scores, one a query";
}

/// Answers for a gallery that leaves little to learn, or refuses it.
void expect_sound(const Candidate& candidate, const std::string& what, const at::Tensor& rows, const at::Tensor& labels,
                  const at::Tensor& queries) {
  const auto classifier = candidate.make<Classifier>();
  (void)answers_or_refuses(what, [&] {
    classifier->fit(rows.contiguous(), labels);
    const Prediction answer = classifier->predict(queries);
    expect(answer.scores.numel() == queries.size(0) && !answer.scores.isnan().any().item<bool>(), what,
           "scores that are numbers, one a query", answer.scores.numel() == queries.size(0) ? "NaN" : "others");
    expect_known_labels(what, answer.labels, labels);
  });
}

std::string classifier_degenerate(const Candidate& candidate) {
  const GalleryOfBones gallery = gallery_of_bones(20);
  const at::Tensor one = gallery.embeddings.slice(0, 0, 1), labels = gallery.labels;
  const auto fresh = candidate.make<Classifier>();
  expect_refusal("a query before a gallery", [&] { (void)fresh->predict(gallery.queries); });
  fresh->fit(gallery.embeddings, labels);
  expect_refusal("a query of another size", [&] { (void)fresh->predict(gallery.queries.slice(1, 0, 8).contiguous()); });
  (void)answers_or_refuses("no query at all", [&] {
    const Prediction answer = fresh->predict(gallery.queries.slice(0, 0, 0));
    expect(answer.labels.numel() == 0 && answer.scores.numel() == 0, "no query at all", "no answer", "some");
  });
  expect_sound(candidate, "a gallery of one embedding", one, labels.slice(0, 0, 1), gallery.queries);
  expect_sound(candidate, "a gallery of one bone", gallery.embeddings.slice(0, 0, kEach), labels.slice(0, 0, kEach),
               gallery.queries);
  expect_sound(candidate, "a gallery whose embeddings are all equal", one.repeat({labels.numel(), 1}), labels,
               gallery.queries);
  expect_sound(candidate, "a gallery and queries of zeros", at::zeros_like(gallery.embeddings), labels,
               at::zeros_like(gallery.queries));
  expect_sound(candidate, "one embedding a bone", gallery.embeddings.slice(0, 0, labels.numel(), kEach),
               at::tensor(kLabels, at::kLong), gallery.queries);
  expect_refusal("an empty gallery", [&] {
    const auto classifier = candidate.make<Classifier>();
    classifier->fit(gallery.embeddings.slice(0, 0, 0), labels.slice(0, 0, 0));
    (void)classifier->predict(gallery.queries);
  });
  return "9 galleries and queries answered or refused in words";
}

std::string classifier_state(const Candidate& candidate) {
  const auto refitted = candidate.make<Classifier>(), fresh = candidate.make<Classifier>();
  const GalleryOfBones first = gallery_of_bones(20), second = gallery_of_bones(50);
  const std::int64_t half = second.labels.numel() / 2;
  refitted->fit(first.embeddings, first.labels);
  (void)refitted->predict(first.queries);
  for (Classifier* each : {refitted.get(), fresh.get()})
    each->fit(second.embeddings.slice(0, 0, half).contiguous(), second.labels.slice(0, 0, half).contiguous());
  const Prediction expected = fresh->predict(first.queries), found = refitted->predict(first.queries);
  if (digest_of(fresh->predict(first.queries).scores) != digest_of(expected.scores))
    throw NotRun{"its answers do not repeat themselves (see determinism)"};
  expect(digest_of(found.labels) == digest_of(expected.labels) && digest_of(found.scores) == digest_of(expected.scores),
         "answers after a second gallery", "those of one that knows the second alone", "others");
  return "a second gallery replaces the first";
}

}  // namespace

KindContract classifier_contract() {
  return {classifier_subject,          classifier_outputs, classifier_degenerate,
          nothing_declared_of_threads, nothing_is_trained, classifier_state};
}

}  // namespace osteon::contract
