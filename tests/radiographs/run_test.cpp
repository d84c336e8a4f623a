// From pictures and a table to figures, without any CT: the pictures are X-rays of phantoms, cut into their halves.

#include "fixture.hpp"
#include "pipeline/command.hpp"

#include <fstream>

namespace osteon {
namespace {

namespace fs = std::filesystem;

const std::string kSmall =
    " --set views.height=64 --set film.energies=[60] --set split.held_out=1 --set backbone.width=0.125 --set head.dimensions=32"
    " --set training.epochs=1 --set training.classes_per_batch=3 --set training.images_per_class=3"
    " --set training.threads=1 --set training.precision=fp32";

/// The X-rays of 4 phantoms' first and last scan, as files ap-N.png and ml-N.png of a folder, and their table.
void make_pictures(const test::Workplace& workplace, const host::FormatHandle& format) {
  const auto rendered =
      workplace.osteon("render " OSTEON_SOURCE_DIR
                       "/experiments/quickstart.toml --png pngs --set source.bones=4 --set "
                       "source.spacing=4.0 --set views.axial_range=0 --set views.in_plane_range=0 --set "
                       "views.query_poses=1 --set views.drawn_axial=5" +
                       kSmall);
  ASSERT_EQ(rendered.code, 0) << rendered.err;
  std::ofstream table(workplace.folder() / "xrays.csv");
  table << "file,subject,side,view,spacing,acquisition\n";
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(workplace.folder() / "pngs"))
    if (entry.is_directory()) folders.push_back(entry.path());
  for (const fs::path& folder : folders) {
    const std::string name = folder.filename().string(), id = name.substr(0, name.size() - 2);
    const char scan = name.back();
    if (scan == '2') continue;
    const at::Tensor montage = format.read_radiograph(folder / "00000.png").intensity.mul(255).round().to(at::kByte);
    for (const std::string view : {"ap", "ml"}) {
      const std::string file = view + "-" + name + ".png";
      write_png(workplace.folder() / file,
                montage.slice(1, view == "ap" ? 0 : 32, view == "ap" ? 32 : 64).contiguous());
      table << file << "," << id << ",right," << view << "," << 600.0 / 64 << "," << (scan == '1' ? 1 : 2) << "\n";
    }
  }
}

TEST_F(Radiographs, TrainAndIdentifyWithoutAnyVolume) {
  const test::Workplace workplace;
  make_pictures(workplace, format("itk"));
  write_file(workplace.folder() / "x.toml", "extends = \"" OSTEON_SOURCE_DIR
                                            "/experiments/quickstart.toml\"\ntitle = \"Pictures\"\n[source]\nplugin = "
                                            "\"radiographs\"\npath = \".\"\ntable = \"xrays.csv\"\n");
  const auto run = workplace.osteon("run x.toml --set views.in_plane_step=3" + kSmall);
  ASSERT_EQ(run.code, 0) << run.err << run.out;
  EXPECT_NE(run.out.find("8 pairs of radiographs have no volume: no surfaces, so no row by bone length, no shapes, and "
                         "no control with the bone taken out"),
            std::string::npos)
      << run.out;
  const auto stages = test::stages(test::only_run(workplace));
  EXPECT_FALSE(stages.contains("surface"));
  EXPECT_FALSE(stages.contains("control"));
  EXPECT_EQ(stages.at("render").made, 8);
  const std::string figures = test::read(test::only_run(workplace) / "metrics.csv");
  EXPECT_NE(figures.find("fingerprint"), std::string::npos);
  EXPECT_NE(figures.find("raw pixels"), std::string::npos);
  EXPECT_EQ(figures.find("bone length"), std::string::npos);
  EXPECT_EQ(figures.find("shape"), std::string::npos);

  const auto view = workplace.osteon("view x.toml" + kSmall);
  EXPECT_EQ(view.code, 2);
  EXPECT_NE(view.err.find("is a pair of radiographs, which have no axes in space"), std::string::npos) << view.err;
}

TEST_F(Radiographs, AreShownByXrayPrepare) {
  const test::Workplace workplace;
  for (const char* name : {"ap.png", "ml.png"})
    write_png(workplace.folder() / name, drawn({}).mul(255).round().to(at::kByte));
  const auto unknown = workplace.osteon("xray prepare ap.png ml.png");
  EXPECT_EQ(unknown.code, 2);
  EXPECT_EQ(unknown.err,
            "the AP radiograph has no scale (a picture carries none), and views.scaling is \"world\": give its pixel "
            "spacing in mm at the bone, or the ends of a marker of known length, or set views.scaling to \"framed\"\n");
  const auto done = workplace.osteon("xray prepare ap.png ml.png --spacing 2 --side left --out pair.png");
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.out.find("spacing    2 mm at the bone (given)"), std::string::npos) << done.out;
  EXPECT_NE(done.out.find("montage  pair.png"), std::string::npos);
  EXPECT_EQ(format("itk").read_radiograph(workplace.folder() / "pair.png").intensity.sizes(),
            at::IntArrayRef({128, 128}));
  EXPECT_EQ(workplace.osteon("xray prepare ap.png ml.png --framed").code, 0);
}

}  // namespace
}  // namespace osteon
