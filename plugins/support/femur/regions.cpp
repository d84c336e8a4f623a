#include "femur/regions.hpp"

namespace osteon::femur {

namespace {
constexpr double kProximal = 0.20, kDistal = 0.85;  // depth as a share of the length
constexpr double kHead = 1.1;                       // radii
}  // namespace

Regions::Regions(const Mesh& bone) {
  const std::vector<SurfacePoint> points = points_of(bone);
  along_ = reach(points, {0, 0, 1});
  head_ = find_head(points);
}

std::optional<Region> Regions::of(Vec3 point) const {
  const double depth = along_.depth(point.z);
  if (depth > kDistal) return Region::condyles;
  if (depth > kProximal) return Region::shaft;
  if (!head_) return std::nullopt;
  return norm(point - head_->centre) < kHead * head_->radius ? Region::head : Region::neck_and_trochanters;
}

}  // namespace osteon::femur
