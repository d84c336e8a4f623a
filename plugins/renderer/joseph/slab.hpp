#pragma once

// The part of a volume that isn't air, as Joseph's method reads it: both materials of a voxel side by side in 16 bits
// each, which holds them exactly because Hounsfield units are whole numbers (water in 1/8000, bone in 1/1600), with a
// border of air one voxel wide. The longest axis, along which a limb's rays never run, lies fastest in memory, so that
// one load takes a voxel and its neighbour. A coarse map says which blocks hold one value
// throughout, air above all.

#include <osteon/materials.hpp>
#include <osteon/volume.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace osteon::joseph {

inline constexpr int kBlockBits = 2, kBlock = 1 << kBlockBits;  ///< voxels of a block of the map along each axis
inline constexpr double kWaterUnits = 8000, kBoneUnits = kCorticalHounsfield;
inline constexpr std::int64_t kLongestAxis = 8000, kMostVoxels = std::int64_t{1} << 30;

/// Water and bone of a voxel.
struct Voxel {
  std::int16_t water, bone;

  bool operator==(const Voxel&) const = default;
};

class Slab {
 public:
  /// Reads `volume` with the host's threads. Throws `Error` when an axis is longer than `kLongestAxis`.
  explicit Slab(const Volume& volume);

  [[nodiscard]] bool empty() const { return voxels_ == nullptr; }
  [[nodiscard]] const Voxel* voxels() const { return voxels_.get(); }
  [[nodiscard]] std::int64_t size(int axis) const { return size_[static_cast<std::size_t>(axis)]; }
  [[nodiscard]] std::int64_t stride(int axis) const { return stride_[static_cast<std::size_t>(axis)]; }
  [[nodiscard]] int fastest() const { return fastest_; }

  /// Position in indices of the slab, border included.
  [[nodiscard]] Vec3 position(Vec3 point) const;
  /// The same for a difference of two points.
  [[nodiscard]] Vec3 difference(Vec3 step) const;
  [[nodiscard]] Vec3 spacing() const { return grid_.spacing; }

  /// The blocks from `low` to `high` (indices along each axis): their one value, if they hold nothing else and
  /// interpolation anywhere in them finds nothing else. Beyond the slab there is air.
  [[nodiscard]] std::optional<Voxel> only_value(std::array<std::int64_t, 3> low,
                                                std::array<std::int64_t, 3> high) const;

 private:
  void fill(const Volume& volume);
  void map();
  [[nodiscard]] std::size_t index_of(std::array<std::int64_t, 3> block) const {
    return static_cast<std::size_t>((block[2] * blocks_[1] + block[1]) * blocks_[0] + block[0]);
  }

  Grid grid_;
  std::array<std::int64_t, 3> low_{};     ///< the voxel of the volume at border-included index 1
  std::array<std::int64_t, 3> size_{};    ///< along i, j, k, without the border
  std::array<std::int64_t, 3> stride_{};  ///< in voxels
  std::array<std::int64_t, 3> blocks_{};
  int fastest_ = 0;
  std::unique_ptr<Voxel, void (*)(void*)> voxels_;
  std::vector<std::optional<Voxel>> values_;  ///< of each block, k slowest; none where there are several
};

}  // namespace osteon::joseph
