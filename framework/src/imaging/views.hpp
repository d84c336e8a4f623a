#pragma once

// Where the X-ray source and the detector stand around a bone: the poses of an acquisition, and the exposure of each.
//
// A view has three axes: to the right and up in the image, and from the bone towards the source.
//
//     plane   beam                    right in the image   up         towards the source
//     AP      anterior to posterior   medial               proximal   anterior
//     ML      medial to lateral       posterior            proximal   medial
//
// So a right bone appears as one sees it from the source, and a left bone mirrored, like a right one. A pose turns the
// bone about the view's axes through the bone's centroid, in this order:
//
//     axial     about "up", which is the bone's own long axis; positive brings what faces the source to the right
//     tilt      about "right"; positive brings the proximal end towards the source
//     in-plane  about the beam; positive turns counter-clockwise in the image
//
// The study's grid, 70 to 112° in steps of 3°, is written from its middle: -21 to 21°. Clinical pairs are drawn instead
// (a tilt, an AP-ML angle and a scale that nobody controls, each view posed anew), for example
//
//     [views]
//     drawn_tilt = 10
//     drawn = "view"
//     ap_ml_spread = 5
//     scale_error = 2

#include "imaging/bone_frame.hpp"

#include <osteon/image_set.hpp>
#include <osteon/parameters.hpp>
#include <osteon/renderer.hpp>

#include <string_view>
#include <vector>

namespace osteon::imaging {

/// A pose of the bone before the exposures of its AP and its ML image. Degrees.
struct Pose {
  double axial = 0, tilt = 0, in_plane = 0;
  double ml_axial_more = 0, ml_tilt_more = 0, ml_in_plane_more = 0;  ///< what ML's angles have beyond AP's
  double ap_scale = 1, ml_scale = 1;  ///< how many times as large as the pixel spacing says the bone appears
};

/// The pose that an image was taken in.
[[nodiscard]] Pose pose_of(const ImageRow& row);

/// The three angles of one plane's exposure.
struct Angles {
  double axial, tilt, in_plane;
};
[[nodiscard]] Angles angles_of(const Pose& pose, Plane plane);

/// [views]: angles, geometry, detector, image size, scale, errors of position.
[[nodiscard]] Schema views_schema();

/// The poses of a gallery acquisition: the grid (axial × tilt × in-plane, the last fastest), or as many drawn ones as
/// `gallery_poses`. `specimen` names the stream of numbers: the poses of one bone don't depend on which others there
/// are.
[[nodiscard]] std::vector<Pose> gallery_poses(const Parameters& views, std::uint64_t seed = 0,
                                              std::string_view specimen = {});

/// The poses of a query acquisition: drawn uniformly, between the grid's angles as well as on them, or the grid.
[[nodiscard]] std::vector<Pose> query_poses(const Parameters& views, std::uint64_t seed, std::string_view specimen);

/// The axes that the views are taken about: the bone's own, or those that `axes` names, turned by the fixed offsets.
[[nodiscard]] BoneFrame viewed_frame(const BoneFrame& frame, const Parameters& views);

/// Of the height of an image, as `views.scaling = "framed"` shows a bone.
inline constexpr double kFramedShare = 0.85;

/// mm at the isocentre. Throws `Error` when the field of view shows less than half of the bone.
[[nodiscard]] double pixel_spacing(const BoneFrame& frame, const Parameters& views);

/// From the point source to the bone's centroid, mm. Throws `Error` when the detector lies behind the source.
[[nodiscard]] double source_isocentre(const Parameters& views);

/// How many times as large as the bone its shadow on the detector is, at the isocentre; 1 for parallel rays. What a
/// focal spot of width f blurs at the detector is f · (magnification - 1).
[[nodiscard]] double magnification(const Parameters& views);

/// A slot scan: the source moves with the rows, so that rays are parallel along the image's height and diverge across.
[[nodiscard]] bool is_slot_scan(const Parameters& views);

/// The axes and distances of one exposure, in patient coordinates.
struct ViewAxes {
  Vec3 isocentre, right, up, towards_source;
  double distance = 0;  ///< from the source to the isocentre, mm; 0 for parallel rays
  bool slot = false;
  double spacing = 0;  ///< mm between pixels at the isocentre, true (the told one over the scale)

  /// Where a point appears: mm to the right and up from the image's middle, at the isocentre.
  [[nodiscard]] std::pair<double, double> shadow(Vec3 point) const;
};
[[nodiscard]] ViewAxes view_axes(const BoneFrame& frame, Plane plane, const Pose& pose, const Parameters& views);

/// The exposure of one half of the montage: `height` rows, `height`/2 columns, the bone's centroid in the middle. Rays
/// run from the source through the pixels without end; the pixels are placed behind the patient, as far from the
/// isocentre as the source, so that a renderer that ends its rays there sees the same. Of a slot scan this is the
/// middle row's source (see slot.hpp).
[[nodiscard]] Projection projection(const BoneFrame& frame, Plane plane, const Pose& pose, const Parameters& views);

/// The same in the coordinates of the bone's own frame (x medial, y anterior, z proximal, from its centroid).
[[nodiscard]] Projection in_bone_frame(const Projection& projection, const BoneFrame& frame);

/// What one is told of an exposure: the view without pose, at the pixel spacing (mm at the isocentre) that the image
/// carries, in the bone's own frame. With `views.axes = "mechanical"` the bone's shaft stands for its mechanical axis,
/// which nobody knows before the bone is known.
[[nodiscard]] Projection told_projection(Plane plane, double pixel_spacing, const Parameters& views);

}  // namespace osteon::imaging
