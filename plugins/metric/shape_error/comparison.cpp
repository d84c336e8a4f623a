#include "comparison.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace osteon::shape_error {

RegionErrors unknown_regions() {
  RegionErrors errors;
  errors.fill(std::numeric_limits<double>::quiet_NaN());
  return errors;
}

ClosestPoints prepared(const Mesh& mesh, const std::string& whose) {
  try {
    return ClosestPoints(mesh);
  } catch (const Error& error) {
    throw error.within(whose);
  }
}

Comparison::Comparison(const Evidence& evidence, std::int64_t samples) : evidence_(&evidence), samples_(samples) {
  for (const ShapeCase& one : cases()) {
    truths_.push_back(prepared(one.truth, text("bone ", bone(one.bone).id)));
    diagonal_.push_back(bounding_box(one.truth).diagonal());
    const femur::Regions anatomy(one.truth);
    auto& points = regions_.emplace_back();
    for (const Vec3& p : open3d_support::sample_surface(one.truth, samples_, evidence.seed()))
      if (const auto region = anatomy.of(p)) points[static_cast<std::size_t>(*region)].push_back(p);
  }
  for (std::size_t g = 0; g < shapes().gallery.size(); ++g)
    gallery_.push_back(prepared(shapes().gallery[g], text("gallery bone ", g)));
  lay_candidates();
}

void Comparison::lay_candidates() {
  pairs_.resize(cases().size());
  std::vector<std::tuple<std::size_t, std::int64_t, Laid*>> work;  // case, gallery bone, where it goes
  for (std::size_t c = 0; c < cases().size(); ++c)
    for (const std::int64_t g : cases()[c].candidates) work.emplace_back(c, g, &pairs_[c][g]);
  parallel_for(0, std::ssize(work), 1, [&](std::int64_t first, std::int64_t last) {
    for (auto i = static_cast<std::size_t>(first); i < static_cast<std::size_t>(last); ++i) {
      const auto& [c, g, place] = work[i];
      *place = lay(gallery(g), c);
    }
  });
}

const EvidenceBone& Comparison::bone(std::int64_t index) const {
  const auto& bones = evidence_->bones();
  if (index < 0 || index >= std::ssize(bones))
    throw failure(text("a held-out shape names bone ", index, " of ", bones.size()));
  return bones[static_cast<std::size_t>(index)];
}

std::vector<std::string> Comparison::people() const {
  std::vector<std::string> people;
  for (std::size_t c = 0; c < cases().size(); ++c) people.push_back(bone_of_case(c).subject);
  return people;
}

const Laid& Comparison::candidate(std::size_t c, std::int64_t g) {
  Laid& laid = pairs_[c].at(g);
  if (std::ranges::all_of(laid.regions, [](double error) { return std::isnan(error); }))
    laid.regions = regions(gallery(g), laid.onto_truth, c);
  return laid;
}

double Comparison::better(std::size_t c, double rms) const {
  return static_cast<double>(
      std::ranges::count_if(pairs_[c], [&](const auto& pair) { return pair.second.distance.rms < rms; }));
}

Laid Comparison::lay(const ClosestPoints& surface, std::size_t c) const {
  throw_if_stopped();
  Laid laid;
  laid.onto_truth = open3d_support::align_rigid(surface, truths_[c]);
  laid.distance = open3d_support::surface_distance(truths_[c], surface, laid.onto_truth, samples_, evidence_->seed());
  return laid;
}

RegionErrors Comparison::regions(const ClosestPoints& surface, const Affine& onto_truth, std::size_t c) const {
  const Affine onto_surface = open3d_support::inverse_rigid(onto_truth);
  RegionErrors errors = unknown_regions();
  for (std::size_t r = 0; r < errors.size(); ++r) {
    std::vector<Vec3> points = regions_[c][r];
    if (points.empty()) continue;
    for (Vec3& p : points) p = onto_surface * p;
    double squares = 0;
    for (const auto& closest : surface.find(points)) squares += closest.squared_distance;
    errors[r] = std::sqrt(squares / static_cast<double>(points.size()));
  }
  return errors;
}

}  // namespace osteon::shape_error
