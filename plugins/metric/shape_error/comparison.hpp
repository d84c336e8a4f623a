#pragma once

// Surfaces laid onto true ones and measured there: every held-out bone against every bone that was known then, once.

#include "femur/regions.hpp"
#include "open3d_support/surfaces.hpp"

#include <osteon/metric.hpp>

#include <map>
#include <string>
#include <vector>

namespace osteon::shape_error {

using open3d_support::ClosestPoints;
using open3d_support::SurfaceDistance;

/// mm in each region of the true surface; NaN where the region is not known.
using RegionErrors = std::array<double, femur::kRegions>;

RegionErrors unknown_regions();

/// A surface laid onto a true one.
struct Laid {
  Affine onto_truth;
  SurfaceDistance distance;
  RegionErrors regions = unknown_regions();
};

/// A surface made ready to be asked for distances; says whose it is where it is unsound.
ClosestPoints prepared(const Mesh& mesh, const std::string& whose);

class Comparison {
 public:
  Comparison(const Evidence& evidence, std::int64_t samples);

  [[nodiscard]] const Evidence& evidence() const { return *evidence_; }
  [[nodiscard]] const ShapeEvidence& shapes() const { return evidence_->shapes(); }
  [[nodiscard]] const std::vector<ShapeCase>& cases() const { return shapes().cases; }
  [[nodiscard]] const EvidenceBone& bone(std::int64_t index) const;
  [[nodiscard]] const EvidenceBone& bone_of_case(std::size_t c) const { return bone(cases()[c].bone); }
  /// Whose bone each case is.
  [[nodiscard]] std::vector<std::string> people() const;

  [[nodiscard]] const ClosestPoints& truth(std::size_t c) const { return truths_[c]; }
  [[nodiscard]] const ClosestPoints& gallery(std::int64_t g) const { return gallery_[static_cast<std::size_t>(g)]; }
  [[nodiscard]] double diagonal(std::size_t c) const { return diagonal_[c]; }

  /// The candidates of a case, laid onto its truth.
  [[nodiscard]] const std::map<std::int64_t, Laid>& candidates(std::size_t c) const { return pairs_[c]; }
  /// One of them, with its regions. Not to be called from several threads for one case.
  [[nodiscard]] const Laid& candidate(std::size_t c, std::int64_t g);
  /// How many candidates have a smaller RMS.
  [[nodiscard]] double better(std::size_t c, double rms) const;

  /// A surface that no X-ray says anything of, to be laid onto the truth of a case; `nullptr`: there is none.
  struct Known {
    std::size_t which = 0;
    const ClosestPoints* surface = nullptr;
  };
  /// Kept from one run to the next (`memoised`).
  [[nodiscard]] std::vector<Laid> lay_known(const std::vector<Known>& surfaces, bool with_regions) const;

  /// Any other surface laid onto a truth.
  [[nodiscard]] Laid lay(const ClosestPoints& surface, std::size_t c) const;
  [[nodiscard]] RegionErrors regions(const ClosestPoints& surface, const Affine& onto_truth, std::size_t c) const;

 private:
  void lay_candidates();

  const Evidence* evidence_;
  std::int64_t samples_;
  std::vector<ClosestPoints> truths_, gallery_;
  std::vector<double> diagonal_;                                         ///< mm, of each true bone's bounding box
  std::vector<std::array<std::vector<Vec3>, femur::kRegions>> regions_;  ///< samples of each true surface
  std::vector<std::map<std::int64_t, Laid>> pairs_;                      ///< [case], by gallery bone
};

}  // namespace osteon::shape_error
