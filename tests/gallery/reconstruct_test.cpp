// From a run to a bone's surface, as a colleague would: two X-rays in, a mesh and a picture out. The bones are phantoms
// of the run, from scans that its methods have not learnt from, so that the true surfaces are known.

#include "imaging/bone_frame.hpp"
#include "pipeline/misfit.hpp"
#include "place.hpp"
#include "training/weights.hpp"

#include <ATen/ATen.h>
#include <nlohmann/json.hpp>

namespace osteon {
namespace {

namespace fs = std::filesystem;

constexpr const char* kShapes = R"(
title = "Shapes"
[source]
plugin = "phantom"
bones = 10
acquisitions = 2
spacing = 4.0
[surface]
plugin = "isosurface"
triangles = 4000
[renderer]
plugin = "joseph"
[crop]
outside = "air"
[views]
height = 128
field_of_view = 600
gallery = "random"
gallery_poses = 4
query_poses = 1
drawn_axial = 5
drawn_tilt = 3
drawn_in_plane = 5
[film]
energies = [60]
minimum = 0
maximum = 1.8
[split]
held_out = 3
[backbone]
plugin = "raw_pixels"
rows = 32
[head]
pairs = 0
whitening = true
[loss]
plugin = "triplet"
[training]
epochs = 0
threads = 1
precision = "fp32"
[control]
poses = 0
[grad_cam]
images = 0
[shape.nearest]
[shape.ssm]
triangles = 1500
[metric.shape_error]
samples = 1000
pictures = 0
[reporter.files]
)";

class Reconstruct : public ::testing::Test {
 public:
  static void SetUpTestSuite() {
    if (place_ != nullptr) return;
    place_ = new test::Workplace;  // for all tests of the program; removed by the last of them
    std::atexit([] { delete place_; });
    std::ofstream(folder() / "shapes.toml") << kShapes;
    const auto made = osteon("run shapes.toml");
    ASSERT_EQ(made.code, 0) << made.err << made.out;
    run_ = "runs/" + test::only_run(*place_).filename().string();
    ASSERT_EQ(osteon("render shapes.toml --png xrays").code, 0);
    ASSERT_EQ(osteon("export open3d shapes.toml --surfaces stl --out true").code, 0);
  }

 protected:
  static test::Workplace::Outcome osteon(const std::string& arguments) { return place_->osteon(arguments); }
  static const fs::path& folder() { return place_->folder(); }
  static const std::string& run() { return run_; }
  static bool has(const std::string& words, const std::string& part) { return words.find(part) != std::string::npos; }

  /// The X-rays of a bone's second scan.
  static std::string montage(int bone) { return text("xrays/phantom-00", bone, "-2/00000.png"); }
  static std::string asked(int bone) { return text("reconstruct --model ", run(), " --montage ", montage(bone)); }

  static host::FormatHandle format(const std::string& name) {
    static host::Registry registry({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
    const auto& plugin = registry.find("format", name);
    return {plugin, Parameters(plugin.schema, {})};
  }
  static Mesh surface(const fs::path& file) { return format("open3d").read_mesh(folder() / file); }
  static at::Tensor grey(const fs::path& file) {
    return format("itk").read_radiograph(folder() / file).intensity.mul(255).round().to(at::kByte);
  }
  /// Writes the halves of a montage as AP.png and ML.png, or the other way round.
  static void write_pair(int bone, const std::string& left, const std::string& right) {
    const at::Tensor both = grey(montage(bone));
    const std::int64_t half = both.size(1) / 2;
    write_png(folder() / left, both.slice(1, 0, half).contiguous());
    write_png(folder() / right, both.slice(1, half).contiguous());
  }

 private:
  static inline test::Workplace* place_ = nullptr;
  static inline std::string run_;
};

/// mm, root mean square from a surface's vertices to the nearest ones of another, each in its own axes.
double rms_between(const Mesh& from, const Mesh& to) {
  const auto in_own_axes = [](const Mesh& mesh) {
    return imaging::in_bone_frame(mesh, imaging::find_bone_frame(mesh, Side::unknown)).vertices;
  };
  const at::Tensor nearest = std::get<0>(at::cdist(in_own_axes(from), in_own_axes(to)).min(1));
  return nearest.square().mean().sqrt().item<double>();
}

TEST_F(Reconstruct, MakesASurfaceNearTheTrueOne) {
  const auto outcome = osteon(asked(3) + " --out near");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out, "method     ssm · learnt from 10 bones and 40 X-ray pairs\n")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, " mm RMS over 3 bones that the run held out")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, " (3 pairs)\n")) << outcome.out;
  EXPECT_FALSE(has(outcome.out, "WARNING")) << outcome.out;
  EXPECT_EQ(test::read(folder() / "near/xrays.png").substr(1, 3), "PNG");
  const Mesh made = surface("near/bone.stl"), truth = surface("true/phantom-003/acquisition-2.stl");
  const Mesh other = surface("true/phantom-004/acquisition-2.stl");
  EXPECT_LT(rms_between(made, truth), 4);
  EXPECT_LT(rms_between(made, truth), 0.75 * rms_between(other, truth));
}

TEST_F(Reconstruct, GivesTheBoneOfItsOwnSide) {
  for (const auto& [word, side] : {std::pair("left", Side::left), std::pair("right", Side::right)}) {
    const auto outcome = osteon(asked(3) + text(" --side ", word, " --out side --mesh side/", word, ".ply"));
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(has(outcome.out, text("\nside       ", word, "\n"))) << outcome.out;
    EXPECT_TRUE(has(outcome.out, text("\nmesh       side/", word, ".ply · 1500 triangles\n"))) << outcome.out;
    const Mesh bone = surface(text("side/", word, ".ply"));
    EXPECT_EQ(imaging::find_bone_frame(bone, Side::unknown).side_by_shape, side);
    EXPECT_GT(enclosed_volume(bone), 0) << "outside stays outside";
    EXPECT_LT(norm(solid_centroid(bone)), 0.1);
  }
}

TEST_F(Reconstruct, TakesRadiographsAsWellAsAMontage) {
  write_pair(3, "ap.png", "ml.png");
  const auto outcome =
      osteon(text("reconstruct --model ", run(), " ap.png ml.png --spacing 4.6875 --set xray.match=none --out pair"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_FALSE(has(outcome.out, "WARNING")) << outcome.out;
  EXPECT_LT(rms_between(surface("pair/bone.stl"), surface("true/phantom-003/acquisition-2.stl")), 5);
}

/// A picture as another machine would print it: `factor` times as many pixels to the millimetre, and a bright rod of
/// 100 mm beside the bone. Returns the rod's ends as the command line wants them.
std::string with_rod(const at::Tensor& picture, double factor, double spacing, const fs::path& file) {
  const at::Tensor image = picture.to(at::kFloat).unsqueeze(0).unsqueeze(0);
  const std::int64_t rows = std::llround(factor * static_cast<double>(picture.size(0)));
  const std::int64_t columns = std::llround(factor * static_cast<double>(picture.size(1)));
  at::Tensor large =
      at::upsample_bilinear2d(image, {rows, columns}, false).squeeze().round().to(at::kByte).contiguous();
  const std::int64_t top = rows / 3, length = std::llround(100 * factor / spacing);
  large.slice(0, top, top + length + 1).select(1, 1).fill_(255);
  write_png(file, large);
  return text("1,", top, ",1,", top + length, ",100");
}

TEST_F(Reconstruct, MarkersMakeUpForPicturesOfUnequalLength) {
  // As in two of the study's three real pairs, AP shows the bone 6 % shorter than ML.
  constexpr double kSpacing = 4.6875;
  write_pair(3, "ap.png", "ml.png");
  const std::string ap = with_rod(grey("ap.png"), 3 * 0.94, kSpacing, folder() / "rod-ap.png");
  const std::string ml = with_rod(grey("ml.png"), 3, kSpacing, folder() / "rod-ml.png");
  const std::string ask = text("reconstruct --model ", run(), " rod-ap.png rod-ml.png --set xray.match=none");
  const Mesh truth = surface("true/phantom-003/acquisition-2.stl");
  const auto marked = osteon(ask + " --ap-marker " + ap + " --ml-marker " + ml + " --out marked");
  ASSERT_EQ(marked.code, 0) << marked.err;
  EXPECT_FALSE(has(marked.out, "WARNING")) << marked.out;
  EXPECT_LT(rms_between(surface("marked/bone.stl"), truth), 5);

  // One spacing for both, which holds for ML alone: the difference is found and said.
  const auto unmarked = osteon(ask + text(" --spacing ", kSpacing / 3, " --out unmarked"));
  ASSERT_EQ(unmarked.code, 0) << unmarked.err;
  EXPECT_TRUE(has(unmarked.out, "AP and ML show bones of different size: ")) << unmarked.out;
}

TEST_F(Reconstruct, WarnsOfSwappedAndMirroredViews) {
  write_pair(3, "right.png", "left.png");
  write_png(folder() / "swapped.png", at::cat({grey("left.png"), grey("right.png")}, 1));
  write_png(folder() / "mirrored.png", at::cat({grey("right.png").flip(1), grey("left.png").flip(1)}, 1));
  const std::string ask = text("reconstruct --model ", run(), " --out doubt --montage ");
  for (const auto& [file, words] :
       {std::pair("swapped.png", "WARNING    the X-rays fit better with AP and ML swapped (outlines "),
        std::pair("mirrored.png",
                  "WARNING    the X-rays fit better mirrored, as pictures of a bone of the other side "
                  "do: is --side right? (outlines ")}) {
    const auto outcome = osteon(ask + file);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(has(outcome.out, words)) << outcome.out;
    EXPECT_TRUE(has(outcome.out, "WARNING    do not trust this surface before the picture has been looked at\n"));
  }
}

TEST_F(Reconstruct, SaysWhatIsMissing) {
  const std::string pair = " --montage " + montage(3) + " --out nothing";
  EXPECT_EQ(osteon("reconstruct --model nowhere" + pair).err,
            "nowhere: not the folder of a run that has trained (it has no model.json); of a sweep, name the folder of "
            "one point, as nowhere/01\n");
  EXPECT_EQ(osteon("reconstruct --model " + run() + " --montage no.png --out nothing").err, "no.png: no such file\n");
  EXPECT_EQ(osteon("reconstruct --model " + run() + " --out nothing").err,
            "no X-rays: give the AP and the ML radiograph, or --montage PNG\n");
  EXPECT_EQ(osteon(asked(3) + " --out nothing --shape smm").err, "--shape smm: the run has nearest, ssm\n");
  EXPECT_EQ(osteon(asked(3) + " --out nothing --mesh bone.xyz").err,
            "--mesh bone.xyz: no format is known by this ending; .stl is one\n");
  const auto picks = osteon(asked(3) + " --out nothing --shape nearest");
  EXPECT_EQ(picks.code, 2);
  EXPECT_EQ(picks.err,
            "--shape nearest: this method picks a known bone and fits none to the X-rays, so there is neither an error "
            "to tell nor an outline to show; name a method that fits a shape, or add one to the experiment and run it "
            "again\n");
  EXPECT_FALSE(fs::exists(folder() / "nothing"));
  write_pair(3, "unscaled-ap.png", "unscaled-ml.png");
  EXPECT_EQ(osteon("reconstruct --model " + run() + " unscaled-ap.png unscaled-ml.png --out nothing").err,
            "the AP radiograph has no scale (a picture carries none), and the network was trained on bones at their "
            "size in millimetres: give --spacing, mm between pixels at the bone, or --marker, the ends and the length "
            "of a marker\n");
}

TEST_F(Reconstruct, SaysThatARunHasNoShapes) {
  // A run's experiment without its shapes, which is another run with the same network.
  const fs::path copy = folder() / "without";
  fs::create_directories(copy);
  fs::copy_file(folder() / run() / "model.json", copy / "model.json");
  std::string all = test::read(folder() / run() / "experiment.toml");
  for (const std::string section : {"[shape.nearest]", "[shape.ssm]"}) {
    const std::size_t from = all.find(section);
    ASSERT_NE(from, std::string::npos) << all;
    all.erase(from, all.find("\n[", from) - from);
  }
  std::ofstream(copy / "experiment.toml") << all;
  const auto outcome = osteon("reconstruct --model without --out nothing --montage " + montage(3));
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err,
            "without: its experiment has no shape method; add one that fits X-rays, as [shape.NAME], and run it "
            "again\n");
}

TEST(Misfit, IsDoubtfulFarOutsideOfWhatHeldOutBonesHad) {
  const std::vector<pipeline::Misfit> usual{{0.8, 2.0, 2.4, 3.0}, {1.0, 3.0, 2.2, 4.0}};
  EXPECT_TRUE(pipeline::doubts_about({1.2, 3.7, 2.0, 4.9}, usual).empty());
  EXPECT_EQ(pipeline::doubts_about({1.3, 2.0, 6.5, 5.1}, usual),
            (std::vector<std::string>{
                "the outlines lie too far apart: 6.50 mm, and 2 pairs of held-out bones had at most 3.00 mm",
                "the residual is too large: 1.30 mm, and 2 pairs of held-out bones had at most 1.00 mm",
                "AP and ML show bones of different size: 5.10 %, and 2 pairs of held-out bones had at most 4.00 %"}));
  EXPECT_TRUE(pipeline::doubts_about({9, 9, 9, 9}, {}).empty()) << "there is nothing to compare with";
}

/// The figures of one row, all tables and columns.
std::string figures_of(const fs::path& run, const std::string& row) {
  std::string result;
  const auto metrics = nlohmann::json::parse(test::read(run / "metrics.json"));
  for (const auto& value : metrics.at("values"))
    if (value.at("row") == row) result += value.dump() + "\n";
  return result;
}

TEST_F(Reconstruct, MethodsAreToldWhatTheExperimentSays) {
  const auto other = [&](const std::string& settings) {
    fs::remove_all(folder() / "other");
    const auto made = osteon("run shapes.toml --runs other " + settings);
    EXPECT_EQ(made.code, 0) << made.err << made.out;
    for (const auto& entry : fs::directory_iterator(folder() / "other")) return entry.path();
    return fs::path();
  };
  const fs::path usual = other("");
  const std::string before = figures_of(usual, "ssm"), nearest = figures_of(usual, "nearest");
  ASSERT_FALSE(before.empty() || nearest.empty());
  const fs::path exact = other("--set reconstruction.told=exact");
  EXPECT_NE(figures_of(exact, "ssm"), before) << "the real poses make no difference";
  EXPECT_EQ(figures_of(exact, "nearest"), nearest) << "what fits no X-rays is told nothing";
  EXPECT_NE(figures_of(other("--set reconstruction.people=2"), "ssm"), before) << "fewer people make no difference";
}

TEST_F(Reconstruct, AModelIsAFileOfArrays) {
  const auto outcome = osteon(text("shape-model ", run(), " --shape ssm --out ssm.safetensors"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out, "safetensors.numpy.load_file(\"ssm.safetensors\")")) << outcome.out;
  const training::StateDict model = training::read_state_dict(folder() / "ssm.safetensors");
  const at::Tensor mean = model.read(*model.find("mean")), modes = model.read(*model.find("modes"));
  const at::Tensor triangles = model.read(*model.find("triangles"));
  EXPECT_EQ(mean.size(1), 3);
  EXPECT_EQ(modes.sizes().slice(1), mean.sizes());
  const Mesh bone{mean.clone(), triangles.clone()};
  bone.check();
  EXPECT_EQ(open_edges(bone), 0);
  EXPECT_EQ(model.read(*model.find("generalisation")).size(0), 10) << "one a bone";
  EXPECT_EQ(osteon(text("shape-model ", run(), " --shape nearest --out none.safetensors")).err,
            "--shape nearest: this method keeps no model; name one that learns how shapes vary\n");
  EXPECT_EQ(osteon(text("shape-model ", run(), " --shape what --out none.safetensors")).err,
            "--shape what: the run has nearest, ssm\n");
  EXPECT_FALSE(fs::exists(folder() / "none.safetensors"));
}

}  // namespace
}  // namespace osteon
