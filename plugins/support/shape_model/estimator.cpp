#include "shape_model/estimator.hpp"

#include "open3d_support/surfaces.hpp"
#include "shape_model/quality.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
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
  if (meshes.size() < 2)
    throw Error(text("the gallery has ", meshes.size(),
                     " bones, and how shapes vary can be learnt from two or more; use shape/nearest"));
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
  return {
      Parameter::integer("triangles", 10'000, "Triangles of the template.").at_least(500).at_most(200'000),
      Parameter::real("level", 0.12, "Line integral at a bone's outline, as a share of its 95th percentile.")
          .at_least(0.01)
          .at_most(0.9),
      Parameter::real("outline_step", 2.5, "Between points of an outline.").unit("mm").at_least(0.2).at_most(50),
      Parameter::real("noise", 1,
                      "Standard deviation of an outline point across the outline, the model's own misfit included.")
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
      Parameter::real("scale_error", 2, "Standard deviation of an image's scale.")
          .unit("%")
          .at_least(0.01)
          .at_most(50)};
}

std::vector<Parameter> process_parameters() {
  return {
      Parameter::real("global", 0.5, "Share of the bones' covariance that holds over any distance.")
          .at_least(0)
          .at_most(1),
      Parameter::real("reach", 80, "Over which the rest of the covariance holds.").unit("mm").at_least(1).at_most(1000),
      Parameter::real("free", 0.7, "Standard deviation of smooth deformations that no bone has shown.")
          .unit("mm")
          .at_least(0)
          .at_most(20),
      Parameter::real("free_reach", 30, "Over which these are alike.").unit("mm").at_least(1).at_most(500),
      Parameter::integer("modes", 150, "Of the process that are kept.").at_least(1).at_most(1000)};
}

GaussianProcess process_of(const Parameters& parameters) {
  return {parameters.real("global"), parameters.real("reach"), parameters.real("free"), parameters.real("free_reach"),
          parameters.integer("modes")};
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

void OutlineEstimator::learn(const ShapeGallery& gallery, const Correspondences::Result& bones, Builder builder) {
  builder_ = std::move(builder);
  shapes_ = aligned(bones.shapes);
  bones_ = gallery.meshes;
  model_ = builder_(shapes_);
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

void OutlineEstimator::learn_starts(const ShapeGallery& gallery, std::int64_t members, std::uint64_t seed) {
  if (gallery.exposures.empty())
    throw Error("starts are learnt for the geometry of the gallery's X-rays, and it has none");
  // The told views: how a gallery's bone was turned is in its exposures, how far the source stood is alike in all.
  Camera ap(gallery.exposures.front().ap), ml(gallery.exposures.front().ml);
  ap.axes = (Eigen::Matrix3d() << 1, 0, 0, 0, 0, 1, 0, 1, 0).finished();
  ml.axes = (Eigen::Matrix3d() << 0, 0, 1, -1, 0, 0, 0, 1, 0).finished();
  regression_.emplace();
  regression_->learn(model_, settings_, {ap, ml}, members, seed);
}

ShapePrediction OutlineEstimator::predict(const ShapeQuery& query) const {
  std::vector<View> views;
  for (std::int64_t q = 0; q < query.images.size(0); ++q) {
    const PairExposures& pair = query.exposures[static_cast<std::size_t>(q)];
    views.push_back(view_of(query.images[q], query.line_integrals, pair.ap, false));
    views.push_back(view_of(query.images[q], query.line_integrals, pair.ml, true));
  }
  std::vector<PairStart> starts;
  if (regression_)
    for (std::size_t v = 0; v < views.size(); v += 2)
      starts.push_back(regression_->predict(views[v], views[v + 1], settings_.outline_offset));
  const ImageFit fit = fit_to_images(model_, views, settings_, starts);
  ShapePrediction prediction;
  prediction.mesh = with_points(model_.surface, model_.shape(fit.coefficients));
  prediction.residual = fit.residual;
  prediction.expected_error = expected_error(fit);
  for (std::size_t q = 0; q < query.exposures.size(); ++q) {
    const auto moved = [&](std::size_t v, const Projection& told) {
      const ViewPose& pose = fit.poses[v];
      return views[v].camera.moved(told, rotation_matrix(pose.rotation), pose.shift, std::exp(pose.log_scale));
    };
    prediction.exposures.push_back({moved(2 * q, query.exposures[q].ap), moved(2 * q + 1, query.exposures[q].ml)});
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

std::vector<std::pair<std::string, at::Tensor>> OutlineEstimator::arrays() const {
  constexpr std::int64_t kMembers = 50;
  constexpr std::uint64_t kSeed = 1;
  const std::int64_t vertices = model_.mean.size() / 3;
  const Modes by_mode = model_.modes.transpose();  // [K, 3V], row by row
  const auto copy = [](const double* from, at::IntArrayRef shape) {
    return at::from_blob(const_cast<double*>(from), shape, at::kDouble).to(at::kFloat, false, true);
  };
  return {{"mean", copy(model_.mean.data(), {vertices, 3})},
          {"triangles", model_.surface.triangles},
          {"modes", copy(by_mode.data(), {model_.size(), vertices, 3})},
          {"compactness", at::tensor(compactness(model_))},
          {"generalisation", at::tensor(generalisation(shapes_, bones_, builder_))},
          {"specificity", at::tensor(specificity(model_, shapes_, kMembers, kSeed))}};
}

}  // namespace osteon::shape_model
