#include "imaging/surface_view.hpp"

#include "imaging/bone_frame.hpp"
#include "imaging/canvas.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace osteon::imaging {

namespace {

constexpr int kFiner = 3;  // samples a pixel each way

Vec3 vertex_of(const Mesh& mesh, std::int64_t index) {
  const float* p = mesh.vertices.data_ptr<float>() + 3 * index;
  return {p[0], p[1], p[2]};
}

/// Unit normals of the vertices: the mean of their triangles' normals, weighted by area.
std::vector<Vec3> vertex_normals(const Mesh& mesh) {
  std::vector<Vec3> normals(static_cast<std::size_t>(mesh.vertices.size(0)));
  const auto* corner = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t t = 0; t < mesh.triangles.size(0); ++t, corner += 3) {
    const Vec3 a = vertex_of(mesh, corner[0]);
    const Vec3 normal = cross(vertex_of(mesh, corner[1]) - a, vertex_of(mesh, corner[2]) - a);
    for (int k = 0; k < 3; ++k) {
      Vec3& sum = normals[static_cast<std::size_t>(corner[k])];
      sum = sum + normal;
    }
  }
  for (Vec3& normal : normals)
    if (norm(normal) > 0) normal = normalised(normal);
  return normals;
}

/// Light from a lamp over the eye's left shoulder, and some from everywhere. What is seen faces the eye, whichever way
/// its corners run.
double light(Vec3 normal, const SurfaceCamera& camera) {
  constexpr double kEverywhere = 0.4;
  const Vec3 lamp = normalised(camera.towards_eye + camera.up * 0.45 - camera.right * 0.55);
  const double lit = dot(normal, lamp) * (dot(normal, camera.towards_eye) < 0 ? -1 : 1);
  return kEverywhere + (1 - kEverywhere) * std::max(0.0, lit);
}

/// A corner in the picture: samples to the right and down, mm towards the eye, and its lit colour.
struct Corner {
  double x, y, depth;
  Rgb colour;
};

std::vector<Corner> corners_of(const Mesh& mesh, const std::vector<Rgb>& colours, const SurfaceCamera& camera) {
  const std::vector<Vec3> normals = vertex_normals(mesh);
  const double samples_per_mm = kFiner / camera.millimetres_per_pixel;
  std::vector<Corner> corners;
  for (std::size_t i = 0; i < normals.size(); ++i) {
    const Vec3 p = vertex_of(mesh, static_cast<std::int64_t>(i));
    const double lit = light(normals[i], camera);
    corners.push_back({kFiner * camera.width / 2.0 + (dot(p, camera.right) - camera.centre_right) * samples_per_mm,
                       kFiner * camera.height / 2.0 - (dot(p, camera.up) - camera.centre_up) * samples_per_mm,
                       dot(p, camera.towards_eye),
                       {lit * colours[i][0], lit * colours[i][1], lit * colours[i][2]}});
  }
  return corners;
}

/// Samples with the depth of what each shows.
struct Samples {
  int width, height;
  std::vector<Rgb> colour;
  std::vector<double> depth;

  Samples(int w, int h, Rgb ground)
      : width(w),
        height(h),
        colour(static_cast<std::size_t>(w) * static_cast<std::size_t>(h), ground),
        depth(colour.size(), -std::numeric_limits<double>::infinity()) {}
};

/// Twice the signed area of the triangle a, b, (x, y).
double edge(const Corner& a, const Corner& b, double x, double y) {
  return (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x);
}

void draw(const Corner& a, const Corner& b, const Corner& c, Samples& samples) {
  const double area = edge(a, b, c.x, c.y);
  if (area == 0) return;
  const auto [left, right] = std::minmax({a.x, b.x, c.x});
  const auto [top, bottom] = std::minmax({a.y, b.y, c.y});
  const int first_row = std::max(0, static_cast<int>(std::ceil(top - 0.5)));
  const int last_row = std::min(samples.height - 1, static_cast<int>(std::floor(bottom - 0.5)));
  const int first_column = std::max(0, static_cast<int>(std::ceil(left - 0.5)));
  const int last_column = std::min(samples.width - 1, static_cast<int>(std::floor(right - 0.5)));
  for (int row = first_row; row <= last_row; ++row)
    for (int column = first_column; column <= last_column; ++column) {
      const double x = column + 0.5, y = row + 0.5;
      const double of_a = edge(b, c, x, y) / area, of_b = edge(c, a, x, y) / area, of_c = edge(a, b, x, y) / area;
      if (of_a < 0 || of_b < 0 || of_c < 0) continue;
      const double depth = of_a * a.depth + of_b * b.depth + of_c * c.depth;
      const auto at =
          static_cast<std::size_t>(row) * static_cast<std::size_t>(samples.width) + static_cast<std::size_t>(column);
      if (depth <= samples.depth[at]) continue;
      samples.depth[at] = depth;
      for (std::size_t k = 0; k < 3; ++k)
        samples.colour[at][k] = of_a * a.colour[k] + of_b * b.colour[k] + of_c * c.colour[k];
    }
}

/// Each pixel the mean of its samples.
at::Tensor pixels_of(const Samples& samples) {
  const at::Tensor fine =
      at::from_blob(const_cast<Rgb*>(samples.colour.data()),
                    {samples.height / kFiner, kFiner, samples.width / kFiner, kFiner, 3}, at::kDouble);
  return fine.mean(at::IntArrayRef{1, 3}).mul(255).round().clamp(0, 255).to(at::kByte).contiguous();
}

}  // namespace

std::pair<SurfaceCamera, SurfaceCamera> upright_cameras(const Mesh& mesh) {
  Vec3 up{0, 0, 1}, front{0, -1, 0};  // patient coordinates: towards the head and the front
  try {
    const BoneFrame frame = find_bone_frame(mesh, Side::unknown);
    up = frame.proximal;
    front = frame.anterior;
  } catch (const Error&) {
    // No long bone: the patient's own axes do.
  }
  SurfaceCamera from_front{cross(up, front), up, front}, from_side{-front, up, cross(up, front)};
  return {from_front, from_side};
}

SurfaceCamera fitted(SurfaceCamera camera, const std::vector<const Mesh*>& meshes, int height) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  double left = kFar, right = -kFar, bottom = kFar, top = -kFar;
  for (const Mesh* mesh : meshes)
    for (std::int64_t i = 0; i < mesh->vertices.size(0); ++i) {
      const double x = dot(vertex_of(*mesh, i), camera.right), y = dot(vertex_of(*mesh, i), camera.up);
      left = std::min(left, x), right = std::max(right, x);
      bottom = std::min(bottom, y), top = std::max(top, y);
    }
  camera.centre_right = (left + right) / 2;
  camera.centre_up = (bottom + top) / 2;
  camera.height = height;
  camera.millimetres_per_pixel = std::max(top - bottom, 1e-3) * 1.04 / height;
  const double width = std::ceil((right - left) / camera.millimetres_per_pixel + 0.04 * height);
  camera.width = static_cast<int>(std::clamp(width, 1.0, 2.0 * height));
  return camera;
}

at::Tensor draw_surface(const Mesh& mesh, const std::vector<Rgb>& colours, const SurfaceCamera& camera) {
  const double ground = kGround / 255.0;
  Samples samples(kFiner * camera.width, kFiner * camera.height, {ground, ground, ground});
  const std::vector<Corner> corners = corners_of(mesh, colours, camera);
  const auto* index = mesh.triangles.data_ptr<std::int32_t>();
  const auto corner = [&](std::int64_t i) { return corners[static_cast<std::size_t>(index[i])]; };
  for (std::int64_t i = 0; i < mesh.triangles.numel(); i += 3) draw(corner(i), corner(i + 1), corner(i + 2), samples);
  return pixels_of(samples);
}

Rgb viridis(double share) {
  static constexpr int kAnchors[17] = {0x440154, 0x48186a, 0x472d7b, 0x424086, 0x3b528b, 0x33638d,
                                       0x2c728e, 0x26828e, 0x21918c, 0x1fa088, 0x28ae80, 0x3fbc73,
                                       0x5ec962, 0x84d44b, 0xaddc30, 0xd8e219, 0xfde725};
  const double place = std::clamp(share, 0.0, 1.0) * 16;
  const int below = std::min(15, static_cast<int>(place));
  Rgb colour{};
  for (int k = 0; k < 3; ++k) {
    const int low = kAnchors[below] >> (16 - 8 * k) & 255, high = kAnchors[below + 1] >> (16 - 8 * k) & 255;
    colour[static_cast<std::size_t>(k)] = std::lerp(low, high, place - below) / 255;
  }
  return colour;
}

}  // namespace osteon::imaging
