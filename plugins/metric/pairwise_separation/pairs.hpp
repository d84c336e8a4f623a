#pragma once

// Which images are compared with which, and in which of the study's view subsets a pair lies.

#include <osteon/metric.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace osteon::separation {

/// What bounds the view subsets: degrees from the AP and ML view, and keV.
struct Limits {
  double narrow, middle, wide;
  double energy_from, energy_to;
};

struct Subset {
  std::string name;
  std::function<bool(const ImageRow&)> holds;
};

/// The study's six, from its narrowest to all images. An angle of an image is the larger one of its two views; a tilt,
/// which the study has none of, counts among the angles that are to stay small.
[[nodiscard]] std::vector<Subset> subsets_of(const Limits& limits);

/// Bit s is set where subset s holds the image.
[[nodiscard]] std::vector<std::uint8_t> memberships(const Evidence& evidence, const std::vector<Subset>& subsets);

/// The images of a column that are compared: each of `left` with each of `right`, or each two of one list once.
struct Column {
  bool is_held_out = false;
  bool is_each_two = false;  ///< `left` and `right` are the same list
  std::vector<std::int64_t> left, right;

  [[nodiscard]] std::string name() const { return is_held_out ? "never trained on" : "seen in training"; }
  /// The first place in `right` that the image at `place` in `left` is compared with.
  [[nodiscard]] std::int64_t first_right(std::int64_t place) const { return is_each_two ? place + 1 : 0; }
};

/// Query images × gallery images, which come from different scans unless the source has one scan a bone.
[[nodiscard]] Column across_scans(const Evidence& evidence, bool held_out);
/// Each two of the gallery's images, as the study did.
[[nodiscard]] Column each_two(const Evidence& evidence, bool held_out);
/// Validation images × training images. Beyond `most` pairs images are drawn, as many of each bone as of every other.
[[nodiscard]] Column validation_pairs(const Evidence& evidence, std::int64_t most);

/// What a pair says: nothing, where it shows both femurs of one person.
enum class Kind { same, different, neither };

/// Bones and people by number, looked up once.
class Identities {
 public:
  explicit Identities(const Evidence& evidence);
  [[nodiscard]] Kind kind(std::int64_t left, std::int64_t right) const {
    if (bone(left) == bone(right)) return Kind::same;
    return person(left) == person(right) ? Kind::neither : Kind::different;
  }
  [[nodiscard]] std::int64_t bone(std::int64_t image) const { return bone_[static_cast<std::size_t>(image)]; }
  [[nodiscard]] std::size_t person(std::int64_t image) const {
    return person_of_bone_[static_cast<std::size_t>(bone(image))];
  }
  [[nodiscard]] std::size_t bones() const { return person_of_bone_.size(); }
  [[nodiscard]] std::size_t people() const { return people_; }

 private:
  std::vector<std::int64_t> bone_;
  std::vector<std::size_t> person_of_bone_;
  std::size_t people_ = 0;
};

/// Calls `body(first left, first right, squared distances)` on blocks of left × right: float64, row l and column r is
/// the pair of `left[first left + l]` and `right[first right + r]`. Rows that are equal are 0 apart.
void for_each_block(const at::Tensor& vectors, const Column& column,
                    const std::function<void(std::int64_t, std::int64_t, const at::Tensor&)>& body);

}  // namespace osteon::separation
