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
inline std::string run_arguments() {
  return "run " OSTEON_SOURCE_DIR
         "/experiments/quickstart.toml --set source.bones=10 --set source.spacing=3.0 --set split.held_out=1"
         " --set views.height=64 --set views.axial_range=8 --set views.axial_step=8 --set views.in_plane_range=6"
         " --set views.in_plane_step=6 --set views.query_poses=2 --set film.energies=[60] --set backbone.width=0.25"
         " --set head.dimensions=32 --set training.epochs=6 --set training.threads=1 --set training.precision=fp32"
         " --set training.upright=true --set control.poses=1 --set metric.shape_error.samples=1000";
}

/// Three other phantoms: one X-ray pair of each of their three scans, with half as large pixels.
inline std::string render_arguments() {
  return "render " OSTEON_SOURCE_DIR
         "/experiments/quickstart.toml --png xrays --set source.seed=77 --set source.bones=3 --set source.spacing=3.0"
         " --set views.height=128 --set views.axial_range=0 --set views.in_plane_range=0 --set views.query_poses=1"
         " --set views.drawn_axial=4 --set film.energies=[70]";
}

class GalleryPlace : public ::testing::Test {
 public:
  using Outcome = Workplace::Outcome;

  static void SetUpTestSuite() {
    if (place_ != nullptr) return;
    place_ = new Workplace;  // for all tests of the program; removed by the last of them
    std::atexit([] { delete place_; });
    const Outcome run = osteon(run_arguments());
    ASSERT_EQ(run.code, 0) << run.err << run.out;
    const Outcome pack = osteon("pack runs/" + only_run(*place_).filename().string() + " --out model.osteon");
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

  /// "ap-3-1.png ml-3-1.png": the X-rays of a bone's scan, 1 to 3 both.
  static std::string xrays(int bone, int scan) {
    const std::string name = std::to_string(bone) + "-" + std::to_string(scan) + ".png";
    return "ap-" + name + " ml-" + name;
  }
  /// With their scale: 600 mm in 128 pixels.
  static std::string scaled(int bone, int scan) { return xrays(bone, scan) + " --spacing 4.6875"; }

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
    const std::string to = std::to_string(std::stoi(name.substr(name.find('-') + 1, dash))) + name.substr(dash) + ".png";
    const at::Tensor montage = grey(scan / "00000.png");
    const std::int64_t half = montage.size(1) / 2;
    write_png(folder() / ("ap-" + to), montage.slice(1, 0, half).contiguous());
    write_png(folder() / ("ml-" + to), montage.slice(1, half).contiguous());
  }

  static inline Workplace* place_ = nullptr;
  static inline std::string packed_;
};

}  // namespace osteon::test
