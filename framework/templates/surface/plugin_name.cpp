// surface/plugin_name: marching tetrahedra (Doi and Koide, IEICE Trans. E74, 1991) around the largest face-connected
// piece at or above a level, with its cavities filled. Each cell of eight voxels is six tetrahedra along its diagonal;
// each of them that the surface cuts has one or two triangles, with corners where its edges reach the level. As cells
// agree on their common diagonals, the surface is closed. Where the source labelled the bone, its labels alone say
// what is bone.
//
//     [surface]
//     plugin = "plugin_name"
//     level  = 346.0     # HU

#include <osteon/surface.hpp>

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

namespace osteon {
namespace {

constexpr int kBone = -1, kOutside = -2;  ///< numbers of voxels beside 0, not bone, and those of the pieces, from 1

/// A number for each voxel of a grid.
struct Numbers {
  std::array<std::int64_t, 3> size;
  std::vector<int> of;

  [[nodiscard]] std::array<std::int64_t, 3> place(std::int64_t voxel) const {
    return {voxel % size[0], voxel / size[0] % size[1], voxel / size[0] / size[1]};
  }

  /// Gives `number` to all voxels that `start` reaches over faces of voxels of its own number; returns how many.
  std::int64_t flood(std::int64_t start, int number) {
    const int old = of[static_cast<std::size_t>(start)];
    const std::array<std::int64_t, 3> stride = {1, size[0], size[0] * size[1]};
    std::vector<std::int64_t> waiting{start};
    of[static_cast<std::size_t>(start)] = number;
    std::int64_t count = 0;
    while (!waiting.empty()) {
      const std::int64_t voxel = waiting.back();
      waiting.pop_back();
      ++count;
      const auto at = place(voxel);
      for (std::size_t axis = 0; axis < 3; ++axis)
        for (const std::int64_t step : {-1, 1}) {
          if (at[axis] + step < 0 || at[axis] + step >= size[axis]) continue;
          const std::int64_t next = voxel + step * stride[axis];
          if (of[static_cast<std::size_t>(next)] != old) continue;
          of[static_cast<std::size_t>(next)] = number;
          waiting.push_back(next);
        }
    }
    return count;
  }
};

/// The surface between voxels of positive and negative values.
class MarchingTetrahedra {
 public:
  MarchingTetrahedra(const Grid& grid, const std::vector<float>& values) : grid_(grid), values_(values) {
    for (std::int64_t k = 0; k + 1 < grid.size[2]; ++k)
      for (std::int64_t j = 0; j + 1 < grid.size[1]; ++j)
        for (std::int64_t i = 0; i + 1 < grid.size[0]; ++i) cell({i, j, k});
  }

  [[nodiscard]] Mesh mesh() const {
    return {at::tensor(coordinates_, at::kFloat).view({-1, 3}), at::tensor(corners_, at::kInt).view({-1, 3})};
  }

 private:
  /// A corner of a cell: bit 0 of `bits` is one step along i, bit 1 along j, bit 2 along k.
  struct Corner {
    int bits;
    std::int64_t voxel;
    Vec3 index;
    double value;
  };

  void cell(const std::array<std::int64_t, 3>& low) {
    std::array<Corner, 8> corners{};
    int inside = 0;
    for (int bits = 0; bits < 8; ++bits) {
      const std::int64_t i = low[0] + (bits & 1), j = low[1] + (bits >> 1 & 1), k = low[2] + (bits >> 2);
      const std::int64_t voxel = i + grid_.size[0] * (j + grid_.size[1] * k);
      corners[static_cast<std::size_t>(bits)] = {
          bits,
          voxel,
          {static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)},
          static_cast<double>(values_[static_cast<std::size_t>(voxel)])};
      inside += values_[static_cast<std::size_t>(voxel)] > 0 ? 1 : 0;
    }
    if (inside == 0 || inside == 8) return;
    // From corner 0 to corner 7, one axis after the other, in each order of the axes.
    constexpr std::array<std::pair<std::size_t, std::size_t>, 6> kPaths = {
        {{1, 3}, {1, 5}, {2, 3}, {2, 6}, {4, 5}, {4, 6}}};
    for (const auto& [first, second] : kPaths) tetrahedron({corners[0], corners[first], corners[second], corners[7]});
  }

  void tetrahedron(const std::array<Corner, 4>& corners) {
    std::vector<Corner> in, out;
    for (const Corner& corner : corners) (corner.value > 0 ? in : out).push_back(corner);
    if (in.size() == 1) triangle({in[0], out[0]}, {in[0], out[1]}, {in[0], out[2]});
    if (in.size() == 3) triangle({in[0], out[0]}, {in[1], out[0]}, {in[2], out[0]});
    if (in.size() != 2) return;
    triangle({in[0], out[0]}, {in[0], out[1]}, {in[1], out[1]});
    triangle({in[0], out[0]}, {in[1], out[1]}, {in[1], out[0]});
  }

  struct Edge {
    Corner in, out;
    [[nodiscard]] Vec3 middle() const { return (in.index + out.index) * 0.5; }
  };

  /// Counter-clockwise seen from outside. Told by the middles of the edges: the corners themselves may coincide.
  void triangle(const Edge& a, const Edge& b, const Edge& c) {
    const Vec3 normal = cross(b.middle() - a.middle(), c.middle() - a.middle());
    const bool turned = dot(normal, a.in.index - a.middle()) > 0;
    corners_.insert(corners_.end(), {vertex(a), vertex(turned ? c : b), vertex(turned ? b : c)});
  }

  /// The vertex of an edge, made once for all tetrahedra around it.
  int vertex(const Edge& edge) {
    const std::int64_t key = std::min(edge.in.voxel, edge.out.voxel) * 8 + (edge.in.bits ^ edge.out.bits);
    const auto [known, is_new] = vertices_.try_emplace(key, static_cast<int>(vertices_.size()));
    if (is_new) {
      const double share = edge.in.value / (edge.in.value - edge.out.value);
      const Vec3 point = grid_.to_patient(edge.in.index + (edge.out.index - edge.in.index) * share);
      for (int axis = 0; axis < 3; ++axis) coordinates_.push_back(static_cast<float>(point[axis]));
    }
    return known->second;
  }

  const Grid& grid_;
  const std::vector<float>& values_;
  std::unordered_map<std::int64_t, int> vertices_;
  std::vector<float> coordinates_;
  std::vector<int> corners_;
};

class PluginName final : public Surface {
 public:
  static Schema schema() {
    return {"Marching tetrahedra around the largest piece above a level (Doi and Koide 1991).",
            {Parameter::real("level", 346, "Density from which on a voxel is bone.")
                 .unit("HU")
                 .at_least(-900)
                 .at_most(3000)}};
  }

  explicit PluginName(const Parameters& parameters) : level_(parameters.real("level")) {}

  [[nodiscard]] Mesh extract(const Volume& volume, const at::Tensor& bone_mask) const override {
    volume.check();
    const at::Tensor above =
        (bone_mask.defined() ? bone_mask.to(at::kFloat) - 0.5F : volume.hounsfield.to(at::kFloat) - level_)
            .contiguous();
    std::vector<float> values(above.data_ptr<float>(), above.data_ptr<float>() + above.numel());
    Numbers numbers{volume.grid.size, std::vector<int>(values.size())};
    std::ranges::transform(values, numbers.of.begin(), [](float value) { return value >= 0 ? kBone : 0; });
    if (bone_mask.defined() && std::ranges::find(numbers.of, kBone) == numbers.of.end())
      throw Error("no bone: the labels mark no voxel");
    const int bone = largest_piece(numbers, volume);
    // All else may be crossed from the border, but the cavities of the bone are not reached.
    for (int& number : numbers.of) number = number == bone ? bone : 0;
    (void)numbers.flood(0, kOutside);
    for (std::size_t voxel = 0; voxel < values.size(); ++voxel)
      values[voxel] = numbers.of[voxel] == kOutside ? std::min(values[voxel], -0.5F) : std::max(values[voxel], 0.5F);
    return MarchingTetrahedra(volume.grid, values).mesh();
  }

 private:
  /// Numbers the pieces; returns the number of the largest, which the volume's border must not cut.
  [[nodiscard]] int largest_piece(Numbers& numbers, const Volume& volume) const {
    std::vector<std::int64_t> sizes{0};
    for (std::size_t voxel = 0; voxel < numbers.of.size(); ++voxel)
      if (numbers.of[voxel] == kBone)
        sizes.push_back(numbers.flood(static_cast<std::int64_t>(voxel), static_cast<int>(sizes.size())));
    if (sizes.size() == 1)
      throw Error(text("no bone: the densest voxel has ", volume.hounsfield.max().item<int>(), " HU, the level is ",
                       level_, " HU"));
    const auto largest = static_cast<int>(std::ranges::max_element(sizes) - sizes.begin());
    const std::int64_t voxels = sizes[static_cast<std::size_t>(largest)];
    for (std::size_t other = 1; other < sizes.size(); ++other)
      if (static_cast<int>(other) != largest && sizes[other] > 0.9 * static_cast<double>(voxels))
        throw Error(text("two bones of about one size (", voxels, " and ", sizes[other],
                         " voxels): crop the volume to the one that is meant"));
    for (std::size_t voxel = 0; voxel < numbers.of.size(); ++voxel) {
      if (numbers.of[voxel] != largest) continue;
      const auto at = numbers.place(static_cast<std::int64_t>(voxel));
      for (std::size_t axis = 0; axis < 3; ++axis)
        if (at[axis] == 0 || at[axis] == numbers.size[axis] - 1)
          throw Error("the bone leaves the volume: a closed surface needs the whole bone, with a voxel around it");
    }
    return largest;
  }

  double level_;
};

}  // namespace

OSTEON_PLUGIN(surface, plugin_name, "0.1.0", PluginName)

}  // namespace osteon
