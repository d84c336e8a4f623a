// How a check says what it found.

#include "contract/kind.hpp"

#include <osteon/random.hpp>

#include <ATen/Functions.h>
#include <c10/util/Exception.h>

#include <cstring>
#include <new>

namespace osteon::contract {

namespace {

/// LibTorch and the standard library say it each in their own way. The host would tell the user to use a smaller
/// network; here it is a plugin that wants more than the check may have.
bool is_want_of_memory(const std::exception& error) {
  return dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
         std::string_view(error.what()).find("allocate memory") != std::string_view::npos ||
         std::string_view(error.what()).find("out of memory") != std::string_view::npos;
}

std::span<const std::byte> bytes_of(const at::Tensor& tensor) {
  return {static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

}  // namespace

void expect(bool holds, const std::string& what, const std::string& expected, const std::string& found) {
  if (!holds) throw Broken{text(what, ": expected ", expected, ", found ", found)};
}

std::string words_of(const std::exception& error) {
  if (const auto* of_torch = dynamic_cast<const c10::Error*>(&error)) return of_torch->what_without_backtrace();
  return error.what();
}

bool answers_or_refuses(const std::string& what, const std::function<void()>& body) {
  try {
    body();
    return true;
  } catch (const std::exception& error) {
    expect(!is_want_of_memory(error), what, "an answer within the limit of memory", words_of(error));
    expect(dynamic_cast<const Error*>(&error) != nullptr, what, "an answer, or an Error that says what is wrong",
           "another exception: " + words_of(error));
    return false;
  }
}

void expect_refusal(const std::string& what, const std::function<void()>& body) {
  expect(!answers_or_refuses(what, body), what, "an Error", "an answer");
}

void add_to(Digest& digest, const at::Tensor& tensor) {
  if (!tensor.defined()) {
    digest.add("undefined;");
    return;
  }
  const at::Tensor values = tensor.detach().cpu().contiguous();
  digest.add(described(values)).add(";").add(bytes_of(values));
}

void add_to(Digest& digest, double number) {
  char bytes[sizeof number];
  std::memcpy(bytes, &number, sizeof number);
  digest.add(std::string_view(bytes, sizeof bytes));
}

std::string digest_of(const at::Tensor& tensor) {
  Digest digest;
  add_to(digest, tensor);
  return digest.hex();
}

bool all_finite(const at::Tensor& tensor) { return at::isfinite(tensor).all().item<bool>(); }

std::string described(const at::Tensor& tensor) {
  if (!tensor.defined()) return "an undefined tensor";
  return text(c10::toString(tensor.scalar_type()), " ", tensor.sizes());
}

at::Tensor unit_rows(std::int64_t n, std::int64_t d, std::uint64_t seed) {
  Random random(seed, "contract");
  at::Tensor rows = at::empty({n, d}, at::kFloat);
  for (std::int64_t i = 0; i < n * d; ++i) rows.data_ptr<float>()[i] = static_cast<float>(random.normal());
  return rows / rows.norm(2, {1}, true);
}

std::string nothing_declared_of_threads(const Candidate& /*candidate*/) {
  throw NotForThisKind{"the SDK does not ask it of this kind"};
}
std::string nothing_is_trained(const Candidate& /*candidate*/) { throw NotForThisKind{"nothing in it is trained"}; }
std::string nothing_is_kept(const Candidate& /*candidate*/) { throw NotForThisKind{"it keeps nothing that is saved"}; }
std::string no_such_check(const Candidate& /*candidate*/) { throw NotChecked{"there is no check of it for this kind"}; }

std::string repeated_answer(Subject& subject) {
  const std::string first = subject.use(0);
  if (subject.use(0) != first) throw NotRun{"its answers do not repeat themselves (see determinism)"};
  return first;
}

}  // namespace osteon::contract
