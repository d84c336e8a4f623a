#include "pieces.hpp"

#include <osteon/error.hpp>

#include <algorithm>
#include <cmath>
#include <string>

namespace osteon::isosurface {

namespace {

/// From this share of the bone's voxels on another piece could be meant as well: the two femurs of a person differ by
/// less, a femur and a tibia by more.
constexpr double kAboutEqual = 0.9;
/// Pieces below this share of the largest are specks, never the bone.
constexpr double kSpeck = 0.05;

const char* towards(Vec3 direction) {
  const double x = std::abs(direction.x), y = std::abs(direction.y), z = std::abs(direction.z);
  if (z >= x && z >= y) return direction.z > 0 ? "head" : "feet";
  if (x >= y) return direction.x > 0 ? "left" : "right";
  return direction.y > 0 ? "back" : "front";
}

/// "towards the patient's head (voxel k = 49)"; "" when the piece is whole.
std::string way_out(const Piece& piece, const Grid& grid) {
  static constexpr const char* kAxes[] = {"i", "j", "k"};
  for (std::size_t axis = 0; axis < 3; ++axis)
    for (const bool upper : {false, true}) {
      if (upper ? piece.high[axis] < grid.size[axis] - 1 : piece.low[axis] > 0) continue;
      const Vec3 direction = grid.direction.column[axis] * (upper ? 1.0 : -1.0);
      return text("towards the patient's ", towards(direction), " (voxel ", kAxes[axis], " = ",
                  upper ? grid.size[axis] - 1 : 0, ")");
    }
  return "";
}

/// "153.2 cm³ around (-31, 12, 480)".
std::string size_and_place(const Piece& piece, const Grid& grid) {
  const double voxel = grid.spacing.x * grid.spacing.y * grid.spacing.z;  // mm³
  const Vec3 p = grid.to_patient(piece.sum * (1.0 / static_cast<double>(piece.voxels)));
  return text(std::round(static_cast<double>(piece.voxels) * voxel / 100) / 10, " cm³ around (", std::lround(p.x), ", ",
              std::lround(p.y), ", ", std::lround(p.z), ")");
}

constexpr const char* kOtherMap = "a label map that ends before the volume does";

void require_whole(const Piece& piece, const Grid& grid, const Level& level) {
  if (!piece.cut_by(grid)) return;
  throw Error(text("the bone leaves the volume ", way_out(piece, grid),
                   ", so its surface can't be closed; give a volume that holds the whole bone, or ",
                   level.of_labels ? kOtherMap
                                   : "set surface.separation if a neighbour that is cut has grown together with it, or "
                                     "surface.skip_cut = true if this is a larger neighbour"));
}

Error none_is_whole(const Piece& largest, const Grid& grid, const Level& level) {
  return Error(text(
      "every piece of bone leaves the volume (the largest ", way_out(largest, grid),
      "), so none has a closed surface; give a volume that holds the whole bone, or ",
      level.of_labels ? kOtherMap : "set surface.separation if a neighbour that is cut has grown together with it"));
}

}  // namespace

bool Piece::cut_by(const Grid& grid) const {
  for (std::size_t axis = 0; axis < 3; ++axis)
    if (low[axis] <= 0 || high[axis] >= grid.size[axis] - 1) return true;
  return false;
}

std::vector<Piece> pieces_of(const Labels& labels, const Mask& box, const float* density, const Grid& grid,
                             double threshold) {
  std::vector<Piece> pieces(1);
  const auto first = [&](std::size_t axis) { return std::max<std::int64_t>(0, -box.low[axis]); };
  const auto end = [&](std::size_t axis) { return std::min(box.size[axis], grid.size[axis] - box.low[axis]); };
  for (std::int64_t k = first(2); k < end(2); ++k)
    for (std::int64_t j = first(1); j < end(1); ++j) {
      const float* row = density + ((k + box.low[2]) * grid.size[1] + j + box.low[1]) * grid.size[0] + box.low[0];
      const std::uint32_t* label = labels.get() + box.at(0, j, k);
      for (std::int64_t i = first(0); i < end(0); ++i) {
        if (label[i] == 0 || row[i] < threshold) continue;
        if (label[i] >= pieces.size()) pieces.resize(label[i] + 1);
        Piece& piece = pieces[label[i]];
        const std::array<std::int64_t, 3> place{i + box.low[0], j + box.low[1], k + box.low[2]};
        if (piece.voxels++ == 0) piece.low = piece.high = place;
        for (std::size_t axis = 0; axis < 3; ++axis) {
          piece.low[axis] = std::min(piece.low[axis], place[axis]);
          piece.high[axis] = std::max(piece.high[axis], place[axis]);
          piece.sum[static_cast<int>(axis)] += static_cast<double>(place[axis]);
        }
      }
    }
  return pieces;
}

std::uint32_t bone_among(const std::vector<Piece>& pieces, const Grid& grid, const Level& level, bool skip_cut) {
  const auto fewer = [](const Piece& a, const Piece& b) { return a.voxels < b.voxels; };
  const Piece& largest = *std::max_element(pieces.begin(), pieces.end(), fewer);
  std::vector<Piece> candidates = pieces;
  if (skip_cut)
    for (Piece& piece : candidates)
      if (piece.cut_by(grid) || static_cast<double>(piece.voxels) < kSpeck * static_cast<double>(largest.voxels))
        piece = {};
  const auto bone = std::max_element(candidates.begin(), candidates.end(), fewer);
  if (bone->voxels == 0) throw none_is_whole(largest, grid, level);
  require_whole(*bone, grid, level);
  const Piece found = *bone;
  bone->voxels = 0;
  const Piece& rival = *std::max_element(candidates.begin(), candidates.end(), fewer);
  if (static_cast<double>(rival.voxels) >= kAboutEqual * static_cast<double>(found.voxels))
    throw Error(
        text("two bones of about equal size, ", size_and_place(found, grid), " and ", size_and_place(rival, grid),
             " (mm, patient coordinates): which of them is meant can't be told; give a volume or a label map of "
             "one of them"));
  return static_cast<std::uint32_t>(bone - candidates.begin());
}

}  // namespace osteon::isosurface
