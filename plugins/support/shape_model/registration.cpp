#include "shape_model/registration.hpp"

#include "open3d_support/surfaces.hpp"

#include <Eigen/Sparse>
#include <Eigen/SparseCholesky>

#include <algorithm>
#include <cmath>

namespace osteon::shape_model {

namespace {

using open3d_support::ClosestPoints;
using Sparse = Eigen::SparseMatrix<double>;

constexpr std::uint64_t kRegistrationSeed = 0x7E3A;
constexpr std::int64_t kRegistrationSamples = 6000;  // of the bone, which look for the template
constexpr double kSameFacing = 0.3;  // cosine; closest points of surfaces that face otherwise are not partners
constexpr double kBackWeight = 0.5;  // of a sample of the bone beside a vertex of the template

/// The mean of the neighbours minus the vertex.
Sparse laplacian(const Connections& connections) {
  std::vector<Eigen::Triplet<double>> entries;
  const auto count = static_cast<Eigen::Index>(connections.neighbours.size());
  for (Eigen::Index v = 0; v < count; ++v) {
    const auto& around = connections.neighbours[static_cast<std::size_t>(v)];
    entries.emplace_back(v, v, -1.0);
    for (const std::int32_t other : around) entries.emplace_back(v, other, 1.0 / static_cast<double>(around.size()));
  }
  Sparse matrix(count, count);
  matrix.setFromTriplets(entries.begin(), entries.end());
  return matrix;
}

/// Where each vertex is drawn, and how strongly.
struct Pull {
  Points target;  ///< sum of the places, each by its weight
  Eigen::VectorXd weight;
};

Pull pull_of(const Mesh& pattern, const Connections& connections, const Points& now, const ClosestPoints& bone,
             const std::vector<Vec3>& samples) {
  Pull pull{Points::Zero(now.rows(), 3), Eigen::VectorXd::Zero(now.rows())};
  const Points normals = vertex_normals(now, connections);
  const auto partners = bone.find(as_vectors(now));
  for (Eigen::Index v = 0; v < now.rows(); ++v) {
    const auto& partner = partners[static_cast<std::size_t>(v)];
    if (to_eigen(bone.normal(partner.triangle)).dot(normals.row(v)) < kSameFacing) continue;
    pull.target.row(v) += to_eigen(partner.point).transpose();
    pull.weight[v] += 1;
  }
  const ClosestPoints surface(with_points(pattern, now));
  const auto own = bone.find(samples);  // the triangles that the samples lie in
  const auto back = surface.find(samples);
  for (std::size_t s = 0; s < samples.size(); ++s) {
    if (dot(bone.normal(own[s].triangle), surface.normal(back[s].triangle)) < kSameFacing) continue;
    // The nearest corner of the triangle is moved as the closest point should be.
    const auto& corners = connections.triangles[static_cast<std::size_t>(back[s].triangle)];
    const Eigen::Vector3d from = to_eigen(back[s].point), to = to_eigen(samples[s]);
    const std::int32_t nearest = *std::min_element(corners.begin(), corners.end(), [&](auto a, auto b) {
      return (now.row(a).transpose() - from).squaredNorm() < (now.row(b).transpose() - from).squaredNorm();
    });
    pull.target.row(nearest) += kBackWeight * (now.row(nearest) + (to - from).transpose());
    pull.weight[nearest] += kBackWeight;
  }
  return pull;
}

double edge_length(const Points& points, const Connections& connections) {
  double sum = 0;
  for (const auto& t : connections.triangles)
    for (std::size_t k = 0; k < 3; ++k) sum += (points.row(t[k]) - points.row(t[(k + 1) % 3])).norm();
  return sum / (3.0 * static_cast<double>(connections.triangles.size()));
}

}  // namespace

Template::Template(const Mesh& bone, std::int64_t triangles)
    : surface_(open3d_support::simplified(bone, triangles)), connections_(surface_.mesh()) {}

Points Template::onto(const ClosestPoints& bone) const {
  // Distances over which the displacement is held together, mm.
  constexpr double kReach[] = {80, 56, 40, 28, 20, 14, 10, 7, 5, 5};
  constexpr int kTurns = 3;
  const Affine start = open3d_support::align_affine(surface_, bone, open3d_support::align_rigid(surface_, bone));
  const Points first = mapped(points_of(mesh()), start);
  const Sparse smooth = laplacian(connections_);
  const Sparse resists = smooth.transpose() * smooth;
  const auto samples = open3d_support::sample_surface(bone.mesh(), kRegistrationSamples, kRegistrationSeed);
  const double edge = edge_length(first, connections_);
  Points now = first;
  Eigen::SimplicialLDLT<Sparse> solver;
  for (const double reach : kReach)
    for (int turn = 0; turn < kTurns; ++turn) {
      const Pull pull = pull_of(mesh(), connections_, now, bone, samples);
      Sparse system = resists * std::pow(reach / edge, 4);
      system.diagonal() += pull.weight;
      system.diagonal().array() += 1e-6;
      if (solver.rows() == 0) solver.analyzePattern(system);
      solver.factorize(system);
      const Points wanted = pull.target - pull.weight.asDiagonal() * first;
      now = first + Points(solver.solve(wanted));
    }
  return now;
}

}  // namespace osteon::shape_model
