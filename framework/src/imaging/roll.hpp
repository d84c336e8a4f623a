#pragma once

// Exposures that differ only by a turn of the detector about the beam (in-plane angles) look at the same rays from the
// same source: one projection onto a sheet that covers all of them is made, and each image is read from it by cubic
// interpolation (R. G. Keys, IEEE Trans. ASSP 29(6), 1153-1160, 1981). The sheet's pixels are so fine beside the
// volume's voxels that what it holds varies slowly from pixel to pixel; the difference to direct projection is tested
// (tests/imaging/roll_test.cpp).

#include <osteon/renderer.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace osteon::imaging {

enum class RollReuse { where_it_pays, never };

/// Which exposures of a series share a projection.
class RollPlan {
 public:
  /// `exposures` in the order in which they will be asked for; those that share stand next to each other.
  RollPlan(std::vector<Projection> exposures, const Grid& grid, RollReuse reuse);

  [[nodiscard]] const Projection& exposure(std::size_t i) const { return exposures_[i]; }
  /// The sheet of an exposure, or -1: it is projected by itself.
  [[nodiscard]] int sheet_of(std::size_t i) const { return sheet_of_[i]; }
  /// All sheets have the same number of rows and columns.
  [[nodiscard]] const Projection& sheet(int number) const { return sheets_[static_cast<std::size_t>(number)]; }

  /// Reads exposure `i` from the line integrals of its sheet, `[kMaterials, rows, columns]`, into the same of its own.
  void resample(std::size_t i, const float* sheet, float* to) const;

 private:
  void plan_run(std::size_t first, std::size_t end, const Grid& grid);

  std::vector<Projection> exposures_;
  std::vector<int> sheet_of_;
  std::vector<Projection> sheets_;
};

}  // namespace osteon::imaging
