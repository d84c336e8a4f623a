#pragma once

// A run that has been packed, and X-rays of bones that it has never seen: made once for all tests of the commands.

#include "host/handles.hpp"
#include "pipeline/command.hpp"

#include <osteon/png.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <memory>

namespace osteon::test {

/// Small, and yet enough that the network tells bones apart which it was not trained on.
inline constexpr const char* kExperiment = R"(
title = "Small"
[source]
plugin = "phantom"
bones = 24
acquisitions = 1
spacing = 4.0
[surface]
plugin = "isosurface"
[renderer]
plugin = "joseph"
[views]
height = 64
field_of_view = 600
axial_range = 12
axial_step = 4
in_plane_range = 0
in_plane_step = 6
[film]
energies = [60]
materials = "bone"
minimum = 0.3
maximum = 1.8
[split]
held_out = 4
[backbone]
plugin = "resnet"
depth = 18
width = 0.25
[head]
dimensions = 32
pairs = 1
[loss]
plugin = "triplet"
margin = 0.2
[training]
epochs = 24
classes_per_batch = 10
images_per_class = 4
upright = true
threads = 1
precision = "fp32"
[control]
poses = 0
[classifier.knn]
[reporter.files]
)";

inline constexpr int kScans = 2;  ///< of each bone that is asked about

/// Three other phantoms: one X-ray pair of each of their scans, with half as large pixels.
inline std::string render_arguments() {
  return "render small.toml --png xrays --set source.seed=77 --set source.bones=3 --set source.acquisitions=2 --set "
         "views.height=128"
         " --set views.axial_range=0 --set views.query_poses=1 --set views.drawn_axial=4 --set film.energies=[70]";
}

class GalleryPlace : public ::testing::Test {
 public:
  using Outcome = Workplace::Outcome;

  static void SetUpTestSuite() {
    if (place_ != nullptr) return;
    place_ = new Workplace;  // for all tests of the program; removed by the last of them
    std::atexit([] { delete place_; });
    std::ofstream(folder() / "small.toml") << kExperiment;
    const Outcome trained = osteon("run small.toml");
    ASSERT_EQ(trained.code, 0) << trained.err << trained.out;
    run_ = only_run(*place_).filename().string();
    const Outcome pack = osteon("pack runs/" + run_ + " --out model.osteon");
    ASSERT_EQ(pack.code, 0) << pack.err << pack.out;
    packed_ = pack.out;
    const Outcome render = osteon(render_arguments());
    ASSERT_EQ(render.code, 0) << render.err;
    for (const auto& entry : fs::directory_iterator(folder() / "xrays"))
      if (entry.is_directory()) cut_in_two(entry.path());
  }

 protected:
  static Outcome osteon(const std::string& arguments, const std::string& environment = "") {
    return place_->osteon(arguments, environment);
  }
  static const Workplace& place() { return *place_; }
  static const fs::path& folder() { return place_->folder(); }
  static const std::string& packed() { return packed_; }
  static const std::string& run() { return run_; }

  /// "ap-3-1.png ml-3-1.png": the X-rays of a bone's scan, 1 to 3 and 1 to `kScans`.
  static std::string xrays(int bone, int scan) {
    const std::string name = std::to_string(bone) + "-" + std::to_string(scan) + ".png";
    return "ap-" + name + " ml-" + name;
  }
  /// With their scale: 600 mm in 128 pixels.
  static std::string scaled(int bone, int scan) { return xrays(bone, scan) + " --spacing 4.6875"; }

  static std::string montage(int bone, int scan) { return text("xrays/phantom-00", bone, "-", scan, "/00000.png"); }

  static host::FormatHandle pictures() {
    static host::Registry registry({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
    const auto& plugin = registry.find("format", "itk");
    return {plugin, Parameters(plugin.schema, {})};
  }
  static at::Tensor grey(const fs::path& file) {
    return pictures().read_radiograph(file).intensity.mul(255).round().to(at::kByte);
  }

 private:
  /// xrays/phantom-002-3/00000.png → ap-2-3.png, ml-2-3.png
  static void cut_in_two(const fs::path& scan) {
    const std::string name = scan.filename().string();
    const std::size_t dash = name.rfind('-');
    const std::string to =
        std::to_string(std::stoi(name.substr(name.find('-') + 1, dash))) + name.substr(dash) + ".png";
    const at::Tensor montage = grey(scan / "00000.png");
    const std::int64_t half = montage.size(1) / 2;
    write_png(folder() / ("ap-" + to), montage.slice(1, 0, half).contiguous());
    write_png(folder() / ("ml-" + to), montage.slice(1, half).contiguous());
  }

  static inline Workplace* place_ = nullptr;
  static inline std::string packed_, run_;
};

}  // namespace osteon::test
