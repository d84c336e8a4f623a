#include "shape_model/quality.hpp"

#include "open3d_support/surfaces.hpp"

#include <osteon/parallel.hpp>
#include <osteon/random.hpp>

#include <algorithm>
#include <limits>

namespace osteon::shape_model {

namespace {

constexpr std::int64_t kQualitySamples = 5000;
constexpr double kDeviation = 0.5;  // mm, of a fit to a surface

}  // namespace

std::vector<double> compactness(const ShapeModel& model) {
  std::vector<double> shares;
  const double whole = model.modes.squaredNorm() + model.noise * model.noise * static_cast<double>(model.mean.size());
  double carried = 0;
  for (Eigen::Index k = 0; k < model.size(); ++k) {
    carried += model.modes.col(k).squaredNorm();
    shares.push_back(carried / whole);
  }
  return shares;
}

std::vector<double> generalisation(const std::vector<Points>& shapes, const std::vector<Mesh>& bones,
                                   const std::function<ShapeModel(const std::vector<Points>&)>& built) {
  std::vector<double> distances;
  for (std::size_t left_out = 0; left_out < shapes.size(); ++left_out) {
    throw_if_stopped();
    std::vector<Points> others;
    for (std::size_t i = 0; i < shapes.size(); ++i)
      if (i != left_out) others.push_back(shapes[i]);
    const ShapeModel model = built(aligned(others));
    const Mesh nearest = with_points(model.surface, fit_to_surface(model, bones[left_out], kDeviation).points);
    distances.push_back(open3d_support::surface_distance(nearest, bones[left_out], kQualitySamples).rms);
  }
  return distances;
}

std::vector<double> specificity(const ShapeModel& model, const std::vector<Points>& shapes, std::int64_t members,
                                std::uint64_t seed) {
  std::vector<open3d_support::ClosestPoints> bones;
  for (const Points& shape : shapes) bones.emplace_back(with_points(model.surface, shape));
  std::vector<double> distances(static_cast<std::size_t>(members), std::numeric_limits<double>::infinity());
  parallel_for(0, members, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t m = first; m < last; ++m) {
      throw_if_stopped();
      Random random(seed, "specificity", static_cast<std::uint64_t>(m));
      Eigen::VectorXd coefficients(model.size());
      for (Eigen::Index k = 0; k < model.size(); ++k) coefficients[k] = random.normal();
      const open3d_support::ClosestPoints member(with_points(model.surface, model.shape(coefficients)));
      for (const auto& bone : bones)
        distances[static_cast<std::size_t>(m)] =
            std::min(distances[static_cast<std::size_t>(m)],
                     open3d_support::surface_distance(bone, member, Affine{}, kQualitySamples / 5, seed).rms);
    }
  });
  return distances;
}

}  // namespace osteon::shape_model
