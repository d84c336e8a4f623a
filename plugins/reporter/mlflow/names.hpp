#pragma once

// Names and values as MLflow allows them (mlflow/utils/validation.py): of parameters, metrics and tags letters, digits,
// "_", "-", ".", blanks and "/", at most 250 characters, as a path that leads nowhere else.

#include "reports/unique_names.hpp"

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace osteon::mlflow {

/// One part of a name: every run of other characters (the slash too), and of blanks, becomes one blank; blanks at the
/// ends and dots at the beginning go; at most 76 characters; "unnamed" where nothing is left. "identity, rank-1" →
/// "identity rank-1".
[[nodiscard]] std::string allowed(std::string_view name);

/// Parts → "part/part/part", a file among folders: no two names are the same, and none is a folder of another.
class Names {
 public:
  /// The same parts have the same name each time. Behind the first, which is a folder of the store ("metrics"), at most
  /// three.
  [[nodiscard]] std::string of(std::initializer_list<std::string_view> parts);

 private:
  reports::UniqueNames names_;
};

/// The values of a TOML document by dotted key, in the document's order of names: strings without quotes, lists as TOML
/// has them. Throws a failure when the text is not TOML.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> flattened(const std::string& toml);

/// At most `most` characters (not bytes).
[[nodiscard]] std::string shortened(const std::string& words, std::size_t most);

}  // namespace osteon::mlflow
