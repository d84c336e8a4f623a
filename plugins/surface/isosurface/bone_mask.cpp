#include "bone_mask.hpp"

#include "morphology.hpp"
#include "pieces.hpp"
#include "separation.hpp"

#include <osteon/error.hpp>

#include <algorithm>

namespace osteon::isosurface {

namespace {

using Indices = std::array<std::int64_t, 3>;

/// All voxels of the volume that are above the level.
Mask above(const float* density, const Grid& grid, const Level& level) {
  Mask bone{{}, grid.size, {}};
  bone.inside.resize(static_cast<std::size_t>(grid.size[0] * grid.size[1] * grid.size[2]));
  for (std::size_t v = 0; v < bone.inside.size(); ++v) bone.inside[v] = density[v] >= level.threshold;
  if (std::find(bone.inside.begin(), bone.inside.end(), 1) != bone.inside.end()) return bone;
  if (level.of_labels)
    throw Error("the label map marks a bone thinner than two voxels, which has no surface; give a finer label map");
  throw Error(text("no bone: the largest value is ", *std::max_element(density, density + bone.inside.size()),
                   " HU, below the threshold of ", level.threshold,
                   " HU; lower surface.threshold, or check the volume's Hounsfield units"));
}

/// One piece of a labelled box in a box of its own with a margin, which may reach out of the volume.
Mask cropped(const Labels& labels, const Mask& box, std::uint32_t label, const Indices& margin) {
  Indices low = box.size, high{-1, -1, -1};
  for (std::int64_t k = 0; k < box.size[2]; ++k)
    for (std::int64_t j = 0; j < box.size[1]; ++j) {
      const auto *row = labels.get() + box.at(0, j, k), *end = row + box.size[0];
      const auto* first = std::find(row, end, label);
      if (first == end) continue;
      const auto* last = end - 1;
      while (*last != label) --last;
      low = {std::min(low[0], first - row), std::min(low[1], j), std::min(low[2], k)};
      high = {std::max(high[0], last - row), std::max(high[1], j), std::max(high[2], k)};
    }
  Mask piece;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    piece.low[axis] = box.low[axis] + low[axis] - margin[axis];
    piece.size[axis] = high[axis] - low[axis] + 1 + 2 * margin[axis];
  }
  piece.inside.assign(static_cast<std::size_t>(piece.size[0] * piece.size[1] * piece.size[2]), 0);
  for (std::int64_t k = low[2]; k <= high[2]; ++k)
    for (std::int64_t j = low[1]; j <= high[1]; ++j)
      for (std::int64_t i = low[0]; i <= high[0]; ++i)
        piece.inside[piece.at(i - low[0] + margin[0], j - low[1] + margin[1], k - low[2] + margin[2])] =
            labels[box.at(i, j, k)] == label;
  return piece;
}

/// The volume's mask with a margin into which a bone that the edge cuts goes on, so that its cavity is closed there.
Mask continued(const Mask& bone, const Indices& margin) {
  Mask box;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    box.low[axis] = -margin[axis];
    box.size[axis] = bone.size[axis] + 2 * margin[axis];
  }
  box.inside.resize(static_cast<std::size_t>(box.size[0] * box.size[1] * box.size[2]));
  const auto inner = [&](std::size_t axis, std::int64_t place) {
    return std::clamp<std::int64_t>(place + box.low[axis], 0, bone.size[axis] - 1);
  };
  for (std::int64_t k = 0; k < box.size[2]; ++k)
    for (std::int64_t j = 0; j < box.size[1]; ++j)
      for (std::int64_t i = 0; i < box.size[0]; ++i)
        box.inside[box.at(i, j, k)] = bone.inside[bone.at(inner(0, i), inner(1, j), inner(2, k))];
  return box;
}

}  // namespace

Mask bone_solid(const float* density, const Grid& grid, const Level& level, const BoneSettings& settings) {
  Mask bone = above(density, grid, level);
  const Ball ball(settings.closing, grid.spacing);
  const Indices margin{ball.radius[0] + 1, ball.radius[1] + 1, ball.radius[2] + 1};
  const bool parts = settings.separation > 0 && !level.of_labels;
  if (parts) {
    bone = continued(bone, margin);
    fill_sealed(bone, ball);
    fill(bone);
  }
  Labels labels = parts ? parted(bone, grid.spacing, settings.separation) : components(bone);
  const std::vector<Piece> pieces = pieces_of(labels, bone, density, grid, level.threshold);
  Mask solid = cropped(labels, bone, bone_among(pieces, grid, level, settings.skip_cut), margin);
  labels.reset();
  fill_sealed(solid, ball);
  fill(solid);
  keep_largest(solid);
  return solid;
}

}  // namespace osteon::isosurface
