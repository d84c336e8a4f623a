// surface/isosurface: the outer surface of the largest bone in a CT volume.
//
// Threshold → touching neighbours parted → largest face-connected piece → marrow cavity filled (gaps in the cortex
// sealed for this) → marching cubes at the threshold, at subvoxel accuracy → smoothed → fewer triangles. The surface is
// closed, one piece, manifold, oriented outwards, in patient coordinates; direction, spacing and origin of the volume
// are honoured. The threshold is the one of Čavojská et al. 2020 (1370 stored units; 346 HU with the usual intercept of
// -1024), or Otsu's (1979) over all that is above air (-500 HU).
//
// Neighbouring bones are other pieces as long as a gap below the threshold parts them. Where they touch, `separation`
// parts them: bridges up to this wide are cut where they are narrowest (the filled bones are eroded by half of it until
// they fall into pieces, which grow back by a watershed of the distance map). It must be well below the bone's own
// narrowest place and below the thickness of the neighbour, and it does not part bones that lie against each other over
// a whole joint: for those, give a label map. A joint's space that `closing` seals on all sides counts as a cavity of
// the bones around it, so a smaller `closing` may part what a larger one has joined.
//
// A bone that the edge of the volume cuts is an error; with `skip_cut` the largest that it does not cut is taken. Of
// two bones of about equal size (the smaller above 90 % of the larger) neither is taken: that is an error too.
//
// Where the source brings a label map, it alone says what is bone; level, threshold and separation are not used: the
// labelled voxels, smoothed by a Gaussian of one voxel along each axis so that no stairs are left, are taken at one
// half. The surface of a ball of radius R voxels then lies 1/R of a voxel too far inside. Cavities are filled as above.
//
// Smoothing and decimation say how far they go: no point of the surface is farther than `fairing` mm from where
// marching cubes had it after Taubin's smoothing (1995), and the decimated surface and the one before it are within
// `tolerance` mm of each other at every point, which is checked both ways. Without a tolerance `triangles` alone
// counts: the 60000 of a femur scanned at 0.9 mm lie within 0.16 mm; a tolerance of 0.1 mm leaves it 32000, of 0.2 mm
// 9300, but takes half a minute.
//
//     [surface]
//     plugin     = "isosurface"
//     level      = "threshold"  # or "otsu"
//     threshold  = 346      # HU
//     smoothing  = 0.0      # mm, standard deviation of a Gaussian before the threshold
//     closing    = 1.5      # mm, gaps in the cortex up to twice this wide are sealed
//     separation = 0.0      # mm, bridges between bones up to this wide are cut
//     skip_cut   = false    # true: a neighbour that the volume's edge cuts may be larger than the bone
//     fairing    = 0.0      # mm, farthest that Taubin's smoothing moves the surface
//     triangles  = 60000    # at most; 0 keeps all, or all that the tolerance needs
//     tolerance  = 0.0      # mm, farthest of the decimated surface; it goes before triangles; 0 for any

#include "bone_mask.hpp"
#include "decimation.hpp"
#include "fairing.hpp"
#include "marching_cubes.hpp"
#include "otsu.hpp"

#include <osteon/error.hpp>
#include <osteon/surface.hpp>

#include <ATen/Functions.h>

namespace osteon {

namespace {

Mesh to_mesh(const isosurface::Triangulation& surface) {
  const auto vertices = static_cast<std::int64_t>(surface.vertices.size());
  const auto triangles = static_cast<std::int64_t>(surface.triangles.size());
  Mesh mesh{at::empty({vertices, 3}, at::kFloat), at::empty({triangles, 3}, at::kInt)};
  auto* coordinate = mesh.vertices.data_ptr<float>();
  for (const Vec3& v : surface.vertices)
    for (int axis = 0; axis < 3; ++axis) *coordinate++ = static_cast<float>(v[axis]);
  auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (const auto& triangle : surface.triangles) corner = std::copy(triangle.begin(), triangle.end(), corner);
  return mesh;
}

class IsoSurface : public Surface {
 public:
  static Schema schema() {
    return {
        "Iso-surface of the largest bone, cavity filled (threshold: Čavojská et al. 2020; marching cubes: Lorensen and "
        "Cline 1987).",
        {Parameter::text(
             "level", "threshold",
             "Where the surface lies: at `threshold`, or at Otsu's threshold over all that is above air; not "
             "used where a label map marks the bone.")
             .one_of({"threshold", "otsu"}),
         Parameter::real("threshold", 346,
                         "Density at which the surface lies; not used where a label map marks the bone, nor with "
                         "`level = \"otsu\"`.")
             .unit("HU")
             .at_least(-1000)
             .at_most(3000),
         Parameter::real("smoothing", 0,
                         "Standard deviation of the Gaussian that smooths the volume first; 0 for none.")
             .unit("mm")
             .at_least(0)
             .at_most(5),
         Parameter::real("closing", 1.5, "Gaps in the cortex up to twice this wide don't open the marrow cavity.")
             .unit("mm")
             .at_least(0)
             .at_most(10),
         Parameter::real("separation", 0,
                         "Bridges between bones up to this wide are cut; 0 for none; not used where a label map marks "
                         "the bone.")
             .unit("mm")
             .at_least(0)
             .at_most(50),
         Parameter::flag("skip_cut", false,
                         "A piece that the volume's edge cuts is never the bone, however large it is."),
         Parameter::real("fairing", 0,
                         "Farthest that Taubin's smoothing of the surface moves any of its points; 0 for no smoothing.")
             .unit("mm")
             .at_least(0)
             .at_most(5),
         Parameter::integer(
             "triangles", 60000,
             "Most triangles that the surface may have, unless the tolerance needs more; 0 keeps all that "
             "it needs.")
             .at_least(0),
         Parameter::real(
             "tolerance", 0,
             "Farthest that having fewer triangles may move any point of the surface, either way; 0 for any "
             "distance.")
             .unit("mm")
             .at_least(0)
             .at_most(5)}};
  }

  explicit IsoSurface(const Parameters& parameters)
      : otsu_(parameters.text("level") == "otsu"),
        threshold_(parameters.real("threshold")),
        smoothing_(parameters.real("smoothing")),
        bone_{parameters.real("closing"), parameters.real("separation"), parameters.flag("skip_cut")},
        fairing_(parameters.real("fairing")),
        triangles_(parameters.integer("triangles")),
        tolerance_(parameters.real("tolerance")) {}

  Mesh extract(const Volume& volume, const at::Tensor& bone_mask) const override {
    const bool labelled = bone_mask.defined();
    const std::vector<float> density = labelled ? isosurface::antialiased(bone_mask, volume.grid, smoothing_)
                                                : isosurface::smoothed(volume, smoothing_);
    const isosurface::Level level =
        labelled ? isosurface::kLabelLevel
                 : isosurface::Level{otsu_ ? isosurface::otsu_threshold(density) : threshold_, false};
    const isosurface::Mask solid = isosurface::bone_solid(density.data(), volume.grid, level, bone_);
    isosurface::Triangulation surface = isosurface::marching_cubes(solid, density.data(), volume.grid, level.threshold);
    if (fairing_ > 0) surface = isosurface::faired(std::move(surface), fairing_);
    if (triangles_ > 0 || tolerance_ > 0) surface = isosurface::decimated(surface, triangles_, tolerance_);
    Mesh mesh = to_mesh(surface);
    require_closed(mesh, "iso-surface");
    return mesh;
  }

 private:
  bool otsu_;
  double threshold_, smoothing_;
  isosurface::BoneSettings bone_;
  double fairing_;
  std::int64_t triangles_;
  double tolerance_;
};

}  // namespace

OSTEON_PLUGIN(surface, isosurface, "0.1.0", IsoSurface)

}  // namespace osteon
