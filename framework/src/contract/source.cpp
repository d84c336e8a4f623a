// What a source promises (osteon/source.hpp).

#include "contract/kind.hpp"

#include <osteon/source.hpp>

#include <ATen/Functions.h>

#include <future>
#include <set>

namespace osteon::contract {

namespace {

std::unique_ptr<Source> with_secret(std::unique_ptr<Source> source) {
  source->keep_secret("the contract suite");
  return source;
}

/// What every run asks first. An acquisition would take seconds; outputs and threads ask for some.
class SourceInUse final : public Subject {
 public:
  explicit SourceInUse(std::unique_ptr<Source> source) : source_(with_secret(std::move(source))) {}

  std::string use(int /*input*/) override {
    Digest digest;
    for (const SpecimenInfo& specimen : source_->specimens()) {
      digest.add(specimen.id).add(specimen.subject).add(to_text(specimen.side));
      for (int i = 0; i < specimen.acquisitions; ++i) digest.add(source_->content_digest(specimen, i));
    }
    return digest.hex();
  }

 private:
  std::unique_ptr<Source> source_;
};

std::unique_ptr<Subject> source_subject(const Candidate& candidate, const Parameters& values, std::uint64_t /*seed*/) {
  return std::make_unique<SourceInUse>(candidate.make<Source>(values));
}

void expect_sound_acquisition(const std::string& what, const Acquisition& made) {
  if (made.radiographs) {
    for (const Radiograph* each : {&made.radiographs->ap, &made.radiographs->ml}) {
      const bool is_picture =
          each->intensity.defined() && each->intensity.dim() == 2 && each->intensity.scalar_type() == at::kFloat;
      expect(is_picture, what, "radiographs Float [H, W]", described(each->intensity));
      expect(all_finite(each->intensity), what, "finite pixels", "others");
    }
    expect(!made.volume.hounsfield.defined(), what, "a volume or a pair of radiographs", "both");
    return;
  }
  try {
    made.volume.check();
    if (made.truth) made.truth->check();
  } catch (const Error& error) {
    throw Broken{text(what, ": expected a sound volume and surface, found: ", error.what())};
  }
  expect(made.volume.grid == made.volume.grid.canonical(), what, "a canonical grid", "one that is not");
  const at::Tensor& mask = made.bone_mask;
  expect(!mask.defined() || (mask.scalar_type() == at::kByte && mask.sizes() == made.volume.hounsfield.sizes()), what,
         "a bone mask of the volume's shape", described(mask));
}

std::string source_outputs(const Candidate& candidate) {
  const auto source = with_secret(candidate.make<Source>());
  const std::vector<SpecimenInfo> specimens = source->specimens();
  expect(!specimens.empty(), "the specimens", "at least one", "none");
  std::set<std::string> ids;
  for (const SpecimenInfo& specimen : specimens) {
    const std::string what = text("specimen \"", specimen.id, "\"");
    expect(ids.insert(specimen.id).second, what, "one of that name", "two");
    expect(!specimen.subject.empty() && specimen.acquisitions > 0, what, "a person and an acquisition",
           specimen.subject.empty() ? "no person" : "no acquisition");
  }
  expect_sound_acquisition(text("specimen \"", specimens.front().id, "\""), source->acquire(specimens.front(), 0));
  return text(specimens.size(), " specimens with names of their own; the first one's acquisition is sound");
}

std::string digest_of_acquisition(const Source& source, const SpecimenInfo& specimen) {
  const Acquisition made = source.acquire(specimen, 0);
  Digest digest;
  add_to(digest, made.volume.hounsfield);
  if (made.truth) add_to(digest, made.truth->vertices);
  add_to(digest, made.bone_mask);
  if (made.radiographs) add_to(digest, made.radiographs->ap.intensity), add_to(digest, made.radiographs->ml.intensity);
  return digest.hex();
}

std::string source_threads(const Candidate& candidate) {
  const auto source = with_secret(candidate.make<Source>());
  const std::vector<SpecimenInfo> specimens = source->specimens();
  const std::array<SpecimenInfo, 2> asked{specimens.front(), specimens.back()};
  const std::array<std::string, 2> alone{digest_of_acquisition(*source, asked[0]),
                                         digest_of_acquisition(*source, asked[1])};
  std::vector<std::future<std::string>> answers;
  for (const std::size_t i : {1, 0})
    answers.push_back(
        std::async(std::launch::async, [&source, &asked, i] { return digest_of_acquisition(*source, asked[i]); }));
  // Other threads, the other order: an acquisition is a function of its specimen alone.
  for (const std::size_t i : {0, 1})
    expect(answers[i].get() == alone[1 - i], "two acquisitions made in 2 threads at once",
           "those of one thread, bit for bit", "others");
  return "2 threads at once give what one gives";
}

}  // namespace

KindContract source_contract() {
  return {source_subject, source_outputs, no_such_check, source_threads, nothing_is_trained, nothing_is_kept};
}

}  // namespace osteon::contract
