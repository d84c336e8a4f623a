#include "shape_model/estimator.hpp"

#include "open3d_support/surfaces.hpp"

#include <osteon/digest.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>
#include <Eigen/Dense>

#include <algorithm>
#include <cmath>

namespace osteon::shape_model {

namespace {

constexpr std::int64_t kOffsetImages = 40;

std::string digest_of(const Mesh& mesh) {
  Digest digest;
  for (const at::Tensor& part : {mesh.vertices, mesh.triangles})
    digest.add(std::span(static_cast<const std::byte*>(part.data_ptr()),
                         static_cast<std::size_t>(part.numel()) * part.element_size()));
  return digest.hex();
}

}  // namespace

Correspondences::Result Correspondences::of(const std::vector<Mesh>& meshes) {
  const Mesh& median = open3d_support::of_median_size(meshes);
  auto& pattern = templates_[digest_of(median)];
  if (!pattern) pattern = std::make_unique<Template>(median, triangles_);
  std::vector<std::pair<std::string, std::string>> names;
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < meshes.size(); ++i) {
    names.emplace_back(digest_of(median), digest_of(meshes[i]));
    if (!shapes_.contains(names.back())) {
      shapes_[names.back()] = {};
      missing.push_back(i);
    }
  }
  parallel_for(0, std::ssize(missing), 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      throw_if_stopped();
      const std::size_t bone = missing[static_cast<std::size_t>(i)];
      shapes_.at(names[bone]) = pattern->onto(open3d_support::ClosestPoints(meshes[bone]));
    }
  });
  Result result{pattern.get(), {}};
  for (const auto& name : names) result.shapes.push_back(shapes_.at(name));
  return result;
}

std::vector<Parameter> outline_parameters() {
  return {Parameter::integer("triangles", 10'000, "Triangles of the template.").at_least(500).at_most(200'000),
          Parameter::real("level", 0.12, "Line integral at a bone's outline, as a share of its 95th percentile.")
              .at_least(0.01)
              .at_most(0.9),
          Parameter::real("outline_step", 2.5, "Between points of an outline.").unit("mm").at_least(0.2).at_most(50),
          Parameter::real("noise", 1, "Standard deviation of an outline point across the outline, the model's own misfit included.")
              .unit("mm")
              .at_least(0.01)
              .at_most(20),
          Parameter::real("independent", 40, "Length of outline over which its errors are alike.")
              .unit("mm")
              .at_least(0.1)
              .at_most(200),
          Parameter::real("axial", 12, "Standard deviation of a view's axial angle.").unit("°").at_least(0.01).at_most(45),
          Parameter::real("tilt", 8, "Standard deviation of a view's tilt.").unit("°").at_least(0.01).at_most(45),
          Parameter::real("in_plane", 12, "Standard deviation of a view's in-plane angle.")
              .unit("°")
              .at_least(0.01)
              .at_most(45),
          Parameter::real("ap_ml", 4, "Standard deviation of the angle between AP and ML.")
              .unit("°")
              .at_least(0.01)
              .at_most(45),
          Parameter::real("shift", 20, "Standard deviation of the bone's place in an image.")
              .unit("mm")
              .at_least(0.01)
              .at_most(500),
          Parameter::real("scale_error", 2, "Standard deviation of an image's scale.").unit("%").at_least(0.01).at_most(50)};
}

OutlineEstimator::OutlineEstimator(const Parameters& parameters)
    : level_(parameters.real("level")), step_(parameters.real("outline_step")) {
  settings_.noise = parameters.real("noise");
  settings_.independent = parameters.real("independent");
  settings_.axial = parameters.real("axial");
  settings_.tilt = parameters.real("tilt");
  settings_.in_plane = parameters.real("in_plane");
  settings_.ap_ml = parameters.real("ap_ml");
  settings_.shift = parameters.real("shift");
  settings_.scale = parameters.real("scale_error") / 100;
}

View OutlineEstimator::view_of(const at::Tensor& image, const at::Tensor& line_integrals, const Projection& projection,
                               bool is_ml) const {
  const Camera camera(projection);
  return {camera, find_outline(half_of(image, line_integrals, is_ml), camera, level_, step_)};
}

void OutlineEstimator::learn(const ShapeGallery& gallery, const Correspondences::Result& bones, ShapeModel model) {
  model_ = std::move(model);
  settings_.outline_offset = 0;
  if (!gallery.images.defined() || gallery.images.size(0) == 0) return;
  const std::int64_t count = gallery.images.size(0), every = std::max<std::int64_t>(1, count / kOffsetImages);
  std::vector<double> offsets;
  for (std::int64_t i = 0; i < count; i += every) {
    const auto bone = static_cast<std::size_t>(gallery.bone.data_ptr<std::int64_t>()[i]);
    for (const bool is_ml : {false, true}) {
      const PairExposures& pair = gallery.exposures[static_cast<std::size_t>(i)];
      const View view = view_of(gallery.images[i], gallery.line_integrals, is_ml ? pair.ml : pair.ap, is_ml);
      const double offset = outline_offset(view, bones.shapes[bone], bones.pattern->connections());
      if (!std::isnan(offset)) offsets.push_back(offset);
    }
  }
  if (offsets.empty()) return;
  const auto middle = offsets.begin() + std::ssize(offsets) / 2;
  std::nth_element(offsets.begin(), middle, offsets.end());
  settings_.outline_offset = *middle;
}

ShapePrediction OutlineEstimator::predict(const ShapeQuery& query) const {
  std::vector<View> views;
  for (std::int64_t q = 0; q < query.images.size(0); ++q) {
    const PairExposures& pair = query.exposures[static_cast<std::size_t>(q)];
    views.push_back(view_of(query.images[q], query.line_integrals, pair.ap, false));
    views.push_back(view_of(query.images[q], query.line_integrals, pair.ml, true));
  }
  const ImageFit fit = fit_to_images(model_, views, settings_);
  ShapePrediction prediction;
  prediction.mesh = with_points(model_.surface, model_.shape(fit.coefficients));
  prediction.residual = fit.residual;
  prediction.expected_error = expected_error(fit);
  for (std::size_t q = 0; q < query.exposures.size(); ++q) {
    const auto moved = [&](std::size_t v, const Projection& told) {
      const ViewPose& pose = fit.poses[v];
      return views[v].camera.moved(told, rotation_matrix(pose.rotation), pose.shift, std::exp(pose.log_scale));
    };
    prediction.exposures.push_back(
        {moved(2 * q, query.exposures[q].ap), moved(2 * q + 1, query.exposures[q].ml)});
  }
  return prediction;
}

double OutlineEstimator::expected_error(const ImageFit& fit) const {
  // Distances between surfaces see the part of a displacement along the normal; a rigid alignment takes more of it.
  const Points points = model_.shape(fit.coefficients);
  const Points normals = vertex_normals(points, Connections(model_.surface));
  const Eigen::LLT<Eigen::MatrixXd> root(fit.covariance);
  const Eigen::MatrixXd lower = root.matrixL();
  double sum = 0;
  for (Eigen::Index v = 0; v < points.rows(); ++v) {
    const Eigen::RowVectorXd along = normals.row(v) * model_.modes.middleRows(3 * v, 3);
    sum += (along * lower).squaredNorm() + model_.noise * model_.noise;
  }
  return std::sqrt(sum / static_cast<double>(points.rows()));
}

Mesh OutlineEstimator::ceiling(const Mesh& truth) const {
  constexpr double kDeviation = 0.5;  // mm
  return with_points(model_.surface, fit_to_surface(model_, truth, kDeviation).points);
}

}  // namespace osteon::shape_model
