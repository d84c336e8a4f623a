#include "femur.hpp"

#include <algorithm>
#include <cmath>

namespace osteon::phantom {

namespace {

/// The lesser of two distances, the edge between them rounded over `k` mm (Quilez's quadratic smooth minimum).
double join(double a, double b, double k) {
  const double h = std::max(k - std::abs(a - b), 0.0) / k;
  return std::min(a, b) - h * h * k / 4;
}

/// `a` without `b`, the edge rounded over `k` mm.
double carve(double a, double b, double k) { return -join(-a, b, k); }

double smooth_step(double low, double high, double x) {
  const double t = std::clamp((x - low) / (high - low), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

/// A cubic through knots (Catmull–Rom), constant beyond the ends.
template <std::size_t N>
double through(const std::array<std::array<double, 2>, N>& knots, double x) {
  if (x <= knots.front()[0]) return knots.front()[1];
  if (x >= knots.back()[0]) return knots.back()[1];
  std::size_t i = 0;
  while (x > knots[i + 1][0]) ++i;
  const auto slope = [&](std::size_t k) {
    const std::size_t a = k == 0 ? 0 : k - 1, b = std::min(k + 1, N - 1);
    return (knots[b][1] - knots[a][1]) / (knots[b][0] - knots[a][0]);
  };
  const double width = knots[i + 1][0] - knots[i][0], t = (x - knots[i][0]) / width;
  const double a = knots[i][1], b = knots[i + 1][1], da = slope(i) * width, db = slope(i + 1) * width;
  return a + t * (da + t * (3 * (b - a) - 2 * da - db + t * (2 * (a - b) + da + db)));
}

}  // namespace

Femur::Femur(const Measures& measures) : m_(measures), scale_(measures.bicondylar_width / 83.9) {
  head_z_ = m_.length - m_.head_diameter / 2;
  lean_x_ = -m_.offset * std::cos(radians(m_.anteversion));
  const double chord = 0.8 * m_.length;
  sagitta_ = chord * chord / (8 * m_.bow_radius);
  lateral_sagitta_ = chord * std::tan(radians(m_.lateral_bow) / 2) / 4;
  tabulate_shaft();
  place_proximal();
  place_distal();
}

void Femur::tabulate_shaft() {
  const double w = m_.bicondylar_width / 2, d = m_.condylar_depth / 2;
  const double a = m_.shaft_width / 2, b = m_.shaft_depth / 2;
  // Radii against height as a share of the length: the distal flare belongs to the condyles, the rest to the shaft.
  const std::array<std::array<double, 2>, 10> width = {{{0.04, 0.84 * w},
                                                        {0.08, 0.80 * w},
                                                        {0.12, 0.66 * w},
                                                        {0.17, 0.5 * (0.56 * w + 1.3 * a)},
                                                        {0.24, 1.24 * a},
                                                        {0.34, 1.07 * a},
                                                        {0.55, a},
                                                        {0.72, 1.06 * a},
                                                        {0.82, 1.2 * a},
                                                        {0.90, 1.45 * a}}};
  const std::array<std::array<double, 2>, 8> depth = {{{0.04, 0.74 * d},
                                                       {0.09, 0.68 * d},
                                                       {0.15, 0.5 * (0.60 * d + 1.05 * b)},
                                                       {0.25, 1.0 * b},
                                                       {0.50, b},
                                                       {0.72, 0.95 * b},
                                                       {0.82, 1.0 * b},
                                                       {0.90, 1.15 * b}}};
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    const double t = kTableTop * static_cast<double>(i) / static_cast<double>(sections_.size() - 1);
    const double z = t * m_.length, bow = std::clamp((t - 0.05) / 0.8, -0.2, 1.2), arch = 4 * bow * (1 - bow);
    const Vec3 centre{lean_x_ * z / head_z_ - lateral_sagitta_ * arch,
                      0.10 * d - sagitta_ * arch + 0.06 * d * smooth_step(0.25, 0.05, t), z};
    sections_[i] = {centre, through(width, t), through(depth, t)};
  }
}

Femur::Section Femur::section(double z) const {
  const double last = static_cast<double>(sections_.size() - 1);
  const double at = std::clamp(z / m_.length / kTableTop, 0.0, 1.0) * last;
  const auto i = static_cast<std::size_t>(std::min(at, last - 1));
  const double t = at - static_cast<double>(i);
  const Section &low = sections_[i], &high = sections_[i + 1];
  return {low.centre * (1 - t) + high.centre * t, low.width * (1 - t) + high.width * t,
          low.depth * (1 - t) + high.depth * t};
}

void Femur::place_proximal() {
  const double rise = radians(m_.neck_shaft_angle - 90), turn = radians(m_.anteversion);
  const double length = m_.offset / std::cos(rise);
  const Vec3 shaft = normalised({lean_x_, 0, head_z_});
  const Vec3 across = normalised(Vec3{std::cos(turn), -std::sin(turn), 0} - shaft * (shaft.x * std::cos(turn)));
  const Vec3 along = across * std::cos(rise) + shaft * std::sin(rise);
  // The shaft's axis at the height where a neck of this length ends at the head's centre.
  const double base_z = head_z_ - length * along.z;
  neck_base_ = section(base_z).centre;
  head_ = neck_base_ + along * length;
  head_z_ = head_.z;
  const double neck = m_.neck_diameter / 2, head = m_.head_diameter / 2;
  const Vec3 flat = normalised(cross(along, shaft));
  neck_ = {neck_base_ - along * (0.15 * neck), head_ - along * (0.25 * head), 1.12 * neck, 0.98 * neck, flat, 0.82};
  shaft_top_ = base_z + 0.35 * neck;

  // Greater trochanter: lateral of the shaft, its tip behind the neck.
  const double a = m_.shaft_width / 2, tip_z = head_.z + m_.trochanter_height;
  const Vec3 lateral = -1.0 * across, back = normalised(cross(shaft, across));
  const Vec3 top = section(tip_z).centre;
  const double bulge = 1.05 * a;
  greater_low_ = {neck_base_ + lateral * (0.35 * a) - shaft * (1.1 * a) + back * (0.05 * a),
                  neck_base_ + lateral * (0.85 * a) + shaft * (0.25 * a) + back * (0.25 * a),
                  0.95 * bulge,
                  1.08 * bulge,
                  back,
                  1.25};
  greater_tip_ = {greater_low_.to,
                  top + lateral * (0.66 * a) + back * (0.40 * a) - shaft * (0.72 * a),
                  0.98 * bulge,
                  0.72 * a,
                  back,
                  1.35};
  fossa_ = {top + across * (0.42 * a) + back * (0.80 * a) - shaft * (0.75 * a), Vec3{0.62, 0.62, 0.9} * a};

  // Lesser trochanter: medial and behind, at its published distance below the greater one's tip.
  const Vec3 tip = greater_tip_.to + shaft * (0.72 * a);
  const double turn_back = radians(m_.lesser_version);
  const double lesser_z = tip.z - 0.93 * m_.trochanter_distance;
  const Section at = section(lesser_z);
  const Vec3 out{std::cos(turn_back), std::sin(turn_back), 0};
  const double wall = 1 / std::hypot(out.x / at.width, out.y / at.depth), end = 0.45 * a;
  lesser_ = {at.centre + out * (0.5 * wall) + Vec3{0, 0.12 * a, 0.35 * a},
             at.centre + out * (wall + m_.lesser_prominence - end), 0.95 * a, end};
  crest_ = {greater_tip_.to + back * (0.55 * a) - shaft * (0.4 * a),
            lesser_.from + back * (0.55 * a) + shaft * (0.3 * a), 0.48 * a, 0.45 * a};
  fovea_ = {head_ + normalised(along * 0.9 + Vec3{0.45, 0.15, -0.1}) * (1.13 * head), Vec3{1, 1, 1} * (0.28 * head)};
}

void Femur::place_distal() {
  const double w = m_.bicondylar_width / 2, depth = m_.condylar_depth;
  const double inner = m_.notch_width / 2, outer = 0.92 * w;
  const double half = (outer - inner) / 2, x = inner + half;
  const double front = 0.40 * depth, back = 0.335 * depth, posterior = 0.60 * depth;
  // The wheels stand wider apart behind than in front, the medial one more so.
  medial_ = {x, half, 0.30, 0.02 * depth, front * 0.96, posterior - back, back};
  lateral_ = {-x, half, -0.14, -0.015 * depth, front, posterior - back - 0.02 * depth, back * 0.97};
  // Between them the joint surface of the patella, lower than both rims.
  const double groove = 0.32 * depth;
  groove_ = {0, 0.8 * x, 0, 0.0, groove, 0.03 * depth, groove * 0.92, 0.08 * depth};
  const double low = 0.50 * depth;
  epicondyles_[0] = {{w - 0.22 * w, 0.16 * depth, low}, {0.22 * w, 0.20 * depth, 0.27 * depth}};
  epicondyles_[1] = {{-(w - 0.22 * w), 0.14 * depth, low * 0.95}, {0.22 * w, 0.18 * depth, 0.24 * depth}};
  notch_ = {{0, posterior, 0.04 * depth}, {1.10 * inner, 1.25 * m_.notch_depth, 0.52 * depth}};
}

double Femur::distance(Vec3 p, const Rod& rod) {
  // Squeezing by `ratio` along `flat`: stretch space the other way, and take the shorter of the two distances.
  const auto squeezed = [&](Vec3 v) { return v + rod.flat * (dot(v, rod.flat) * (1 / rod.ratio - 1)); };
  const Vec3 axis = squeezed(rod.to - rod.from), q = squeezed(p - rod.from);
  const double t = std::clamp(dot(q, axis) / dot(axis, axis), 0.0, 1.0);
  const double radius = rod.from_radius + smooth_step(0, 1, t) * (rod.to_radius - rod.from_radius);
  return (norm(q - axis * t) - radius) * std::min(1.0, rod.ratio);
}

double Femur::distance(Vec3 p, const Ellipsoid& ellipsoid) {
  const Vec3 q = p - ellipsoid.centre, r = ellipsoid.radii;
  const Vec3 unit{q.x / r.x, q.y / r.y, q.z / r.z}, gradient{unit.x / r.x, unit.y / r.y, unit.z / r.z};
  const double length = norm(unit), slope = norm(gradient);
  if (slope < 1e-9) return -std::min({r.x, r.y, r.z});
  return length * (length - 1) / slope;
}

double Femur::distance(Vec3 p, const Condyle& c) const {
  // The outline in the sagittal plane: the hull of two circles that stand on one line.
  const Vec3 from{0, c.front_y, c.floor + c.front_radius}, to{0, c.back_y, c.floor + c.back_radius};
  const Vec3 axis = to - from, q = Vec3{0, p.y, p.z} - from;
  const double t = std::clamp(dot(q, axis) / dot(axis, axis), 0.0, 1.0);
  const double outline = norm(q - axis * t) - (c.front_radius + t * (c.back_radius - c.front_radius));
  const double edge = 0.8 * c.half_width;
  const double a = outline + edge, b = std::abs(p.x - c.x - c.slant * (p.y - c.back_y)) - (c.half_width - edge);
  const double out_a = std::max(a, 0.0), out_b = std::max(b, 0.0);
  return std::min(std::max(a, b), 0.0) + std::sqrt(out_a * out_a + out_b * out_b) - edge;
}

double Femur::shaft(Vec3 p) const {
  const Section s = section(std::clamp(p.z, 0.0, 1.1 * m_.length));
  double x = (p.x - s.centre.x) / s.width, y = (p.y - s.centre.y) / s.depth;
  const double r = std::sqrt(x * x + y * y), t = p.z / m_.length;
  // The rough line behind the shaft.
  const double behind = r > 1e-6 ? std::max(y / r, 0.0) : 0, eighth = behind * behind * behind * behind;
  const double ridge = 0.15 * eighth * eighth * eighth * smooth_step(0.2, 0.35, t) * smooth_step(0.85, 0.7, t);
  const double gx = x / s.width, gy = y / s.depth;
  const double slope = r > 1e-6 ? std::sqrt(gx * gx + gy * gy) / r : 1 / std::min(s.width, s.depth);
  const double side = (r - 1 - ridge) / slope;
  const double bottom = 0.055 * m_.length;
  const double ends = std::max(bottom - p.z, p.z - shaft_top_);
  return -join(-side, -ends, 8 * scale_);
}

double Femur::proximal(Vec3 p) const {
  double bone = distance(p, greater_low_);
  bone = join(bone, distance(p, greater_tip_), 5 * scale_);
  bone = carve(bone, distance(p, fossa_), 5 * scale_);
  bone = join(bone, distance(p, crest_), 8 * scale_);
  bone = join(bone, distance(p, lesser_), 7 * scale_);
  const double head = carve(norm(p - head_) - m_.head_diameter / 2, distance(p, fovea_), 3 * scale_);
  bone = join(bone, join(distance(p, neck_), head, 5 * scale_), 9 * scale_);
  return bone;
}

double Femur::distal(Vec3 p) const {
  double bone = join(distance(p, medial_), distance(p, lateral_), 4 * scale_);
  bone = join(bone, distance(p, groove_), 8 * scale_);
  bone = join(bone, distance(p, epicondyles_[0]), 9 * scale_);
  bone = join(bone, distance(p, epicondyles_[1]), 9 * scale_);
  return bone;
}

double Femur::operator()(Vec3 p) const {
  double bone = shaft(p);
  if (p.z < 0.35 * m_.length) {
    bone = join(bone, distal(p), 14 * scale_);
    bone = carve(bone, distance(p, notch_), 5 * scale_);
  }
  if (p.z > 0.65 * m_.length) bone = join(bone, proximal(p), 10 * scale_);
  return bone;
}

Box Femur::box() const {
  const double w = m_.bicondylar_width, d = m_.condylar_depth, margin = 8 * scale_;
  const double top = std::max(m_.length, head_.z + m_.trochanter_height) + margin;
  const double lateral = std::min(-0.62 * w, lean_x_ - 2.6 * m_.shaft_width / 2);
  const double medial = std::max(0.62 * w, head_.x + m_.head_diameter / 2);
  const double front = std::min({-0.62 * d, head_.y - m_.head_diameter / 2, -sagitta_ - m_.shaft_depth});
  const double back = std::max(0.8 * d, head_.y + m_.head_diameter / 2);
  return {{lateral - margin, front - margin, -margin}, {medial + margin, back + margin, top}};
}

}  // namespace osteon::phantom
