#include "imaging/implant.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <algorithm>
#include <cmath>

namespace osteon::imaging {

namespace {

constexpr int kSamples = 3;  // of a voxel, along each axis

/// How far the bone reaches laterally from the shaft's line around a height.
double lateral_reach(const Mask& solid, const Grid& grid, const Shaft& shaft, double height) {
  const double nearby = std::max(2 * grid.spacing.z, 3.0);
  double reach = 0;
  for_each_voxel(solid, grid, [&](std::size_t, Vec3 point) {
    const Vec3 own = shaft.own(point);
    if (std::abs(own.z - height) <= nearby) reach = std::max(reach, shaft.on_line(own.z).x - own.x);
  });
  return reach;
}

}  // namespace

Implant::Implant(const Mask& solid, const Grid& grid, const Shaft& shaft, const BoneFrame& frame,
                 const Parameters& perturb)
    : hounsfield_(static_cast<double>(perturb.integer("implant_hounsfield"))) {
  const std::string& kind = perturb.text("implant");
  const double diameter = perturb.real("implant_diameter"), length = perturb.real("implant_length");
  const double middle = shaft.heights().mm(perturb.real("implant_height"));
  Piece straight{shaft.on_line(middle - length / 2), shaft.on_line(middle + length / 2), diameter / 2, diameter / 2};
  if (kind == "rod") {
    add(straight);
  } else if (kind == "plate") {
    straight.half_width = perturb.real("implant_width") / 2;
    const double aside = lateral_reach(solid, grid, shaft, middle) + diameter / 2;
    straight.from.x -= aside;
    straight.to.x -= aside;
    add(straight);
  } else {
    add_stem(shaft, frame, diameter, length);
  }
}

void Implant::add(const Piece& piece) {
  const double reach = std::max({piece.first_radius, piece.last_radius, piece.half_width});
  for (int axis = 0; axis < 3; ++axis) {
    low_[axis] = std::min({low_[axis], piece.from[axis] - reach, piece.to[axis] - reach});
    high_[axis] = std::max({high_[axis], piece.from[axis] + reach, piece.to[axis] + reach});
  }
  pieces_.push_back(piece);
}

/// The neck leaves the shaft's line at 45°, as a femur's own (a neck-shaft angle of 135°); the ball has 0.6 times the
/// head's radius (prostheses have 22 to 36 mm in diameter, heads about 45), the tip half the stem's diameter.
void Implant::add_stem(const Shaft& shaft, const BoneFrame& frame, double diameter, double length) {
  if (!frame.hip_centre)
    throw Error("perturb.implant = \"stem\" needs the femoral head's centre, and no head was found; use \"rod\"");
  ball_ = shaft.own(*frame.hip_centre);
  ball_radius_ = 0.6 * frame.head_radius;
  const Vec3 beside = shaft.on_line(ball_.z);
  const Vec3 top = shaft.on_line(ball_.z - std::hypot(ball_.x - beside.x, ball_.y - beside.y));
  add({top, ball_, 0.4 * diameter, 0.35 * diameter});
  add({top, shaft.on_line(top.z - length), diameter / 2, diameter / 4});
  for (int axis = 0; axis < 3; ++axis) {
    low_[axis] = std::min(low_[axis], ball_[axis] - ball_radius_);
    high_[axis] = std::max(high_[axis], ball_[axis] + ball_radius_);
  }
}

bool Implant::contains(Vec3 own) const {
  if (ball_radius_ > 0 && norm(own - ball_) <= ball_radius_) return true;
  for (const Piece& piece : pieces_) {
    const Vec3 along = piece.to - piece.from;
    const double share = dot(own - piece.from, along) / dot(along, along);
    if (!(share >= 0 && share <= 1)) continue;
    const Vec3 aside = own - (piece.from + along * share);
    const double radius = piece.first_radius + share * (piece.last_radius - piece.first_radius);
    const bool inside = piece.half_width > 0 ? std::abs(aside.x) <= radius && std::abs(aside.y) <= piece.half_width
                                             : norm(aside) <= radius;
    if (inside) return true;
  }
  return false;
}

void put_implant(Volume& volume, const Implant& implant, const Shaft& shaft) {
  const Grid& grid = volume.grid;
  Vec3 low{1e9, 1e9, 1e9}, high{-1e9, -1e9, -1e9};
  for (int corner = 0; corner < 8; ++corner) {
    const Vec3 index = grid.to_index(shaft.patient({(corner & 1) != 0 ? implant.high().x : implant.low().x,
                                                    (corner & 2) != 0 ? implant.high().y : implant.low().y,
                                                    (corner & 4) != 0 ? implant.high().z : implant.low().z}));
    for (int axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], index[axis]);
      high[axis] = std::max(high[axis], index[axis]);
    }
  }
  const auto range = [&](int axis) {
    const auto last = grid.size[static_cast<std::size_t>(axis)] - 1;
    return std::pair{std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(low[axis]))),
                     std::min(last, static_cast<std::int64_t>(std::ceil(high[axis])))};
  };
  const auto [first_i, last_i] = range(0);
  const auto [first_j, last_j] = range(1);
  const auto [first_k, last_k] = range(2);
  auto* voxels = volume.hounsfield.data_ptr<std::int16_t>();
  const auto filled = [&](std::int64_t i, std::int64_t j, std::int64_t k) {
    int inside = 0;
    for (int sample = 0; sample < kSamples * kSamples * kSamples; ++sample) {
      const auto shift = [](int at) { return (at + 0.5) / kSamples - 0.5; };
      const Vec3 index{static_cast<double>(i) + shift(sample % kSamples),
                       static_cast<double>(j) + shift(sample / kSamples % kSamples),
                       static_cast<double>(k) + shift(sample / kSamples / kSamples)};
      if (implant.contains(shaft.own(grid.to_patient(index)))) ++inside;
    }
    return static_cast<double>(inside) / (kSamples * kSamples * kSamples);
  };
  parallel_for(first_k, last_k + 1, 1,
               [&, first_i = first_i, last_i = last_i, first_j = first_j, last_j = last_j](std::int64_t begin,
                                                                                           std::int64_t end) {
                 for (std::int64_t k = begin; k < end; ++k)
                   for (std::int64_t j = first_j; j <= last_j; ++j)
                     for (std::int64_t i = first_i; i <= last_i; ++i) {
                       const double share = filled(i, j, k);
                       if (share == 0) continue;
                       auto& voxel = voxels[(k * grid.size[1] + j) * grid.size[0] + i];
                       voxel = static_cast<std::int16_t>(std::lround(voxel + share * (implant.hounsfield() - voxel)));
                     }
               });
}

}  // namespace osteon::imaging
