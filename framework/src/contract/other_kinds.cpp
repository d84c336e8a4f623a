// Shapes, formats and reporters: what can be checked without data and without a run.

#include "contract/kind.hpp"

#include <osteon/format.hpp>
#include <osteon/reporter.hpp>
#include <osteon/shape.hpp>

#include <ATen/Functions.h>

namespace osteon::contract {

namespace {

/// What is made and destroyed, and asked nothing.
template <class Kind>
class Made final : public Subject {
 public:
  Made(const Candidate& candidate, const Parameters& values) : candidate_(&candidate), values_(values) {}
  std::string use(int /*input*/) override {
    (void)candidate_->make<Kind>(values_);
    return "";
  }

 private:
  const Candidate* candidate_;
  Parameters values_;
};

template <class Kind>
std::unique_ptr<Subject> made_subject(const Candidate& candidate, const Parameters& values, std::uint64_t /*seed*/) {
  auto made = std::make_unique<Made<Kind>>(candidate, values);
  (void)made->use(0);
  return made;
}

std::string shape_degenerate(const Candidate& candidate) {
  const auto shape = candidate.make<Shape>();
  expect_refusal("an empty gallery", [&] {
    ShapeGallery nobody;
    nobody.embeddings = at::empty({0, 8});
    nobody.bone = at::empty({0}, at::kLong);
    shape->fit(nobody);
  });
  return "an empty gallery is refused in words";
}

class FormatInUse final : public Subject {
 public:
  explicit FormatInUse(std::unique_ptr<Format> format) : format_(std::move(format)) {}
  std::string use(int /*input*/) override {
    Digest digest;
    for (const std::string& ending : format_->endings()) digest.add(ending);
    return digest.hex();
  }

 private:
  std::unique_ptr<Format> format_;
};

std::unique_ptr<Subject> format_subject(const Candidate& candidate, const Parameters& values, std::uint64_t /*seed*/) {
  return std::make_unique<FormatInUse>(candidate.make<Format>(values));
}

std::string format_outputs(const Candidate& candidate) {
  const auto format = candidate.make<Format>();
  for (const std::string& ending : format->endings()) {
    bool is_right = ending.size() > 1 && ending.front() == '.';
    for (const char c : ending) is_right = is_right && !(c >= 'A' && c <= 'Z');
    expect(is_right, "the endings", "a dot and lower case, as in .ply", "\"" + ending + "\"");
  }
  return text(format->endings().size(), " endings (no file is written)");
}

std::string format_degenerate(const Candidate& candidate) {
  const auto format = candidate.make<Format>();
  const std::filesystem::path nowhere = "/dev/null/no such file";
  expect_refusal("a volume that is not there", [&] { (void)format->read_volume(nowhere); });
  expect_refusal("a radiograph that is not there", [&] { (void)format->read_radiograph(nowhere); });
  expect_refusal("a mesh that is not there", [&] { (void)format->read_mesh(nowhere); });
  return "a file that is not there is refused in words";
}

constexpr const char* kNothingAnswered = "it is made here and asked nothing: there is no check of it for this kind";

}  // namespace

KindContract shape_contract() {
  return {made_subject<Shape>, no_such_check, shape_degenerate, no_such_check,
          no_such_check,       no_such_check, kNothingAnswered};
}

KindContract format_contract() {
  return {format_subject,     format_outputs, format_degenerate, nothing_declared_of_threads,
          nothing_is_trained, nothing_is_kept};
}

KindContract reporter_contract() {
  return {made_subject<Reporter>, no_such_check,   no_such_check,   nothing_declared_of_threads,
          nothing_is_trained,     nothing_is_kept, kNothingAnswered};
}

}  // namespace osteon::contract
