#include "femur/morphometry.hpp"

#include "femur/section.hpp"

#include <algorithm>
#include <cmath>

namespace osteon::femur {

namespace {

struct Line {
  Vec3 point, direction;  ///< the direction is a unit vector
};

Vec3 across(Vec3 v, Vec3 axis) { return v - axis * dot(v, axis); }

/// Everything that is known of a bone while it is measured.
struct Bone {
  const Mesh& mesh;
  std::vector<SurfacePoint> points;
  Vec3 proximal;
  Reach along;

  explicit Bone(const Mesh& surface)
      : mesh(surface),
        points(points_of(surface)),
        proximal(long_axis(points, {0, 0, 1})),
        along(reach(points, proximal)) {}

  [[nodiscard]] double depth(Vec3 p) const { return along.depth(dot(p, proximal)); }
  /// Place along `proximal` of a depth.
  [[nodiscard]] double place(double depth) const { return along.high - depth * along.length(); }

  [[nodiscard]] std::vector<Vec3> between(double from, double to) const {
    std::vector<Vec3> result;
    for (const SurfacePoint& p : points)
      if (const double d = depth(p.at); d >= from && d <= to) result.push_back(p.at);
    return result;
  }
};

double greatest_length(const Bone& bone) {
  constexpr double kEnd = 0.08;
  const std::vector<Vec3> tops = bone.between(0, kEnd), bottoms = bone.between(1 - kEnd, 1);
  double square = 0;
  for (const Vec3& top : tops)
    for (const Vec3& bottom : bottoms) square = std::max(square, dot(top - bottom, top - bottom));
  return std::sqrt(square);
}

std::optional<Line> shaft_axis(const Bone& bone) {
  constexpr int kSections = 17;
  std::vector<SurfacePoint> centroids;
  for (int i = 0; i < kSections; ++i) {
    const double depth = 0.3 + 0.4 * i / (kSections - 1);
    const auto pieces = sections(bone.mesh, bone.proximal * bone.place(depth), bone.proximal);
    if (!pieces.empty()) centroids.push_back({pieces.front().centroid, 1});
  }
  if (centroids.size() < kSections) return std::nullopt;
  Vec3 mean;
  for (const SurfacePoint& p : centroids) mean = mean + p.at * (1.0 / kSections);
  return Line{mean, long_axis(centroids, bone.proximal)};
}

/// The piece around a point: of those of some size the one whose centroid is nearest.
std::optional<Section> piece_around(const Mesh& mesh, Vec3 point, Vec3 direction, double head_radius) {
  const double least_area = 0.1 * std::numbers::pi * head_radius * head_radius;
  std::optional<Section> nearest;
  for (const Section& piece : sections(mesh, point, direction))
    if (piece.area > least_area && norm(piece.centroid - point) < head_radius &&
        (!nearest || norm(piece.centroid - point) < norm(nearest->centroid - point)))
      nearest = piece;
  return nearest;
}

/// The centroid of the neck where it is narrowest across a line from the head's centre; the mean over sections nearby,
/// each weighted with its area.
std::optional<Vec3> narrowest(const Mesh& proximal_end, const Sphere& head, Vec3 direction) {
  constexpr double kStep = 0.05, kFrom = 0.7, kTo = 2.2, kNearby = 0.2;  // of the head's radius
  std::vector<std::pair<double, Section>> profile;
  for (double t = kFrom; t <= kTo; t += kStep)
    if (const auto piece =
            piece_around(proximal_end, head.centre + direction * (t * head.radius), direction, head.radius))
      profile.emplace_back(t, *piece);
  if (profile.size() < 10) return std::nullopt;
  const auto least = std::ranges::min_element(profile, {}, [](const auto& at) { return at.second.area; });
  Vec3 sum;
  double area = 0;
  for (const auto& [t, piece] : profile)
    if (std::abs(t - least->first) <= kNearby + kStep / 2) sum = sum + piece.centroid * piece.area, area += piece.area;
  return sum * (1 / area);
}

/// Unit, from the neck to the head.
std::optional<Vec3> neck_axis(const Bone& bone, const Sphere& head, const Line& shaft) {
  constexpr int kRounds = 30;
  constexpr double kSettled = 1e-3;  // radians
  const Mesh end = part_between(bone.mesh, bone.proximal, bone.place(0.3), bone.place(0));
  // First towards the shaft's line, 45° downwards.
  const Vec3 inwards = across(shaft.point - head.centre, shaft.direction);
  Vec3 direction = normalised(normalised(inwards) - shaft.direction);
  for (int round = 0; round < kRounds; ++round) {
    const auto centre = narrowest(end, head, direction);
    if (!centre || norm(*centre - head.centre) < head.radius / 2) return std::nullopt;
    const Vec3 next = normalised(*centre - head.centre);
    const bool settled = norm(next - direction) < kSettled;
    direction = settled ? next : normalised(next + direction);
    if (settled) return -direction;
  }
  return -direction;
}

/// Where points reach furthest along a direction, and the middle along another of those within `near` of that.
struct Touch {
  double depth = 0, place = 0;
};

std::optional<Touch> touch(std::span<const SurfacePoint> points, Vec3 towards, Vec3 beside, double near) {
  if (points.size() < 10) return std::nullopt;
  Touch result{-std::numeric_limits<double>::infinity(), 0};
  for (const SurfacePoint& p : points) result.depth = std::max(result.depth, dot(p.at, towards));
  double area = 0;
  for (const SurfacePoint& p : points)
    if (dot(p.at, towards) > result.depth - near) result.place += p.area * dot(p.at, beside), area += p.area;
  if (!(area > 0)) return std::nullopt;
  result.place /= area;
  return result;
}

/// Unit, medial, across the shaft: the direction of the line that touches both condyles from behind.
std::optional<Vec3> condylar_line(const Bone& bone, const Line& shaft) {
  constexpr double kEnd = 0.88;
  constexpr double kLargestTurn = 0.5;              // radians from where it was sought
  const double near = 0.004 * bone.along.length();  // 1.7 mm
  const Vec3 guess = normalised(across({1, 0, 0}, shaft.direction));
  Vec3 medial = guess;
  for (int round = 0; round < 30; ++round) {
    std::vector<SurfacePoint> distal, inner, outer;
    std::ranges::copy_if(bone.points, std::back_inserter(distal),
                         [&](const SurfacePoint& p) { return bone.depth(p.at) > kEnd; });
    const Reach width = reach(distal, medial);
    for (const SurfacePoint& p : distal) {
      const double share = width.depth(dot(p.at, medial));
      if (share < 0.45) inner.push_back(p);
      if (share > 0.55) outer.push_back(p);
    }
    const Vec3 back = -cross(shaft.direction, medial);
    const auto in = touch(inner, back, medial, near), out = touch(outer, back, medial, near);
    if (!in || !out || in->place - out->place < 0.4 * width.length()) return std::nullopt;
    const Vec3 line = medial * (in->place - out->place) + back * (in->depth - out->depth);
    const double turn = std::abs((in->depth - out->depth) / (in->place - out->place));
    medial = normalised(line);
    if (turn < 1e-5) break;
  }
  if (dot(medial, guess) < std::cos(kLargestTurn)) return std::nullopt;
  return medial;
}

}  // namespace

Morphometry measured(const Mesh& surface) {
  const Bone bone(surface);
  Morphometry result;
  result.head = find_head(bone.points);
  result.length = greatest_length(bone);
  const auto shaft = shaft_axis(bone);
  if (!result.head || !shaft) return result;
  const auto neck = neck_axis(bone, *result.head, *shaft);
  if (!neck) return result;
  result.neck_shaft = degrees(std::acos(std::clamp(-dot(*neck, shaft->direction), -1.0, 1.0)));
  if (const auto medial = condylar_line(bone, *shaft)) {
    const Vec3 anterior = cross(shaft->direction, *medial);
    result.anteversion = degrees(std::atan2(dot(*neck, anterior), dot(*neck, *medial)));
  }
  return result;
}

}  // namespace osteon::femur
