#pragma once

// One template carried onto every bone, so that their vertices correspond.

#include "shape_model/registration.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace osteon::shape_model {

/// Bones described by one template. Each bone is carried once in a process for all folds and methods (`memoised`).
class Correspondences {
 public:
  explicit Correspondences(std::int64_t triangles) : triangles_(triangles) {}

  struct Result {
    const Template* pattern = nullptr;
    std::vector<Points> shapes;  ///< of each mesh, in its own coordinates
  };
  /// The template is the bone of median size.
  [[nodiscard]] Result of(const std::vector<Mesh>& meshes);

 private:
  std::int64_t triangles_;
  std::map<std::string, std::unique_ptr<Template>> templates_;
};

}  // namespace osteon::shape_model
