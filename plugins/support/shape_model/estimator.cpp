#include "shape_model/estimator.hpp"

#include "open3d_support/surfaces.hpp"
#include "shape_model/quality.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/memo.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>
#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <sstream>

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
      Parameter::integer(
          "beginnings", 4,
          "Places in an X-ray that are followed where outlines lead nowhere, best agreement with the "
          "model's edges first. 15 are all; with other bones in view the right one may be among the last.")
          .at_least(1)
          .at_most(15),
      Parameter::flag("tune", false,
                      "Choose noise (times 1 or 2) or independent (times 0.5, 1 or 2) by the error on known bones, a "
                      "group of people left out of the model at a time."),
      Parameter::integer("draws", 16, "Surfaces drawn from what the fit thinks possible, for intervals.")
          .at_least(0)
          .at_most(1000)};
}

/// Digits enough to tell any two exposures apart.
std::string words_of(const PairExposures& pair) {
  std::ostringstream words;
  words.precision(17);
  for (const Projection* p : {&pair.ap, &pair.ml}) {
    words << p->rows << ' ' << p->columns << ' ' << p->parallel;
    for (const Vec3& v : {p->source, p->direction, p->column_step, p->row_step, p->first_pixel})
      words << ' ' << v.x << ' ' << v.y << ' ' << v.z;
    words << '\n';
  }
  return words.str();
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
  given_.beginnings = parameters.integer("beginnings");
}

View FittedEstimator::view_of(const at::Tensor& image, const at::Tensor& line_integrals, const Projection& projection,
                              bool is_ml) const {
  const Camera camera(projection);
  const at::Tensor half = half_of(image, line_integrals, is_ml);
  return {camera, find_outline(half, camera, level_, step_), Edges(half, camera)};
}

void FittedEstimator::learn(const ShapeGallery& gallery, const Correspondences::Result& bones, Builder builder) {
  settings_ = given_;
  noisier_alone_ = noisier_together_ = kUntried;
  beginnings_.clear();
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
  // Methods that fit the same model, and runs with the same known bones, need but one trial.
  const at::Tensor trial = memoised("shape fit tried, " + digest_of_trial(gallery, bones), [&] {
    const auto [noise, independent, alone, together] = tried_on_known(gallery, bones);
    return at::tensor({noise, independent, alone, together}, at::kDouble);
  });
  const auto* value = trial.data_ptr<double>();
  settings_.noise = value[0];
  settings_.independent = value[1];
  noisier_alone_ = value[2];
  noisier_together_ = value[3];
}

std::string FittedEstimator::digest_of_trial(const ShapeGallery& gallery, const Correspondences::Result& bones) const {
  Digest digest;
  const auto add = [&](const double* first, Eigen::Index count) {
    digest.add(std::as_bytes(std::span(first, static_cast<std::size_t>(count))));
  };
  const auto add_tensor = [&](const at::Tensor& tensor) {
    digest.add(std::span(static_cast<const std::byte*>(tensor.data_ptr()), tensor.nbytes()));
  };
  // The builder made this model of these shapes, and would make alike ones of fewer.
  add(model_.mean.data(), model_.mean.size());
  add(model_.modes.data(), model_.modes.size());
  for (const Points& shape : bones.shapes) add(shape.data(), shape.size());
  digest.add(open3d_support::digest_of(bones.pattern->mesh()));
  for (const Mesh& mesh : gallery.meshes) digest.add(open3d_support::digest_of(mesh));
  for (const at::Tensor& tensor : {gallery.images, gallery.bone, gallery.line_integrals})
    add_tensor(tensor.contiguous());
  for (const PairExposures& pair : gallery.told) digest.add(words_of(pair));
  const FitSettings s = settings_for(gallery.scale_error);
  std::vector<double> numbers{
      s.noise, s.independent, s.axial, s.tilt, s.in_plane,         s.ap_ml,
      s.shift, s.scale,       level_,  step_,  tunes_ ? 1.0 : 0.0, static_cast<double>(s.beginnings)};
  numbers.insert(numbers.end(), gallery.person.begin(), gallery.person.end());
  add(numbers.data(), std::ssize(numbers));
  add(s.edges.mean.data(), s.edges.mean.size());
  add(s.edges.deviation.data(), s.edges.deviation.size());
  return digest.hex();
}

FittedEstimator::Trial FittedEstimator::tried_on_known(const ShapeGallery& gallery,
                                                       const Correspondences::Result& bones) const {
  FitSettings settings = settings_for(gallery.scale_error);
  const auto find = [&](std::int64_t image, const Projection& told, bool is_ml) {
    return view_of(gallery.images[image], gallery.line_integrals, told, is_ml);
  };
  const CrossValidation trials(gallery, bones, builder_, find, settings);
  if (trials.empty()) return {settings.noise, settings.independent, kUntried, kUntried};
  if (tunes_) {
    const FitSettings given = settings;
    double least = std::numeric_limits<double>::infinity();
    for (const auto& [noise, independent] : {std::pair(1.0, 1.0), {2.0, 1.0}, {1.0, 0.5}, {1.0, 2.0}}) {
      FitSettings tried = given;
      tried.noise *= noise;
      tried.independent *= independent;
      if (const double error = trials.outcome(tried, true).error; error < least) least = error, settings = tried;
    }
  }
  return {settings.noise, settings.independent, trials.outcome(settings, true).noisier,
          trials.outcome(settings, false).noisier};
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

Placement FittedEstimator::beginning(const ShapeQuery& query, std::size_t q, const std::vector<View>& pair) const {
  Digest digest;
  for (const at::Tensor& tensor : {query.images[static_cast<std::int64_t>(q)], query.line_integrals}) {
    const at::Tensor whole = tensor.contiguous();
    digest.add(std::span(static_cast<const std::byte*>(whole.data_ptr()), whole.nbytes()));
  }
  const std::string name = digest.add(text(words_of(query.exposures[q]), query.scale_error)).hex();
  {
    const std::lock_guard turn(beginning_);
    if (const auto known = beginnings_.find(name); known != beginnings_.end()) return known->second;
  }
  std::vector<PairStart> starts;
  if (regression_) starts.push_back(regression_->predict(pair[0], pair[1]));
  Placement begun = begin_fit(model_, pair, settings_for(query.scale_error), starts).front();
  const std::lock_guard turn(beginning_);
  return beginnings_.emplace(name, std::move(begun)).first->second;
}

ShapePrediction FittedEstimator::predict(const ShapeQuery& query) const {
  if (bones_.empty()) throw failure("nothing was fitted before predict");
  std::vector<View> views;
  std::vector<Placement> beginnings;
  for (std::size_t q = 0; q < query.exposures.size(); ++q) {
    const at::Tensor image = query.images[static_cast<std::int64_t>(q)];
    const std::vector<View> pair{view_of(image, query.line_integrals, query.exposures[q].ap, false),
                                 view_of(image, query.line_integrals, query.exposures[q].ml, true)};
    beginnings.push_back(beginning(query, q, pair));
    views.insert(views.end(), pair.begin(), pair.end());
  }
  const ImageFit fit = refined(model_, views, settings_for(query.scale_error), beginnings);
  ShapePrediction prediction;
  prediction.mesh = with_points(model_.surface, model_.shape(fit.coefficients));
  prediction.residual = fit.residual;
  // Once or several times: errors that all of a bone's X-rays share do not shrink with their number.
  const double noisier = views.size() > 2 ? noisier_together_ : noisier_alone_;
  if (std::isfinite(noisier)) {
    const Uncertainty uncertainty(model_, fit);
    prediction.expected_error = uncertainty.expected_error(noisier);
    for (std::int64_t d = 0; d < draws_; ++d) {
      Random random(1, "draws of a shape", static_cast<std::uint64_t>(d));
      prediction.draws.push_back(
          with_points(model_.surface, model_.shape(fit.coefficients + uncertainty.draw(random, noisier))));
    }
  }
  for (std::size_t q = 0; q < query.exposures.size(); ++q) {
    const auto moved = [&](std::size_t v, const Projection& told) {
      const ViewPose& pose = fit.poses[v];
      return views[v].camera.moved(told, pose.turn, pose.shift, std::exp(pose.log_scale));
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
