#include "shape_model/cross_validation.hpp"

#include "open3d_support/surfaces.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <Eigen/Dense>

#include <algorithm>
#include <cmath>
#include <optional>

namespace osteon::shape_model {

namespace {

constexpr std::int64_t kGroups = 4, kMostBones = 8, kMostPairs = 3, kSamples = 2000;

/// The images of a bone that it is asked with, spread over those there are.
std::vector<std::int64_t> images_of(const ShapeGallery& gallery, std::int64_t bone) {
  std::vector<std::int64_t> all, chosen;
  const auto* shown = gallery.bone.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < gallery.bone.size(0); ++i)
    if (shown[i] == bone) all.push_back(i);
  const std::int64_t count = std::min(kMostPairs, std::ssize(all));
  for (std::int64_t k = 0; k < count; ++k) chosen.push_back(all[static_cast<std::size_t>(k * std::ssize(all) / count)]);
  return chosen;
}

}  // namespace

CrossValidation::CrossValidation(const ShapeGallery& gallery, const Correspondences::Result& bones,
                                 const Builder& builder, const ViewFinder& find, const FitSettings& settings) {
  const auto count = std::ssize(gallery.meshes);
  if (std::ssize(gallery.person) != count || gallery.told.empty()) return;
  const std::int64_t people = 1 + *std::ranges::max_element(gallery.person);
  const std::int64_t groups = std::min(kGroups, people);
  const auto group_of = [&](std::int64_t bone) { return gallery.person[static_cast<std::size_t>(bone)] % groups; };
  std::vector<std::vector<Points>> others(static_cast<std::size_t>(groups));
  for (std::int64_t group = 0; group < groups; ++group)
    for (std::int64_t b = 0; b < count; ++b)
      if (group_of(b) != group)
        others[static_cast<std::size_t>(group)].push_back(bones.shapes[static_cast<std::size_t>(b)]);
  if (std::ranges::any_of(others, [](const auto& some) { return some.size() < 2; })) return;
  models_.resize(others.size());
  parallel_for(0, groups, 1, [&](std::int64_t first, std::int64_t last) {
    for (auto g = static_cast<std::size_t>(first); g < static_cast<std::size_t>(last); ++g)
      models_[g] = builder(aligned(std::move(others[g])));
  });
  const std::int64_t asked = std::min(count, kMostBones);
  for (std::int64_t k = 0; k < asked; ++k) {
    throw_if_stopped();
    const std::int64_t bone = k * count / asked;
    const auto b = static_cast<std::size_t>(bone);
    Question question{static_cast<std::size_t>(group_of(bone)),
                      bones.shapes[b],
                      {},
                      open3d_support::ClosestPoints(gallery.meshes[b]),
                      {}};
    for (const std::int64_t image : images_of(gallery, bone)) {
      const PairExposures& told = gallery.told[static_cast<std::size_t>(image)];
      question.views.push_back(find(image, told.ap, false));
      question.views.push_back(find(image, told.ml, true));
    }
    if (!question.views.empty()) questions_.push_back(std::move(question));
  }
  parallel_for(0, std::ssize(questions_), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto q = static_cast<std::size_t>(first); q < static_cast<std::size_t>(last); ++q) {
      throw_if_stopped();
      begin(questions_[q], settings);
    }
  });
}

void CrossValidation::begin(Question& question, const FitSettings& settings) const {
  try {
    question.beginnings = begin_fit(models_[question.group], question.views, settings);
  } catch (const Error& error) {
    if (error.cause() == Error::Cause::failure) throw;  // else the X-rays say nothing, and the prior stands
  }
}

CrossValidation::Outcome CrossValidation::outcome(const FitSettings& settings, bool from_one_pair) const {
  std::vector<std::optional<Answer>> answers(questions_.size());
  parallel_for(0, std::ssize(questions_), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto q = static_cast<std::size_t>(first); q < static_cast<std::size_t>(last); ++q) {
      throw_if_stopped();
      answers[q] = answer(questions_[q], settings, from_one_pair);
    }
  });
  Outcome outcome;
  std::vector<Uncertainty> fits;
  std::vector<double> real;
  for (std::optional<Answer>& one : answers) {
    outcome.error += one->error * one->error / static_cast<double>(answers.size());
    fits.push_back(std::move(one->uncertainty));
    real.push_back(one->error);
  }
  outcome.error = std::sqrt(outcome.error);
  outcome.noisier = noisier_by(fits, real);
  return outcome;
}

CrossValidation::Answer CrossValidation::answer(const Question& question, const FitSettings& settings,
                                                bool from_one_pair) const {
  const ShapeModel& model = models_[question.group];
  ImageFit fit{{Eigen::VectorXd::Zero(model.size()), {}},
               0,
               1,
               Eigen::MatrixXd::Zero(model.size(), model.size()),
               Eigen::MatrixXd::Identity(model.size(), model.size())};
  if (!question.beginnings.empty()) {
    const auto pairs = static_cast<std::ptrdiff_t>(from_one_pair ? 1 : question.beginnings.size());
    fit = refined(model, {question.views.begin(), question.views.begin() + 2 * pairs}, settings,
                  {question.beginnings.begin(), question.beginnings.begin() + pairs});
  }
  // Corresponding points say well enough how the surfaces lie to each other.
  const Points points = model.shape(fit.coefficients);
  const open3d_support::ClosestPoints found(with_points(model.surface, points));
  const double error =
      open3d_support::surface_distance(question.surface, found, rigid_between(points, question.shape), kSamples, 1).rms;
  return {error, Uncertainty(model, fit)};
}

}  // namespace osteon::shape_model
