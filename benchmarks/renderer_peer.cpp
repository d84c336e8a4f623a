// Our side of `scripts/peers renderer`: what the other program does, on the same volume, with the same geometry, and
// what a run does beyond it. One task a call; prints seconds (or megabytes) and nothing else, so that a script can
// alternate between the two programs.
//
//     renderer-peer volume FOLDER        write the volume as MetaImage (vol.mhd, vol.raw) for the peer
//     renderer-peer projections N        N projections around the long axis, both materials: seconds each
//     renderer-peer projections-noisy N  the same with noise in each voxel, as in a CT: nothing is uniform but the air
//     renderer-peer projections-oblique N  the same, the detector's axes along none of the volume's
//     renderer-peer grid FOLDER          1,800 finished X-rays of the study's grid, stored raw: seconds
//     renderer-peer grid-without-roll FOLDER   the same, each exposure projected by itself
//     renderer-peer png FOLDER           60 montages as PNG files: seconds
//     renderer-peer memory               peak resident megabytes of this process after a projection, and the volume's
//     renderer-peer memory-grid FOLDER   the same after the grid
//
// The volume: 200 × 200 × 400 voxels of 0.4 mm, a long bone with marrow in a cylinder of soft tissue in air. The
// detector has 800 rows (along the bone) of 400 pixels, 0.2 mm at the isocentre, the source at 1,000 mm.

#include "host/registry.hpp"
#include "imaging/imaging.hpp"

#include <osteon/png.hpp>
#include <osteon/random.hpp>

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <thread>

namespace osteon {
namespace {

namespace fs = std::filesystem;

constexpr double kSpacing = 0.4, kPixel = 0.2, kSource = 1000, kDetector = 1500;
constexpr std::int64_t kRows = 800, kColumns = 400;

Volume bone_in_tissue(double noise = 0) {
  Volume volume;
  volume.grid.size = {200, 200, 400};
  volume.grid.spacing = {kSpacing, kSpacing, kSpacing};
  volume.grid.origin = -volume.grid.centre();
  volume.hounsfield = at::empty({400, 200, 200}, at::kShort);
  auto* voxel = volume.hounsfield.data_ptr<std::int16_t>();
  Random random(1, "voxels");
  for (int k = 0; k < 400; ++k)
    for (int j = 0; j < 200; ++j)
      for (int i = 0; i < 200; ++i) {
        const Vec3 p = volume.grid.to_patient({1.0 * i, 1.0 * j, 1.0 * k});
        const double r = std::hypot(p.x, p.y), thick = 8 + 6 * std::pow(p.z / 80, 2);
        const double value = r > 36 ? -1000 : r > thick ? 40 : r > thick - 3 ? 1500 : 100;
        *voxel++ = static_cast<std::int16_t>(noise > 0 && r <= 36 ? std::lround(random.normal(value, noise)) : value);
      }
  return volume;
}

imaging::BoneFrame bone_frame() { return {{0, 0, 0}, {1, 0, 0}, {0, -1, 0}, {0, 0, 1}, 150}; }

host::RendererHandle joseph() {
  static host::Registry registry({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const auto& plugin = registry.find("renderer", "joseph");
  return {plugin, Parameters(plugin.schema, {})};
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// What `plastimatch drr --sad 1000 --sid 1500` sees at a gantry angle.
Projection at_gantry(double angle, const Mat3& then = {}) {
  const Mat3 turn = then * rotation({0, 0, 1}, radians(angle));
  Projection view;
  view.source = turn * Vec3{0, -kSource, 0};
  view.rows = kRows;
  view.columns = kColumns;
  const double pixel = kPixel * kDetector / kSource;
  view.column_step = turn * Vec3{pixel, 0, 0};
  view.row_step = turn * Vec3{0, 0, -pixel};
  view.first_pixel = turn * Vec3{0, kDetector - kSource, 0} - view.column_step * ((kColumns - 1) / 2.0) -
                     view.row_step * ((kRows - 1) / 2.0);
  return view;
}

void write_volume(const fs::path& folder) {
  const Volume volume = bone_in_tissue();
  std::ofstream header(folder / "vol.mhd");
  header << "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
         << "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = " << volume.grid.origin.x << ' ' << volume.grid.origin.y
         << ' ' << volume.grid.origin.z << "\nElementSpacing = 0.4 0.4 0.4\nDimSize = 200 200 400\n"
         << "ElementType = MET_SHORT\nElementDataFile = vol.raw\n";
  std::ofstream voxels(folder / "vol.raw", std::ios::binary);
  voxels.write(reinterpret_cast<const char*>(volume.hounsfield.data_ptr<std::int16_t>()),
               static_cast<std::streamsize>(volume.hounsfield.numel() * 2));
}

double time_projections(int count, double noise = 0, const Mat3& then = {}) {
  const auto handle = joseph();
  const auto projector = handle.prepare(bone_in_tissue(noise));
  (void)projector.project(std::vector<Projection>{at_gantry(3)});
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) (void)projector.project(std::vector<Projection>{at_gantry(7.0 * i, then)});
  return seconds_since(start) / count;
}

Parameters grid_views() {
  return {imaging::views_schema(),
          {{"height", kRows},
           {"field_of_view", kPixel * kRows},
           {"source_detector", kSource + 500},
           {"object_detector", 500.0}}};
}

/// Renders `poses` and writes the pixels as they come, flushed to the disk at the end.
double time_images(const fs::path& folder, const std::vector<imaging::Pose>& poses, imaging::RollReuse reuse) {
  const auto handle = joseph();
  const Volume volume = bone_in_tissue();
  const Parameters film(imaging::film_schema(), {});
  const auto start = std::chrono::steady_clock::now();
  const int file = ::open((folder / "images.raw").c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  if (file < 0) throw failure("cannot write images.raw");
  imaging::render(
      handle, volume, bone_frame(), poses, grid_views(), film, {},
      [&](std::int64_t, const at::Tensor& images) {
        const auto* from = images.data_ptr<std::uint8_t>();
        for (std::int64_t done = 0; done < images.numel();) {
          const auto count = ::write(file, from + done, static_cast<std::size_t>(images.numel() - done));
          if (count <= 0) throw failure("cannot write images.raw");
          done += count;
        }
      },
      reuse);
  ::fsync(file);
  ::close(file);
  return seconds_since(start);
}

double time_png(const fs::path& folder) {
  const auto handle = joseph();
  const Parameters film(imaging::film_schema(), {});
  auto poses = imaging::gallery_poses(grid_views());
  poses.resize(15);
  const ImageSet set = imaging::render(handle, bone_in_tissue(), bone_frame(), poses, grid_views(), film, {});
  const auto start = std::chrono::steady_clock::now();
  for (std::int64_t i = 0; i < set.pixels.size(0); ++i)
    write_png(folder / ("image" + std::to_string(i) + ".png"), set.pixels[i]);
  return seconds_since(start);
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

int run(const std::vector<std::string>& words) {
  const std::string task = words.at(0);
  const auto poses = imaging::gallery_poses(grid_views());
  double value = 0;
  if (task == "volume")
    write_volume(words.at(1));
  else if (task == "projections")
    value = time_projections(std::stoi(words.at(1)));
  else if (task == "projections-noisy")
    value = time_projections(std::stoi(words.at(1)), 20);
  else if (task == "projections-oblique")
    value = time_projections(std::stoi(words.at(1)), 0, rotation(normalised({1, 1, 0.3}), radians(25)));
  else if (task == "grid")
    value = time_images(words.at(1), poses, imaging::RollReuse::where_it_pays);
  else if (task == "grid-without-roll")
    value = time_images(words.at(1), poses, imaging::RollReuse::never);
  else if (task == "png")
    value = time_png(words.at(1));
  else if (task == "memory" || task == "memory-grid") {
    if (task == "memory")
      (void)time_projections(1);
    else
      (void)time_images(words.at(1), poses, imaging::RollReuse::where_it_pays);
    value = peak_megabytes();
  } else
    throw Error("unknown task: " + task);
  std::printf("%.5f\n", value);
  return 0;
}

}  // namespace
}  // namespace osteon

int main(int argc, char** argv) {
  try {
    at::set_num_threads(static_cast<int>(std::thread::hardware_concurrency()));  // as the command does
    return osteon::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
