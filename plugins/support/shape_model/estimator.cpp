#include "shape_model/estimator.hpp"

#include "open3d_support/surfaces.hpp"
#include "shape_model/quality.hpp"

#include <osteon/error.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>
#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::shape_model {

namespace {

std::vector<Parameter> fit_parameters() {
  return {
      Parameter::integer("triangles", 10'000, "Triangles of the template.").at_least(500).at_most(200'000),
      Parameter::real("level", 0.12, "Line integral at a lone bone's outline, as a share of its 95th percentile.")
          .at_least(0.01)
          .at_most(0.9),
      Parameter::real("outline_step", 2.5, "Between points of an outline.").unit("mm").at_least(0.2).at_most(50),
      Parameter::real("noise", 0.5, "Standard deviation of an edge's place beside what known bones' X-rays show.")
          .unit("mm")
          .at_least(0.01)
          .at_most(20),
      Parameter::real("independent", 20, "Length of an edge over which its errors are alike.")
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
      Parameter::real("scale_error", 0, "Standard deviation of an image's scale; 0: what is told with the image.")
          .unit("%")
          .at_least(0)
          .at_most(50),
      Parameter::flag("tune", false,
                      "Choose noise (times 1 or 2) or independent (times 0.5, 1 or 2) by the error on known bones, a "
                      "group of people left out of the model at a time."),
      Parameter::integer("draws", 16, "Surfaces drawn from what the fit thinks possible, for intervals.")
          .at_least(0)
          .at_most(1000)};
}

}  // namespace

Schema fitted_schema(std::string summary, std::vector<Parameter> own) {
  for (Parameter& parameter : fit_parameters()) own.push_back(std::move(parameter));
  return {std::move(summary), std::move(own)};
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

FittedEstimator::FittedEstimator(const Parameters& parameters)
    : level_(parameters.real("level")),
      step_(parameters.real("outline_step")),
      tunes_(parameters.flag("tune")),
      draws_(parameters.integer("draws")) {
  given_.noise = parameters.real("noise");
  given_.independent = parameters.real("independent");
  given_.axial = parameters.real("axial");
  given_.tilt = parameters.real("tilt");
  given_.in_plane = parameters.real("in_plane");
  given_.ap_ml = parameters.real("ap_ml");
  given_.shift = parameters.real("shift");
  given_.scale = parameters.real("scale_error") / 100;
}

View FittedEstimator::view_of(const at::Tensor& image, const at::Tensor& line_integrals, const Projection& projection,
                              bool is_ml) const {
  const Camera camera(projection);
  const at::Tensor half = half_of(image, line_integrals, is_ml);
  return {camera, find_outline(half, camera, level_, step_), Edges(half, camera)};
}

void FittedEstimator::learn(const ShapeGallery& gallery, const Correspondences::Result& bones, Builder builder) {
  settings_ = given_;
  builder_ = std::move(builder);
  shapes_ = aligned(bones.shapes);
  bones_ = gallery.meshes;
  model_ = builder_(shapes_);
  if (!gallery.images.defined() || gallery.images.size(0) == 0) return;
  EdgeStatistics edges(model_.mean.size() / 3);
  for (std::int64_t i = 0; i < gallery.images.size(0); ++i) {
    throw_if_stopped();
    const auto bone = static_cast<std::size_t>(gallery.bone.data_ptr<std::int64_t>()[i]);
    for (const bool is_ml : {false, true}) {
      const PairExposures& pair = gallery.exposures[static_cast<std::size_t>(i)];
      const Camera camera(is_ml ? pair.ml : pair.ap);
      const Edges seen(half_of(gallery.images[i], gallery.line_integrals, is_ml), camera, true);
      edges.add(seen, camera, bones.shapes[bone], bones.pattern->connections());
    }
  }
  settings_.edges = edges.offsets();
  try_on_known(gallery, bones);
}

void FittedEstimator::try_on_known(const ShapeGallery& gallery, const Correspondences::Result& bones) {
  const CrossValidation trials(gallery, bones, builder_, [&](std::int64_t image, const Projection& told, bool is_ml) {
    return view_of(gallery.images[image], gallery.line_integrals, told, is_ml);
  });
  noisier_alone_ = noisier_together_ = 1;
  if (trials.empty()) return;
  FitSettings settings = settings_for(gallery.scale_error);
  if (tunes_) {
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [noise, independent] : {std::pair(1.0, 1.0), {2.0, 1.0}, {1.0, 0.5}, {1.0, 2.0}}) {
      FitSettings tried = settings;
      tried.noise *= noise;
      tried.independent *= independent;
      const double error = trials.outcome(tried, true).error;
      if (error < least) least = error, settings_.noise = tried.noise, settings_.independent = tried.independent;
    }
    settings = settings_for(gallery.scale_error);
  }
  noisier_alone_ = trials.outcome(settings, true).noisier;
  noisier_together_ = trials.outcome(settings, false).noisier;
}

FitSettings FittedEstimator::settings_for(double told_scale_error) const {
  constexpr double kLeast = 0.001;  // an outline's place in a pixel is no better known
  FitSettings settings = settings_;
  if (settings.scale == 0) settings.scale = std::max(told_scale_error, kLeast);
  return settings;
}

void FittedEstimator::learn_starts(const ShapeGallery& gallery, std::int64_t members, std::uint64_t seed) {
  if (gallery.exposures.empty())
    throw Error("starts are learnt for the geometry of the gallery's X-rays, and it has none");
  // The told views: how a gallery's bone was turned is in its exposures, how far the source stood is alike in all.
  Camera ap(gallery.exposures.front().ap), ml(gallery.exposures.front().ml);
  ap.axes = (Eigen::Matrix3d() << 1, 0, 0, 0, 0, 1, 0, 1, 0).finished();
  ml.axes = (Eigen::Matrix3d() << 0, 0, 1, -1, 0, 0, 0, 1, 0).finished();
  regression_.emplace();
  regression_->learn(model_, settings_for(gallery.scale_error), {ap, ml}, members, seed);
}

ShapePrediction FittedEstimator::predict(const ShapeQuery& query) const {
  if (bones_.empty()) throw failure("nothing was fitted before predict");
  std::vector<View> views;
  for (std::int64_t q = 0; q < query.images.size(0); ++q) {
    const PairExposures& pair = query.exposures[static_cast<std::size_t>(q)];
    views.push_back(view_of(query.images[q], query.line_integrals, pair.ap, false));
    views.push_back(view_of(query.images[q], query.line_integrals, pair.ml, true));
  }
  std::vector<PairStart> starts;
  if (regression_)
    for (std::size_t v = 0; v < views.size(); v += 2) starts.push_back(regression_->predict(views[v], views[v + 1]));
  const ImageFit fit = fit_to_images(model_, views, settings_for(query.scale_error), starts);
  ShapePrediction prediction;
  prediction.mesh = with_points(model_.surface, model_.shape(fit.coefficients));
  prediction.residual = fit.residual;
  // Once or several times: errors that all of a bone's X-rays share do not shrink with their number.
  const double noisier = views.size() > 2 ? noisier_together_ : noisier_alone_;
  const Uncertainty uncertainty(model_, fit);
  prediction.expected_error = uncertainty.expected_error(noisier);
  for (std::int64_t d = 0; d < draws_; ++d) {
    Random random(1, "draws of a shape", static_cast<std::uint64_t>(d));
    prediction.draws.push_back(
        with_points(model_.surface, model_.shape(fit.coefficients + uncertainty.draw(random, noisier))));
  }
  for (std::size_t q = 0; q < query.exposures.size(); ++q) {
    const auto moved = [&](std::size_t v, const Projection& told) {
      const ViewPose& pose = fit.poses[v];
      return views[v].camera.moved(told, rotation_matrix(pose.rotation), pose.shift, std::exp(pose.log_scale));
    };
    prediction.exposures.push_back({moved(2 * q, query.exposures[q].ap), moved(2 * q + 1, query.exposures[q].ml)});
  }
  return prediction;
}

Mesh FittedEstimator::ceiling(const Mesh& truth) const {
  constexpr double kDeviation = 0.5;  // mm
  return with_points(model_.surface, fit_to_surface(model_, truth, kDeviation).points);
}

std::vector<std::pair<std::string, at::Tensor>> FittedEstimator::arrays() const {
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
