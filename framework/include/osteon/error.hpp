#pragma once

#include <osteon/export.hpp>

#include <exception>
#include <sstream>
#include <string>
#include <string_view>

namespace osteon {

/// Joins its arguments as they print: `text("found ", n, " slices")`.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return out.str();
}

/// What went wrong, where, what was expected and what to do, in words for a person.
///
/// A `mistake` is the user's to repair (exit code 2: a wrong file, value or name); a `failure` is the machine's or
/// the program's (exit code 1: no disk space, a broken invariant).
class OSTEON_API Error : public std::exception {
 public:
  enum class Cause { mistake, failure };

  explicit Error(std::string message, Cause cause = Cause::mistake);
  Error(const Error&);
  Error& operator=(const Error&);
  ~Error() override;

  [[nodiscard]] const char* what() const noexcept override;
  [[nodiscard]] Cause cause() const noexcept;

  /// The same error, told from one level further out: "`context`: message".
  [[nodiscard]] Error within(std::string_view context) const;

 private:
  std::string message_;
  Cause cause_;
};

/// An `Error` of the machine or the program rather than of the user.
OSTEON_API Error failure(std::string message);

}  // namespace osteon
