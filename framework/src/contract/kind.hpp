#pragma once

// What the files of this room share: a plugin under test, how a check says what it found, and what each kind gives to
// the checks that all kinds have.

#include "host/registry.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/plugin.hpp>

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace osteon::contract {

// What ends a check before its end. None is an std::exception, so that a check that expects one of those does not
// swallow them.
struct Broken {
  std::string says;
};
struct NotForThisKind {
  std::string why;
};
struct NotChecked {
  std::string why;
};
struct NotRun {
  std::string why;
};
/// The user's: a setting that the plugin does not have, or a value that it does not take.
struct SettingMistake {
  std::string says;
};

/// Throws `Broken` "what: expected …, found …" unless it holds.
void expect(bool holds, const std::string& what, const std::string& expected, const std::string& found);

/// The message of any exception, without LibTorch's backtrace.
[[nodiscard]] std::string words_of(const std::exception& error);

/// Runs `body`, which may answer or throw an `Error` (not for want of memory); any other exception breaks the contract.
/// Returns whether it answered.
bool answers_or_refuses(const std::string& what, const std::function<void()>& body);
/// Runs `body`, which must throw an `Error`.
void expect_refusal(const std::string& what, const std::function<void()>& body);

void add_to(Digest& digest, const at::Tensor& tensor);
void add_to(Digest& digest, double number);
[[nodiscard]] std::string digest_of(const at::Tensor& tensor);
[[nodiscard]] bool all_finite(const at::Tensor& tensor);
/// "float [9, 8]"
[[nodiscard]] std::string described(const at::Tensor& tensor);
/// float32 `[n, d]`, rows of length 1, of the host's own generator.
[[nodiscard]] at::Tensor unit_rows(std::int64_t n, std::int64_t d, std::uint64_t seed);

/// A loaded plugin and the values that the user gave for it.
class Candidate {
 public:
  Candidate(const host::LoadedPlugin& plugin, const std::vector<std::string>& settings);

  [[nodiscard]] const host::LoadedPlugin& plugin() const { return *plugin_; }
  [[nodiscard]] const std::map<std::string, ParameterValue>& given() const { return given_; }
  /// The defaults with what was given. Throws `NotRun` where a required one is missing.
  [[nodiscard]] Parameters parameters() const;
  /// All that can be changed and was not given has another allowed value, the smaller or cheaper one.
  [[nodiscard]] Parameters other_parameters() const;

  /// Throws `NotRun` where the plugin refuses `parameters()`: the check of parameters tells that.
  template <class Kind>
  [[nodiscard]] std::unique_ptr<Kind> make() const {
    std::unique_ptr<Plugin> object;
    const Parameters values = parameters();
    try {
      object = plugin_->descriptor->create(values);
    } catch (const std::exception&) {
      throw NotRun{"it cannot be made (see parameters)"};
    }
    return as<Kind>(std::move(object));
  }
  template <class Kind>
  [[nodiscard]] std::unique_ptr<Kind> make(const Parameters& values) const {
    return as<Kind>(plugin_->descriptor->create(values));
  }

 private:
  template <class Kind>
  static std::unique_ptr<Kind> as(std::unique_ptr<Plugin> object) {
    auto* kind = dynamic_cast<Kind*>(object.get());
    if (kind == nullptr) throw Broken{"its class does not implement the interface of its kind"};
    (void)object.release();
    return std::unique_ptr<Kind>(kind);
  }

  const host::LoadedPlugin* plugin_;
  std::map<std::string, ParameterValue> given_;
};

/// One object of a plugin in use.
class Subject {
 public:
  Subject() = default;
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;
  virtual ~Subject() = default;
  /// Uses it as a run does, on the kind's standard input number 0 or 1; the digest of all that it answered.
  virtual std::string use(int input) = 0;
};

/// What a kind promises. Each check returns what it saw, and throws one of the above where that is not as it should be.
struct KindContract {
  using Check = std::string (*)(const Candidate&);
  /// Ready for use; what the host draws for it (first weights) is drawn from `seed`.
  std::unique_ptr<Subject> (*subject)(const Candidate&, const Parameters&, std::uint64_t seed);
  Check outputs, degenerate, threads, gradient, state;
  /// Why its answers need not repeat themselves; nullptr where they must.
  const char* no_answers = nullptr;
};

KindContract loss_contract();
KindContract metric_contract();
KindContract classifier_contract();
KindContract backbone_contract();
KindContract renderer_contract();
KindContract surface_contract();
KindContract source_contract();
KindContract shape_contract();
KindContract format_contract();
KindContract reporter_contract();

/// Of the kinds that compute where their inputs lie, on CUDA.
std::string loss_devices(const Candidate& candidate);
std::string backbone_devices(const Candidate& candidate);

// For checks that a kind does not have.
std::string nothing_declared_of_threads(const Candidate&);
std::string nothing_is_trained(const Candidate&);
std::string nothing_is_kept(const Candidate&);
std::string no_such_check(const Candidate&);

// The checks that all kinds share.
std::string check_descriptor(const Candidate& candidate, const std::filesystem::path& library);
std::string check_parameters(const Candidate& candidate);
std::string check_determinism(const KindContract& kind, const Candidate& candidate, std::string& digest);
std::string check_instances(const KindContract& kind, const Candidate& candidate);
std::string check_memory(const KindContract& kind, const Candidate& candidate, double seconds_of_use);

/// Where a check compares answers of which it must know that they repeat themselves: throws `NotRun` unless they do.
std::string repeated_answer(Subject& subject);

}  // namespace osteon::contract
