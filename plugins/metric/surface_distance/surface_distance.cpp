// metric/surface_distance: how far each predicted surface lies from the true one, one figure a bone and direction.
//
// The predicted surface is laid onto the true one by a rotation and a translation, with one scale besides ("size
// removed"), or left where it is. Then point-to-triangle distances are taken from points of either surface: RMS, mean
// (of both directions: the average symmetric surface distance, ASD), the 95th percentile (HD95) and the maximum
// (Hausdorff), as Aspert, Santa-Cruz & Ebrahimi have them ("MESH: measuring errors between surfaces using the Hausdorff
// distance", ICME 2002), in mm and in per cent of the diagonal of the true surface's bounding box. Symmetric are the
// root of the mean of both mean squares, the mean of both means, and the larger of both percentiles and maxima.
//
// Parameters
//   alignment  "rigid" (default), "similarity" (one scale too) or "none"
//   sampling   "area": points spread evenly over the area (default); "vertices": the vertices, each counting alike, as
//              MeshLab has it
//   samples    points each way of sampling by area (default 100000, at least 1000); the maximum looks at
//              the vertices too
//   seed       of the drawn points (default 0)
//   each_bone  figures of each bone beside the means over bones (default true)
//   pictures   bones whose true and predicted surfaces go into the report, the farthest apart first (default 3)
//
//     [metric.surface_distance]
//     plugin    = "surface_distance"
//     alignment = "rigid"
//     sampling  = "area"
//     samples   = 100000
//     seed      = 0
//     each_bone = true
//     pictures  = 3

#include "figures.hpp"

#include <osteon/error.hpp>
#include <osteon/parallel.hpp>

#include <algorithm>
#include <cstdio>
#include <optional>

namespace osteon {

namespace {

using open3d_support::ClosestPoints;
using open3d_support::SurfaceDistance;
using surface_distance::Measured;

/// One answer to one bone, measured.
struct Comparison {
  const ShapeCase* truth;
  const ShapeCase::Answer* answer;
  Affine onto_truth;
  Measured measured;
};

ClosestPoints prepared(const Mesh& mesh, const std::string& whose) {
  try {
    return ClosestPoints(mesh);
  } catch (const Error& error) {
    throw error.within(whose);
  }
}

class SurfaceDistanceMetric : public Metric {
 public:
  static Schema schema() {
    return {"Distances between predicted and true surfaces of each bone, both ways: RMS, mean, HD95 and Hausdorff.",
            {Parameter::text("alignment", "rigid",
                             "How a prediction is laid onto the truth: turned and moved, scaled too, or not at all.")
                 .one_of({"rigid", "similarity", "none"}),
             Parameter::text("sampling", "area",
                             "Where distances are taken: evenly over the area, or at the vertices as MeshLab has it.")
                 .one_of({"area", "vertices"}),
             Parameter::integer("samples", 100'000, "Points each way of sampling by area.")
                 .at_least(1000)
                 .at_most(10'000'000),
             Parameter::integer("seed", 0, "Of the points drawn in sampling by area.").at_least(0),
             Parameter::flag("each_bone", true, "Figures of each bone beside the means over bones."),
             Parameter::integer("pictures", 3,
                                "Bones whose true and predicted surfaces go into the report, the farthest apart first.")
                 .at_least(0)
                 .at_most(100)}};
  }

  explicit SurfaceDistanceMetric(const Parameters& parameters)
      : alignment_(parameters.text("alignment")),
        sampling_(parameters.text("sampling")),
        samples_(parameters.integer("samples")),
        seed_(static_cast<std::uint64_t>(parameters.integer("seed"))),
        each_bone_(parameters.flag("each_bone")),
        pictures_(parameters.integer("pictures")) {}

  [[nodiscard]] std::set<Need> needs() const override { return {Need::meshes}; }

  [[nodiscard]] MetricResult evaluate(const Evidence& evidence) const override {
    std::vector<Comparison> comparisons;
    for (const ShapeCase& one : evidence.shapes().cases)
      for (const ShapeCase::Answer& answer : one.answers)
        comparisons.push_back({&one, &answer, {}, Measured{name_of(evidence, one), answer.estimator, {}}});
    parallel_for(0, std::ssize(comparisons), 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i) measure(comparisons[static_cast<std::size_t>(i)]);
    });
    std::vector<Measured> measured;
    for (const Comparison& one : comparisons) measured.push_back(one.measured);
    MetricResult result;
    result.values = surface_distance::figures(measured, alignment_, each_bone_);
    result.surfaces = surface_pairs(std::move(comparisons));
    return result;
  }

 private:
  static std::string name_of(const Evidence& evidence, const ShapeCase& one) {
    if (one.bone < 0 || one.bone >= std::ssize(evidence.bones()))
      throw failure(text("a held-out shape names bone ", one.bone, " of ", evidence.bones().size()));
    return evidence.bones()[static_cast<std::size_t>(one.bone)].id;
  }

  [[nodiscard]] Affine aligned(const ClosestPoints& moving, const ClosestPoints& fixed) const {
    if (alignment_ == "rigid") return open3d_support::align_rigid(moving, fixed);
    if (alignment_ == "similarity") return open3d_support::align_similarity(moving, fixed);
    return {};
  }

  void measure(Comparison& one) const {
    throw_if_stopped();
    std::optional<ClosestPoints> made[2];
    parallel_for(0, 2, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t i = first; i < last; ++i)
        made[i] = i == 0
                      ? prepared(one.truth->truth, "bone " + one.measured.bone)
                      : prepared(one.answer->together.mesh, one.measured.estimator + " for bone " + one.measured.bone);
    });
    const ClosestPoints &truth = *made[0], &predicted = *made[1];
    one.onto_truth = aligned(predicted, truth);
    one.measured.scale = open3d_support::scale_of(one.onto_truth);
    one.measured.diagonal = bounding_box(one.truth->truth).diagonal();
    one.measured.distance = sampling_ == "area"
                                ? open3d_support::surface_distance(truth, predicted, one.onto_truth, samples_, seed_)
                                : open3d_support::vertex_surface_distance(truth, predicted, one.onto_truth);
  }

  [[nodiscard]] std::vector<SurfacePair> surface_pairs(std::vector<Comparison> comparisons) const {
    std::ranges::stable_sort(comparisons, std::ranges::greater{},
                             [](const Comparison& one) { return one.measured.distance.rms; });
    if (std::ssize(comparisons) > pictures_) comparisons.resize(static_cast<std::size_t>(pictures_));
    std::vector<SurfacePair> pairs;
    for (const Comparison& one : comparisons) {
      SurfacePair pair;
      pair.truth = one.truth->truth;
      pair.predicted = transformed(one.answer->together.mesh, one.onto_truth);
      pair.distance = open3d_support::vertex_distances(pair.predicted, pair.truth);
      char rms[32];
      std::snprintf(rms, sizeof rms, "%.2f", one.measured.distance.rms);
      pair.caption = text(one.measured.bone, ", ", one.measured.estimator, ": ", rms, " mm RMS, ",
                          surface_distance::alignment_text(alignment_));
      pairs.push_back(std::move(pair));
    }
    return pairs;
  }

  std::string alignment_, sampling_;
  std::int64_t samples_;
  std::uint64_t seed_;
  bool each_bone_;
  std::int64_t pictures_;
};

}  // namespace

OSTEON_PLUGIN(metric, surface_distance, "0.1.0", SurfaceDistanceMetric)

}  // namespace osteon
