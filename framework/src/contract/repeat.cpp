// What all kinds promise of repeated use: the same answers, none changed by another object, no growing memory.

#include "contract/kind.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <c10/core/DefaultDtype.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cfenv>
#include <chrono>
#include <clocale>
#include <limits>

#include <malloc.h>

namespace osteon::contract {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUps = 3, kRounds = 3, kMostRounds = 9;
constexpr std::int64_t kFewestUses = 3, kMostUses = 1000;

/// Bytes that the process has asked for and not given back. The resident size would hide a leak in what the allocator
/// keeps for later, and show growth where nothing leaks.
std::int64_t bytes_in_use() {
  const struct mallinfo2 info = ::mallinfo2();
  return static_cast<std::int64_t>(info.uordblks + info.hblkhd);
}

/// What all of a process shares and a plugin may not turn for the others: name → how it stands.
std::map<std::string, std::string> settings_of_process() {
  return {{"number of LibTorch's threads", text(at::get_num_threads())},
          {"recording of gradients", c10::GradMode::is_enabled() ? "on" : "off"},
          {"standard type of numbers", text(c10::get_default_dtype())},
          {"choice of deterministic algorithms", at::globalContext().deterministicAlgorithms() ? "on" : "off"},
          {"locale", ::setlocale(LC_ALL, nullptr)},
          {"rounding mode", text(std::fegetround())},
          {"working folder", std::filesystem::current_path().string()}};
}

void expect_settings(const std::map<std::string, std::string>& before) {
  const auto after = settings_of_process();
  for (const auto& [name, value] : before)
    expect(after.at(name) == value, text("the process's ", name), text(value, ", as before"), after.at(name));
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::unique_ptr<Subject> subject_of(const KindContract& kind, const Candidate& candidate, std::uint64_t seed = 1) {
  return kind.subject(candidate, candidate.parameters(), seed);
}

/// The kind's subject is made by `Candidate::make(values)`, which lets through what the plugin throws.
std::unique_ptr<Subject> made_or_not_run(const KindContract& kind, const Candidate& candidate) {
  (void)candidate.make<Plugin>();
  return subject_of(kind, candidate);
}

}  // namespace

std::string check_determinism(const KindContract& kind, const Candidate& candidate, std::string& digest) {
  if (kind.no_answers != nullptr) throw NotChecked{kind.no_answers};
  const auto one = made_or_not_run(kind, candidate);
  const std::string first = one->use(0);
  (void)one->use(1);
  expect(one->use(0) == first, "the same input twice, with another between", "the same bits", "others");
  expect(subject_of(kind, candidate)->use(0) == first, "the same input in a second object", "the same bits", "others");
  digest = first;
  return "the same bits from one object, from two and in two processes";
}

std::string check_instances(const KindContract& kind, const Candidate& candidate) {
  const auto settings = settings_of_process();
  const auto one = made_or_not_run(kind, candidate);
  const std::string before = kind.no_answers == nullptr ? repeated_answer(*one) : one->use(0);
  std::unique_ptr<Subject> other;
  try {
    other = kind.subject(candidate, candidate.other_parameters(), 2);
  } catch (const std::exception&) {  // a combination that the plugin refuses
    other = subject_of(kind, candidate, 2);
  }
  for (const int input : {1, 0}) try {
      (void)other->use(input);
    } catch (const std::exception&) {  // what it answers itself is another check's business
    }
  const std::string after = one->use(0);
  expect(kind.no_answers != nullptr || after == before,
         "one object's answers, after another with other parameters was made and used", "the same bits", "others");
  other.reset();
  expect(kind.no_answers != nullptr || one->use(0) == before, "one object's answers, after another was destroyed",
         "the same bits", "others");
  expect_settings(settings);
  return "two side by side, one outliving the other; the process's settings as before";
}

std::string check_memory(const KindContract& kind, const Candidate& candidate, double seconds_of_use) {
  const auto one = made_or_not_run(kind, candidate);
  for (int i = 0; i < kWarmUps; ++i) (void)one->use(i % 2);
  const auto start = Clock::now();
  (void)one->use(0);
  const auto uses =
      std::clamp(static_cast<std::int64_t>(seconds_of_use / kRounds / std::max(1e-6, seconds_since(start))),
                 kFewestUses, kMostUses);
  // A table that fills up, or what threads keep of the allocator's for themselves, grows in some rounds; a leak grows
  // in all of them.
  const std::int64_t tolerated = std::max<std::int64_t>(16 * uses, 1024);
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  int rounds = 0;
  for (; rounds < kRounds || (rounds < kMostRounds && least >= tolerated); ++rounds) {
    const std::int64_t before = bytes_in_use();
    for (std::int64_t i = 0; i < uses; ++i) (void)one->use(0);
    least = std::min(least, bytes_in_use() - before);
  }
  expect(least < tolerated, text("memory in use after ", uses, " more uses"), "what it was before",
         text("at least ", least, " bytes more, each of ", rounds, " times"));
  return text("no growth in ", rounds, " × ", uses, " uses");
}

}  // namespace osteon::contract
