#include "thigh.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::voxeliser {

namespace {

/// The longest axis of a point cloud: power iteration on the second moments.
Vec3 longest_axis(const Mesh& bone, Vec3 centre) {
  const auto* p = bone.vertices.data_ptr<float>();
  Mat3 moments{{{0, 0, 0}, {0, 0, 0}, {0, 0, 0}}};
  for (std::int64_t i = 0; i < bone.vertices.size(0); ++i) {
    const Vec3 d = Vec3{p[3 * i], p[3 * i + 1], p[3 * i + 2]} - centre;
    for (int axis = 0; axis < 3; ++axis) moments.column[axis] = moments.column[axis] + d * d[axis];
  }
  Vec3 axis{0.01, 0.02, 1};
  for (int round = 0; round < 200; ++round) axis = normalised(moments * axis);
  return axis.z < 0 ? -axis : axis;
}

Vec3 across(Vec3 v, Vec3 along, Vec3 otherwise) {
  const Vec3 flat = v - along * dot(v, along);
  return norm(flat) > 1e-3 ? normalised(flat) : normalised(otherwise - along * dot(otherwise, along));
}

/// Mean of the vertices between two heights for which `keep` holds.
template <class Keep>
Vec3 mean_between(const Mesh& bone, const Landmarks& m, double from, double to, const Keep& keep) {
  const auto* p = bone.vertices.data_ptr<float>();
  Vec3 sum;
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < bone.vertices.size(0); ++i) {
    const Vec3 q{p[3 * i], p[3 * i + 1], p[3 * i + 2]};
    const double height = (dot(q - m.centre, m.along) - m.low) / (m.high - m.low);
    if (height < from || height > to || !keep(q)) continue;
    sum = sum + q;
    ++count;
  }
  return count > 0 ? sum * (1.0 / static_cast<double>(count)) : m.centre;
}

}  // namespace

Landmarks find_landmarks(const Mesh& bone) {
  Landmarks m{};
  const auto* p = bone.vertices.data_ptr<float>();
  const std::int64_t count = bone.vertices.size(0);
  const auto vertex = [&](std::int64_t i) { return Vec3{p[3 * i], p[3 * i + 1], p[3 * i + 2]}; };
  for (std::int64_t i = 0; i < count; ++i) m.centre = m.centre + vertex(i) * (1.0 / static_cast<double>(count));
  m.along = longest_axis(bone, m.centre);
  m.low = std::numeric_limits<double>::max();
  m.high = -m.low;
  for (std::int64_t i = 0; i < count; ++i) {
    const Vec3 d = vertex(i) - m.centre;
    const double height = dot(d, m.along);
    m.low = std::min(m.low, height);
    m.high = std::max(m.high, height);
    m.reach = std::max(m.reach, norm(d - m.along * height));
  }
  const auto all = [](Vec3) { return true; };
  const Vec3 top = mean_between(bone, m, 0.88, 1, all);
  m.medial = across(top - mean_between(bone, m, 0.5, 0.7, all), m.along, {1, 0, 0});
  m.head = mean_between(bone, m, 0.88, 1, [&](Vec3 q) { return dot(q - top, m.medial) > 0; });
  m.knee = mean_between(bone, m, 0, 0.08, all);
  m.anterior = across(mean_between(bone, m, 0.15, 0.3, all) - m.knee, m.along, {0, -1, 0});
  for (std::int64_t i = 0; i < count; ++i)
    if (const Vec3 d = vertex(i) - m.knee; dot(vertex(i) - m.centre, m.along) < m.low + 0.12 * (m.high - m.low))
      m.knee_front = std::max(m.knee_front, dot(d, m.anterior));
  return m;
}

Thigh::Thigh(const Landmarks& landmarks, double scale, double gap, Random& random)
    : marks_(landmarks), scale_(scale), gap_(gap) {
  const auto some = [&](double most) { return random.uniform(-most, most); };
  const Vec3 side = across(marks_.medial, marks_.along, {1, 0, 0}), front = cross(marks_.along, side);
  centre_ = marks_.centre + marks_.along * ((marks_.low + marks_.high) / 2) +
            (side * some(5) + front * some(5) + marks_.along * some(15)) * scale;
  axis_ = normalised(marks_.along + side * some(0.025) + front * some(0.025));
  // A bone of unusual size still gets some muscle around it and a joint's width at its ends.
  const double half = (marks_.high - marks_.low) / 2;
  radius_ = std::max(marks_.reach + 14 * scale, random.uniform(76, 92) * scale);
  half_length_ = std::max(half + 39 * scale, random.uniform(275, 300) * scale);
  fat_layer_ = random.uniform(3, 8) * scale;
  muscle_ = random.uniform(30, 55);
  fat_ = random.uniform(-110, -85);
  shell_ = random.uniform(1.2, 2.0) * scale;
  const auto jitter = [&] { return Vec3{random.normal(), random.normal(), random.normal()} * (2 * scale); };
  socket_ = marks_.head + jitter();
  socket_axis_ = normalised(marks_.along * 0.8 + marks_.medial * 0.6 + jitter() * (0.04 / scale));
  const double knee_height = dot(marks_.knee - marks_.centre, marks_.along);
  plateau_ = marks_.knee + marks_.along * (marks_.low - knee_height) + jitter();
  kneecap_ =
      marks_.knee + marks_.anterior * (marks_.knee_front + gap + 8 * scale) + marks_.along * (12 * scale) + jitter();
}

bool Thigh::has_neighbours(double from, double to) const {
  const double length = marks_.high - marks_.low;
  return to > marks_.high - 0.25 * length || from < marks_.low + 0.2 * length;
}

float Thigh::neighbour(Vec3 point, float distance_from_bone) const {
  const Vec3 from_socket = point - socket_;
  const double socket = std::max(norm(from_socket) - 40 * scale_, 6 * scale_ - dot(from_socket, socket_axis_));

  const Vec3 from_plateau = point - plateau_;
  const double height = dot(from_plateau, marks_.along), forward = dot(from_plateau, marks_.anterior);
  const Vec3 side = from_plateau - marks_.along * height - marks_.anterior * forward;
  const double width = 36 * scale_, depth = 24 * scale_;
  const double ellipse = std::sqrt(dot(side, side) / (width * width) + forward * forward / (depth * depth));
  const double tibia = std::max((ellipse - 1) * depth, height - 5 * scale_);

  const Vec3 from_kneecap = point - kneecap_;
  const double front = dot(from_kneecap, marks_.anterior);
  const double kneecap =
      (std::sqrt((dot(from_kneecap, from_kneecap) - front * front) / (21 * 21) + front * front / (9 * 9)) / scale_ -
       1) *
      9 * scale_;
  const double bone = std::min({socket, tibia, kneecap});
  return std::max(static_cast<float>(bone), static_cast<float>(gap_) - distance_from_bone);
}

}  // namespace osteon::voxeliser
