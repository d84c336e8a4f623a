#pragma once

// Evidence that is put together image by image.

#include "metric_retrieval/cases.hpp"

#include <osteon/random.hpp>

#include <cmath>

namespace osteon {

struct Scene {
  Evidence::Contents contents;
  std::vector<std::int64_t> bone_of_image;
  std::vector<double> values;  ///< of the embeddings, row after row

  /// A bone of a person of its own, unless one is named. Returns its number.
  std::int64_t bone(bool held_out, std::string person = "") {
    const std::int64_t number = std::ssize(contents.bones);
    if (person.empty()) person = text("person ", number);
    contents.bones.push_back({text("bone ", number), person, Side::left, held_out});
    return number;
  }

  /// An image whose embedding is `at`. Returns its number.
  std::int64_t image(std::int64_t bone, Role role, const std::vector<double>& at, ImageRow row = {}) {
    bone_of_image.push_back(bone);
    contents.role.push_back(role);
    contents.rows.push_back(row);
    values.insert(values.end(), at.begin(), at.end());
    return std::ssize(bone_of_image) - 1;
  }

  /// An embedding of unit length, `angle` radians along the circle.
  std::int64_t on_circle(std::int64_t bone, Role role, double angle, ImageRow row = {}) {
    return image(bone, role, {std::cos(angle), std::sin(angle)}, row);
  }

  /// What is there so far, with the embeddings as the trained network's.
  Evidence::Contents finished() {
    Evidence::Contents result = contents;
    const auto images = std::ssize(bone_of_image);
    result.bone = at::tensor(bone_of_image, at::kLong);
    if (images > 0)
      result.embeddings = {{"fingerprint", false, at::tensor(values, at::kDouble).view({images, -1}).to(at::kFloat)}};
    return result;
  }
};

/// Radii of a circle whose ends lie `angle` apart are so far from each other.
inline double chord(double angle) { return 2 * std::sin(std::abs(angle) / 2); }

inline double distance(const at::Tensor& vectors, std::int64_t a, std::int64_t b) {
  double sum = 0;
  for (std::int64_t j = 0; j < vectors.size(1); ++j)
    sum += std::pow(vectors[a][j].item<double>() - vectors[b][j].item<double>(), 2);
  return std::sqrt(sum);
}

}  // namespace osteon
