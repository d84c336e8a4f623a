#include "comparison.hpp"

#include <osteon/digest.hpp>
#include <osteon/error.hpp>
#include <osteon/memo.hpp>
#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

namespace osteon::shape_error {

namespace {

static_assert(std::is_trivially_copyable_v<Laid> && sizeof(Laid) % sizeof(double) == 0);

/// A laid surface as a row of a tensor: all its members are float64.
using Numbers = std::array<double, sizeof(Laid) / sizeof(double)>;

Numbers numbers_of(const Laid& laid) { return std::bit_cast<Numbers>(laid); }
Laid laid_from(const Numbers& numbers) { return std::bit_cast<Laid>(numbers); }

/// Of all surfaces and of what they are laid onto, in their order.
std::string digest_of(const std::vector<Comparison::Known>& surfaces, const std::vector<ClosestPoints>& truths) {
  std::map<const ClosestPoints*, std::string> digests;
  Digest all;
  for (const auto& [c, surface] : surfaces)
    for (const ClosestPoints* one : {&truths[c], surface}) {
      std::string& digest = digests[one];
      if (digest.empty()) digest = one == nullptr ? "none" : open3d_support::digest_of(one->mesh());
      all.add(digest);
    }
  return all.hex();
}

}  // namespace

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
  std::vector<Known> surfaces;
  std::vector<Laid*> places;
  for (std::size_t c = 0; c < cases().size(); ++c)
    for (const std::int64_t g : cases()[c].candidates) {
      surfaces.push_back({c, &gallery(g)});
      places.push_back(&pairs_[c][g]);
    }
  const std::vector<Laid> laid = lay_known(surfaces, false);
  for (std::size_t i = 0; i < laid.size(); ++i) *places[i] = laid[i];
}

std::vector<Laid> Comparison::lay_known(const std::vector<Known>& surfaces, bool with_regions) const {
  const std::string name = text("surfaces laid onto others, ", digest_of(surfaces, truths_), ", ", samples_,
                                " samples, seed ", evidence_->seed(), with_regions ? ", with regions" : "");
  const at::Tensor numbers = memoised(name, [&] {
    at::Tensor rows = at::zeros({std::ssize(surfaces), Numbers().size()}, at::kDouble);
    parallel_for(0, std::ssize(surfaces), 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) {
        const auto& [c, surface] = surfaces[static_cast<std::size_t>(i)];
        if (surface == nullptr) continue;
        Laid laid = lay(*surface, c);
        if (with_regions) laid.regions = regions(*surface, laid.onto_truth, c);
        std::ranges::copy(numbers_of(laid), rows.data_ptr<double>() + i * rows.size(1));
      }
    });
    return rows;
  });
  std::vector<Laid> result;
  for (std::int64_t i = 0; i < numbers.size(0); ++i) {
    Numbers row;
    std::copy_n(numbers.data_ptr<double>() + i * numbers.size(1), row.size(), row.begin());
    result.push_back(laid_from(row));
  }
  return result;
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
