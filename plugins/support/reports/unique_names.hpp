#pragma once

#include <map>
#include <set>
#include <string>

namespace osteon::reports {

/// Names that no two things share.
class UniqueNames {
 public:
  /// `wanted`, or with "-2", "-3", … behind it where something else has that name. `thing` tells things apart: it has
  /// the same name each time.
  [[nodiscard]] const std::string& name_of(const std::string& thing, const std::string& wanted) {
    const auto known = names_.find(thing);
    if (known != names_.end()) return known->second;
    std::string name = wanted;
    for (int more = 2; !taken_.insert(name).second; ++more) name = wanted + "-" + std::to_string(more);
    return names_.emplace(thing, name).first->second;
  }

 private:
  std::map<std::string, std::string> names_;
  std::set<std::string> taken_;
};

}  // namespace osteon::reports
