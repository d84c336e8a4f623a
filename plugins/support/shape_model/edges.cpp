#include "shape_model/edges.hpp"

#include <ATen/Functions.h>
#include <Eigen/Dense>

#include <algorithm>
#include <cmath>

namespace osteon::shape_model {

namespace {

constexpr double kBlurs[] = {3, 6};         // mm
constexpr double kBlurredFrom[] = {7, 14};  // mm of reach
constexpr double kCoarsePixel = 5;          // mm

at::Tensor blurred(const at::Tensor& slopes, double sigma_pixels) {
  const auto half = static_cast<std::int64_t>(std::ceil(2.5 * sigma_pixels));
  const at::Tensor at = at::arange(-half, half + 1, at::kFloat);
  at::Tensor bell = at.pow(2).mul(-0.5 / (sigma_pixels * sigma_pixels)).exp();
  bell = bell.div(bell.sum()).view({1, 1, -1, 1});
  const at::Tensor padded = at::replication_pad2d(slopes.unsqueeze(1), {half, half, half, half});
  return at::conv2d(at::conv2d(padded, bell), bell.transpose(2, 3)).squeeze(1).contiguous();
}

}  // namespace

std::vector<Fold> folds_of(const Points& points, const Points& normals, const Connections& connections,
                           const Camera& camera) {
  Eigen::VectorXd facing(points.rows());
  for (Eigen::Index v = 0; v < points.rows(); ++v) facing[v] = camera.ray(points.row(v)).dot(normals.row(v));
  std::vector<Fold> folds;
  for (const auto& triangle : connections.triangles) {
    const bool side[] = {facing[triangle[0]] < 0, facing[triangle[1]] < 0, facing[triangle[2]] < 0};
    if (side[0] == side[1] && side[1] == side[2]) continue;
    // The corner that faces otherwise than the two others.
    const std::size_t alone = side[0] == side[1] ? 2 : side[0] == side[2] ? 1 : 0;
    const std::int32_t a = triangle[alone], b = triangle[(alone + 1) % 3], c = triangle[(alone + 2) % 3];
    const double to_b = facing[a] / (facing[a] - facing[b]), to_c = facing[a] / (facing[a] - facing[c]);
    const auto between = [&](const Points& of, std::int32_t other, double t) {
      return Eigen::Vector3d(of.row(a) * (1 - t) + of.row(other) * t);
    };
    const Eigen::Vector2d from = camera.shadow(between(points, b, to_b)), to = camera.shadow(between(points, c, to_c));
    const Eigen::Vector2d normal = (between(normals, b, to_b) + between(normals, c, to_c)).head<2>();
    if (normal.norm() < 1e-6) continue;
    folds.push_back({{a, b, c},
                     {1 - (to_b + to_c) / 2, to_b / 2, to_c / 2},
                     (from + to) / 2,
                     normal.normalized(),
                     (to - from).norm()});
  }
  return folds;
}

Edges::Edges(const at::Tensor& picture, const Camera& camera, bool near)
    : pixel_(camera.pixel), column_(camera.column), row_(camera.row) {
  const at::Tensor image = picture.contiguous().view({1, 1, picture.size(0), picture.size(1)});
  // Scharr's, to the right; turned, up.
  const at::Tensor right =
      at::tensor({-3.0F, 0.0F, 3.0F, -10.0F, 0.0F, 10.0F, -3.0F, 0.0F, 3.0F}).view({1, 1, 3, 3}).mul(1 / (32 * pixel_));
  const at::Tensor both = at::cat({right, -right.transpose(2, 3)});
  const at::Tensor slopes = at::conv2d(at::replication_pad2d(image, {1, 1, 1, 1}), both).squeeze(0).contiguous();
  slopes_ = {slopes};
  if (near) return;
  for (const double blur : kBlurs) slopes_.push_back(blurred(slopes, blur / pixel_));
  add_coarse_directions();
}

void Edges::add_coarse_directions() {
  // A slope's direction counts, and hardly its height, or a metal screw would be all that is seen.
  constexpr double kSteep = 0.97, kFull = 0.3;  // quantile of slopes; part of it where directions count by half
  const at::Tensor steepness = slopes_.front().pow(2).sum(0).sqrt();
  const double steep = at::quantile(steepness.flatten(), kSteep).item<double>();
  const at::Tensor directions = slopes_.front().div(steepness.add(kFull * steep + 1e-12)).unsqueeze(0);
  pool_ = std::max<std::int64_t>(1, std::llround(kCoarsePixel / pixel_));
  directions_ = at::avg_pool2d(directions, {pool_, pool_}, {}, 0, true).squeeze(0).contiguous();
}

std::optional<double> Edges::find(const Eigen::Vector2d& place, const Eigen::Vector2d& normal, double reach) const {
  const at::Tensor& slopes = slopes_[reach > kBlurredFrom[1] ? 2 : reach > kBlurredFrom[0] ? 1 : 0];
  const std::int64_t rows = slopes.size(1), columns = slopes.size(2);
  const float* right = slopes.data_ptr<float>();
  const float* up = right + rows * columns;
  const auto fall = [&](double s) {
    const Eigen::Vector2d at = place + s * normal;
    const double c = column_ + at.x() / pixel_, r = row_ - at.y() / pixel_;
    const double c0 = std::floor(c), r0 = std::floor(r), dc = c - c0, dr = r - r0;
    if (!(c0 >= 0 && r0 >= 0 && c0 + 1 < static_cast<double>(columns) && r0 + 1 < static_cast<double>(rows)))
      return 0.0;
    const std::int64_t first = static_cast<std::int64_t>(r0) * columns + static_cast<std::int64_t>(c0);
    const auto value = [&](const float* of) {
      const float* p = of + first;
      return (p[0] * (1 - dc) + p[1] * dc) * (1 - dr) + (p[columns] * (1 - dc) + p[columns + 1] * dc) * dr;
    };
    return -(normal.x() * value(right) + normal.y() * value(up));
  };
  const double step = pixel_ / 2;
  const auto count = static_cast<int>(std::ceil(reach / step));
  double most = 0;
  std::optional<double> found;
  double before = fall(-(count + 1) * step), here = fall(-count * step);
  for (int k = -count; k <= count; ++k) {
    const double after = fall((k + 1) * step), s = k * step;
    const double liked = here * std::exp(-2 * s * s / (reach * reach));
    if (here >= before && here > after && liked > most) {
      most = liked;
      found = s + step * (before - after) / (2 * (before - 2 * here + after));  // the parabola's top
    }
    before = here;
    here = after;
  }
  return found;
}

Edges::Placed Edges::place(const std::vector<Fold>& folds, double furthest) const {
  const std::int64_t rows = directions_.size(1), columns = directions_.size(2);
  const auto pixels = static_cast<double>(pool_);
  const double pixel = pixel_ * pixels;
  const std::int64_t reach = std::min(static_cast<std::int64_t>(furthest / pixel), std::max(rows, columns));

  // The folds drawn into coarse pixels, also into those around the image, from where a shift may bring them in.
  const std::int64_t height = rows + 2 * reach, width = columns + 2 * reach;
  std::vector<Eigen::Vector2f> drawn(static_cast<std::size_t>(height * width), Eigen::Vector2f::Zero());
  double length = 0;
  for (const Fold& fold : folds) {
    length += fold.length;
    const double c = (column_ + fold.place.x() / pixel_ + 0.5) / pixels - 0.5 + static_cast<double>(reach);
    const double r = (row_ - fold.place.y() / pixel_ + 0.5) / pixels - 0.5 + static_cast<double>(reach);
    const double c0 = std::floor(c), r0 = std::floor(r), dc = c - c0, dr = r - r0;
    if (!(c0 >= 0 && r0 >= 0 && c0 + 1 < static_cast<double>(width) && r0 + 1 < static_cast<double>(height))) continue;
    for (int k = 0; k < 4; ++k) {
      const double share = (k % 2 == 1 ? dc : 1 - dc) * (k / 2 == 1 ? dr : 1 - dr) * fold.length;
      const auto at = (static_cast<std::int64_t>(r0) + k / 2) * width + static_cast<std::int64_t>(c0) + k % 2;
      drawn[static_cast<std::size_t>(at)] -= (share * fold.normal).cast<float>();  // the line integral falls there
    }
  }
  if (length == 0) return {};

  // Few coarse pixels have a fold, so adding up each one's shifts takes less than a Fourier transform.
  const std::int64_t shifts = 2 * reach + 1;
  std::vector<float> agreement(static_cast<std::size_t>(shifts * shifts), 0.0F);
  const float* right = directions_.data_ptr<float>();
  const float* up = right + rows * columns;
  for (std::int64_t at = 0; at < height * width; ++at) {
    const Eigen::Vector2f& fold = drawn[static_cast<std::size_t>(at)];
    if (fold.isZero(0)) continue;
    const std::int64_t r = at / width - reach, c = at % width - reach;
    const std::int64_t first = std::max(-reach, -c), last = std::min(reach, columns - 1 - c);
    for (std::int64_t dr = std::max(-reach, -r); dr <= std::min(reach, rows - 1 - r); ++dr) {
      float* sums = agreement.data() + (dr + reach) * shifts + reach;
      const std::int64_t from = (r + dr) * columns + c;
      for (std::int64_t dc = first; dc <= last; ++dc)
        sums[dc] += fold.x() * right[from + dc] + fold.y() * up[from + dc];
    }
  }
  Placed best;
  for (std::int64_t dr = -reach; dr <= reach; ++dr)
    for (std::int64_t dc = -reach; dc <= reach; ++dc) {
      const Eigen::Vector2d shift = pixel * Eigen::Vector2d(static_cast<double>(dc), static_cast<double>(-dr));
      if (shift.norm() > furthest) continue;
      const double here = agreement[static_cast<std::size_t>((dr + reach) * shifts + dc + reach)] / length;
      if (here > best.agreement) best = {shift, here};
    }
  return best;
}

EdgeStatistics::EdgeStatistics(Eigen::Index vertices)
    : length_(Eigen::ArrayXd::Zero(vertices)),
      sum_(Eigen::ArrayXd::Zero(vertices)),
      squares_(Eigen::ArrayXd::Zero(vertices)) {}

void EdgeStatistics::add(const Edges& edges, const Camera& camera, const Points& points,
                         const Connections& connections) {
  constexpr double kReach = 5;  // mm
  const Points normals = vertex_normals(points, connections) * camera.axes;
  for (const Fold& fold : folds_of(points * camera.axes, normals, connections, camera)) {
    const auto found = edges.find(fold.place, fold.normal, kReach);
    for (int k = 0; k < 3; ++k) {
      const auto vertex = fold.vertices[static_cast<std::size_t>(k)];
      const double share = fold.weights[k] * fold.length;
      length_[vertex] += share;
      sum_[vertex] += share * found.value_or(0);
      squares_[vertex] += share * (found ? *found * *found : kReach * kReach / 3);  // it may be anywhere
    }
  }
}

EdgeOffsets EdgeStatistics::offsets() const {
  constexpr double kLikeAll = 40;  // mm of folds
  const double total = length_.sum();
  if (total == 0) return {};
  const Eigen::ArrayXd mean = (sum_ + kLikeAll * sum_.sum() / total) / (length_ + kLikeAll);
  const Eigen::ArrayXd squares = (squares_ - 2 * mean * sum_ + mean.square() * length_).max(0);
  const Eigen::ArrayXd variance = (squares + kLikeAll * squares.sum() / total) / (length_ + kLikeAll);
  return {mean, variance.sqrt()};
}

}  // namespace osteon::shape_model
