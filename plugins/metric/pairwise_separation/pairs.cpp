#include "pairs.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace osteon::separation {

namespace {

constexpr std::int64_t kLeft = 256, kBytes = 64 << 20;
/// What rounding may leave of the squared distance of equal rows, relative to their squared lengths.
constexpr double kRounding = 1e-13;

double larger(double ap, double ml) { return std::max(std::abs(ap), std::abs(ml)); }
double axial(const ImageRow& row) { return larger(row.axial, row.ml_axial); }
double in_plane(const ImageRow& row) { return larger(row.in_plane, row.ml_in_plane); }
double tilt(const ImageRow& row) { return larger(row.tilt, row.ml_tilt); }

std::string number(double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%.4g", value);
  return digits;
}

bool is_held_out(const Evidence& evidence, std::size_t image) {
  const std::int64_t bone = evidence.bone_of_image().data_ptr<std::int64_t>()[image];
  return evidence.bones()[static_cast<std::size_t>(bone)].held_out;
}

/// The images of bones of one column whose role `holds`.
std::vector<std::int64_t> images_where(const Evidence& evidence, bool held_out,
                                       const std::function<bool(Role)>& holds) {
  std::vector<std::int64_t> images;
  for (std::size_t i = 0; i < evidence.roles().size(); ++i)
    if (is_held_out(evidence, i) == held_out && holds(evidence.roles()[i]))
      images.push_back(static_cast<std::int64_t>(i));
  return images;
}

/// At most `most` images of each bone, drawn.
std::vector<std::int64_t> thinned(const Evidence& evidence, const std::vector<std::int64_t>& images, std::int64_t most,
                                  const char* purpose) {
  std::map<std::int64_t, std::vector<std::int64_t>> by_bone;
  for (const std::int64_t image : images)
    by_bone[evidence.bone_of_image().data_ptr<std::int64_t>()[image]].push_back(image);
  std::vector<std::int64_t> drawn;
  for (const auto& [bone, own] : by_bone) {
    const auto order = Random(evidence.seed(), purpose, static_cast<std::uint64_t>(bone)).permutation(std::ssize(own));
    for (std::int64_t i = 0; i < std::min(most, std::ssize(own)); ++i)
      drawn.push_back(own[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
  }
  std::ranges::sort(drawn);
  return drawn;
}

std::int64_t bone_count(const Evidence& evidence, const std::vector<std::int64_t>& images) {
  std::vector<bool> shown(evidence.bones().size(), false);
  for (const std::int64_t image : images)
    shown[static_cast<std::size_t>(evidence.bone_of_image().data_ptr<std::int64_t>()[image])] = true;
  return std::ranges::count(shown, true);
}

}  // namespace

std::vector<Subset> subsets_of(const Limits& limits) {
  const auto within = [](double most_axial, double most_in_plane, double most_tilt) {
    return [=](const ImageRow& row) {
      return axial(row) <= most_axial && in_plane(row) <= most_in_plane && tilt(row) <= most_tilt;
    };
  };
  const double narrow = limits.narrow, middle = limits.middle, wide = limits.wide;
  const std::string near = number(narrow) + "°", far = number(wide) + "°";
  const auto all_narrow = within(narrow, narrow, narrow);
  const auto hard = [=](const ImageRow& row) {
    return all_narrow(row) && row.energy >= limits.energy_from && row.energy <= limits.energy_to;
  };
  return {{near + ", " + number(limits.energy_from) + "–" + number(limits.energy_to) + " keV", hard},
          {near, all_narrow},
          {number(middle) + "°", within(middle, middle, middle)},
          {"axial " + far + ", in-plane " + near, within(wide, narrow, narrow)},
          {"axial " + near + ", in-plane " + far, within(narrow, wide, narrow)},
          {"all", [](const ImageRow&) { return true; }}};
}

std::vector<std::uint8_t> memberships(const Evidence& evidence, const std::vector<Subset>& subsets) {
  if (evidence.image_rows().size() != evidence.roles().size())
    throw failure(text("there are ", evidence.roles().size(), " images, and angles and energy of ",
                       evidence.image_rows().size(), "; each image needs them"));
  std::vector<std::uint8_t> result;
  for (const ImageRow& row : evidence.image_rows()) {
    unsigned bits = 0;
    for (std::size_t s = 0; s < subsets.size(); ++s) bits |= subsets[s].holds(row) ? 1U << s : 0U;
    result.push_back(static_cast<std::uint8_t>(bits));
  }
  return result;
}

Column across_scans(const Evidence& evidence, bool held_out) {
  // Without a second scan, validation images of seen bones are the queries, as they are of the classifiers.
  const auto asks = [&](Role role) {
    return role == Role::query || (role == Role::validation && evidence.queries_share_volume());
  };
  return {held_out, false, images_where(evidence, held_out, asks),
          images_where(evidence, held_out, [&](Role role) { return !asks(role); })};
}

Column each_two(const Evidence& evidence, bool held_out) {
  // With one scan a bone the queries are of that scan too.
  const auto images = images_where(evidence, held_out,
                                   [&](Role role) { return role != Role::query || evidence.queries_share_volume(); });
  return {held_out, true, images, images};
}

Column validation_pairs(const Evidence& evidence, std::int64_t most) {
  Column column{false, false, images_where(evidence, false, [](Role role) { return role == Role::validation; }),
                images_where(evidence, false, [](Role role) { return role == Role::training; })};
  const std::int64_t bones = std::max(bone_count(evidence, column.left), bone_count(evidence, column.right));
  if (bones == 0 || std::ssize(column.left) * std::ssize(column.right) <= most) return column;
  const auto each = static_cast<std::int64_t>(std::sqrt(static_cast<double>(most)) / static_cast<double>(bones));
  column.left = thinned(evidence, column.left, std::max<std::int64_t>(1, each), "pairs: validation images");
  column.right = thinned(evidence, column.right, std::max<std::int64_t>(1, each), "pairs: training images");
  return column;
}

Identities::Identities(const Evidence& evidence) {
  const at::Tensor bone = evidence.bone_of_image().contiguous();
  bone_.assign(bone.data_ptr<std::int64_t>(), bone.data_ptr<std::int64_t>() + bone.numel());
  std::map<std::string, std::size_t> numbers;
  for (const EvidenceBone& one : evidence.bones())
    person_of_bone_.push_back(numbers.try_emplace(one.subject, numbers.size()).first->second);
  people_ = numbers.size();
}

void for_each_block(const at::Tensor& vectors, const Column& column,
                    const std::function<void(std::int64_t, std::int64_t, const at::Tensor&)>& body) {
  const std::int64_t width = std::max<std::int64_t>(1, kBytes / (8 * std::max<std::int64_t>(1, vectors.size(1))));
  const auto rows_of = [&](const std::vector<std::int64_t>& images, std::int64_t first, std::int64_t count) {
    const auto size = std::min(count, std::ssize(images) - first);
    const at::Tensor index =
        at::tensor(at::ArrayRef<std::int64_t>(images.data() + first, static_cast<std::size_t>(size)));
    return vectors.index_select(0, index).to(at::kDouble);
  };
  for (std::int64_t right = 0; right < std::ssize(column.right); right += width) {
    const at::Tensor others = rows_of(column.right, right, width), far = others.square().sum(1).unsqueeze(0);
    for (std::int64_t left = 0; left < std::ssize(column.left); left += kLeft) {
      throw_if_stopped();
      const at::Tensor own = rows_of(column.left, left, kLeft), scale = own.square().sum(1, true).add(far);
      at::Tensor squared = at::addmm(scale, own, others.t(), 1, -2);
      squared.masked_fill_(squared.le(scale.mul(kRounding)), 0);
      body(left, right, squared.contiguous());
    }
  }
}

}  // namespace osteon::separation
