#pragma once

// A harness gives hostile bytes to one of our readers, the way the program calls it. What it may do: read them, or
// throw an `Error`. Anything else that comes out of it (another exception, a crash, a sanitizer's report, an endless
// loop, memory out of proportion) is a finding. The same functions run under libFuzzer (scripts/fuzz) and over the kept
// corpus in the tests.

#include <osteon/error.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace osteon::fuzz {

struct Harness {
  std::string name;  ///< its folder under corpus/ and findings/
  /// "" when the bytes were read, else the `Error`'s message, in which the scratch folder is left out.
  std::string (*read)(std::string_view bytes);
};

/// All that are linked in, in order of their names.
[[nodiscard]] std::vector<Harness> harnesses();

/// One static object in each harness's file.
struct Registered {
  Registered(const char* name, std::string (*read)(std::string_view));
};

/// A folder of this process, in memory where the system has such; removed at its end.
[[nodiscard]] const std::filesystem::path& scratch();

/// (Over)writes a file in it.
std::filesystem::path put(const std::string& name, std::string_view bytes);

/// `bytes` cut in front of every occurrence of `word` but the first byte's.
[[nodiscard]] std::vector<std::string_view> cut_before(std::string_view bytes, std::string_view word);

[[nodiscard]] std::string without_scratch(std::string message);

template <class Body>
std::string message_of(const Body& body) {
  try {
    body();
  } catch (const Error& error) {
    return without_scratch(error.what());
  }
  return "";
}

}  // namespace osteon::fuzz
