#include "imaging/nominal_views.hpp"

#include "imaging/canvas.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

namespace osteon::imaging {

namespace {

constexpr std::int64_t kPanel = 400, kMargin = 26, kGap = 8;

/// Bone and soft tissue both show between these.
constexpr double kDarkest = -200, kBrightest = 1200;

/// A panel that shows the plane of `right` and `down` through `centre`.
struct Plane2d {
  std::string title;
  Vec3 centre, right, down;
  double spacing;  ///< mm between pixels
};

Vec3 corner(const Grid& grid, int which) {
  Vec3 index;
  for (int axis = 0; axis < 3; ++axis)
    index[axis] = (which >> axis & 1) != 0 ? static_cast<double>(grid.size[static_cast<std::size_t>(axis)] - 1) : 0;
  return grid.to_patient(index);
}

/// The panel's pixels, from the nearest voxels.
at::Tensor slice(const Volume& volume, const Plane2d& plane) {
  at::Tensor image = at::zeros({kPanel, kPanel}, at::kByte);
  auto* pixel = image.data_ptr<std::uint8_t>();
  const auto* voxels = volume.hounsfield.data_ptr<std::int16_t>();
  const auto& size = volume.grid.size;
  for (std::int64_t row = 0; row < kPanel; ++row)
    for (std::int64_t column = 0; column < kPanel; ++column, ++pixel) {
      const double x = (static_cast<double>(column) - kPanel / 2.0 + 0.5) * plane.spacing;
      const double y = (static_cast<double>(row) - kPanel / 2.0 + 0.5) * plane.spacing;
      const Vec3 at = volume.grid.to_index(plane.centre + plane.right * x + plane.down * y);
      const std::array<std::int64_t, 3> index = {std::lround(at.x), std::lround(at.y), std::lround(at.z)};
      bool inside = true;
      for (std::size_t axis = 0; axis < 3; ++axis) inside &= index[axis] >= 0 && index[axis] < size[axis];
      if (!inside) continue;
      const double value = voxels[index[0] + size[0] * (index[1] + size[1] * index[2])];
      *pixel = static_cast<std::uint8_t>(
          std::lround(32 + 223 * std::clamp((value - kDarkest) / (kBrightest - kDarkest), 0.0, 1.0)));
    }
  return image;
}

void letters(Canvas& canvas, std::int64_t x, std::int64_t y, std::int64_t width, std::int64_t height, Vec3 right,
             Vec3 down) {
  const auto put = [&](Vec3 direction, std::int64_t at_x, std::int64_t at_y) {
    canvas.words(std::string(1, patient_letter(direction)), at_x, at_y, 3, kWhite);
  };
  put(-right, x + 5, y + height / 2 - 12);
  put(right, x + width - 20, y + height / 2 - 12);
  put(-down, x + width / 2 - 8, y + 6);
  put(down, x + width / 2 - 8, y + height - 30);
}

struct NamedAxis {
  const char* name;
  Vec3 direction;
  Colour colour;
};

std::vector<NamedAxis> named_axes(const BoneFrame& frame) {
  return {
      {"medial", frame.medial, kOrange}, {"anterior", frame.anterior, kSkyBlue}, {"proximal", frame.proximal, kGreen}};
}

void draw_slice(Canvas& canvas, const NominalViews& nominal, const BoneFrame& frame, const Plane2d& plane,
                std::int64_t x, std::int64_t y) {
  canvas.words(plane.title, x, y - 20, 2, kWhite);
  canvas.image(slice(nominal.volume, plane), x, y);
  const double middle_x = static_cast<double>(x) + kPanel / 2.0, middle_y = static_cast<double>(y) + kPanel / 2.0;
  for (const NamedAxis& axis : named_axes(frame)) {
    const double across = dot(axis.direction, plane.right) * 80, down = dot(axis.direction, plane.down) * 80;
    if (std::hypot(across, down) < 20) continue;  // it runs into the picture
    canvas.arrow(middle_x, middle_y, middle_x + across, middle_y + down, axis.colour);
    const auto shift = across < -20 ? -Canvas::width(axis.name, 2) - 4 : 6;
    canvas.words(axis.name, std::lround(middle_x + across) + shift, std::lround(middle_y + down) - 7, 2, axis.colour);
  }
  letters(canvas, x, y, kPanel, kPanel, plane.right, plane.down);  // last: nothing may hide them
}

void draw_xray(Canvas& canvas, const NominalViews& nominal, Plane plane, std::int64_t x, std::int64_t y) {
  const std::int64_t height = nominal.xrays.size(0), half = nominal.xrays.size(1) / 2;
  canvas.image(nominal.xrays.narrow(1, plane == Plane::ap ? 0 : half, half), x, y);
  const ViewAxes axes = view_axes(nominal.frame, plane, {}, nominal.views);
  letters(canvas, x, y, half, height, axes.right, -axes.up);
  const bool ap = plane == Plane::ap;
  canvas.words(ap ? "AP" : "ML", x, y - 20, 2, kWhite);
  const Colour across = ap ? kOrange : kSkyBlue;
  canvas.words(ap ? "lateral" : "anterior", x + 6, y + 6, 1, across);
  const std::string right = ap ? "medial" : "posterior";
  canvas.words(right, x + half - Canvas::width(right, 1) - 4, y + 6, 1, across);
}

std::string numbers(const char* form, double a, double b, double c) {
  char buffer[96];
  std::snprintf(buffer, sizeof buffer, form, a, b, c);
  return buffer;
}

std::string direction_words(Vec3 v) {
  static const std::map<char, std::string> names = {
      {'R', "patient's right"}, {'L', "patient's left"}, {'A', "front"}, {'P', "back"}, {'H', "head"}, {'F', "feet"}};
  const double angle =
      degrees(std::acos(std::clamp(std::max({std::abs(v.x), std::abs(v.y), std::abs(v.z)}), 0.0, 1.0)));
  return numbers("(%+.2f, %+.2f, %+.2f)", v.x, v.y, v.z) +
         text(", ", std::lround(angle), "° from the ", names.at(patient_letter(v)));
}

}  // namespace

char patient_letter(Vec3 v) {
  const double x = std::abs(v.x), y = std::abs(v.y), z = std::abs(v.z);
  if (z >= x && z >= y) return v.z > 0 ? 'H' : 'F';
  if (y >= x) return v.y > 0 ? 'P' : 'A';
  return v.x > 0 ? 'L' : 'R';
}

std::vector<std::string> facts(const NominalViews& nominal) {
  const BoneFrame& found = nominal.frame;
  const BoneFrame frame = viewed_frame(found, nominal.views);
  const Grid& grid = nominal.volume.grid;
  const std::string named = to_text(nominal.named_side), shape = to_text(found.side_by_shape);
  std::string side = text("side      ", to_text(found.side), " (named ", named, ", by its shape ", shape, ")");
  if (nominal.named_side != Side::unknown && found.side_by_shape != Side::unknown && named != shape)
    side += " - THEY DISAGREE: is the volume mirrored or the name wrong?";
  std::vector<std::string> lines = {
      nominal.name,
      text("volume    ", grid.size[0], " x ", grid.size[1], " x ", grid.size[2], " voxels, ",
           numbers("%.3g x %.3g x %.3g mm", grid.spacing.x, grid.spacing.y, grid.spacing.z), ", stored towards ",
           patient_letter(grid.direction.column[0]), patient_letter(grid.direction.column[1]),
           patient_letter(grid.direction.column[2])),
      text("bone      ", std::lround(found.length), " mm long",
           found.head_radius > 0 ? numbers(", head radius %.1f mm", found.head_radius, 0, 0) : std::string()),
      side,
      found.side == Side::right ? "mirrored  no: AP as seen from the front, like every right bone"
                                : "mirrored  yes: a left bone is shown mirrored, so that it looks like a right one",
      text("found by  ", found.found_by, "; views about the ", nominal.views.text("axes"), " axes"),
      text("medial    ", direction_words(frame.medial)),
      text("anterior  ", direction_words(frame.anterior)),
      text("proximal  ", direction_words(frame.proximal))};
  if (found.hip_centre && found.knee_centre) {
    const Vec3 mechanical = normalised(*found.hip_centre - *found.knee_centre);
    const double angle = degrees(std::acos(std::clamp(dot(mechanical, found.proximal), -1.0, 1.0)));
    lines.push_back(numbers("mechanical axis %.1f° from the shaft's", angle, 0, 0));
  }
  lines.push_back(text("AP        beam from front to back; right in the image is medial, the patient's ",
                       patient_letter(view_axes(found, Plane::ap, {}, nominal.views).right)));
  lines.push_back(text("ML        beam from medial to lateral; right in the image is posterior, the patient's ",
                       patient_letter(view_axes(found, Plane::ml, {}, nominal.views).right)));
  lines.push_back(numbers("X-rays    %.3g mm a pixel at the isocentre, magnification %.3f at the detector",
                          pixel_spacing(found, nominal.views), magnification(nominal.views), 0));
  return lines;
}

at::Tensor picture(const NominalViews& nominal) {
  const auto lines = facts(nominal);
  const BoneFrame frame = viewed_frame(nominal.frame, nominal.views);
  const std::int64_t half = nominal.xrays.size(1) / 2;
  const std::int64_t below = kMargin + std::max(kPanel, nominal.xrays.size(0)) + 14;
  Canvas canvas(below + 20 * static_cast<std::int64_t>(lines.size()) + 6,
                3 * (kPanel + kGap) + 2 * (half + kGap) + kGap);

  Vec3 low{1e30, 1e30, 1e30}, high = -low;
  for (int which = 0; which < 8; ++which) {
    const Vec3 c = corner(nominal.volume.grid, which);
    for (int axis = 0; axis < 3; ++axis) {
      low[axis] = std::min(low[axis], c[axis]);
      high[axis] = std::max(high[axis], c[axis]);
    }
  }
  const Vec3 extent = high - low;
  // A slice is centred on the bone, so twice the larger half must fit; volumes are cropped to about the bone.
  const auto spacing = [&](double a, double b) { return 1.15 * std::max(a, b) / static_cast<double>(kPanel); };
  const std::vector<Plane2d> slices = {
      {"axial, from the feet", frame.origin, {1, 0, 0}, {0, 1, 0}, spacing(extent.x, extent.y)},
      {"coronal, from the front", frame.origin, {1, 0, 0}, {0, 0, -1}, spacing(extent.x, extent.z)},
      {"sagittal, from the left", frame.origin, {0, 1, 0}, {0, 0, -1}, spacing(extent.y, extent.z)}};
  std::int64_t x = kGap;
  for (const Plane2d& plane : slices) {
    draw_slice(canvas, nominal, frame, plane, x, kMargin);
    x += kPanel + kGap;
  }
  draw_xray(canvas, nominal, Plane::ap, x, kMargin);
  draw_xray(canvas, nominal, Plane::ml, x + half + kGap, kMargin);
  for (std::size_t i = 0; i < lines.size(); ++i)
    canvas.words(lines[i], kGap, below + 20 * static_cast<std::int64_t>(i), 2, i == 0 ? kWhite : kGrey);
  return canvas.pixels();
}

}  // namespace osteon::imaging
