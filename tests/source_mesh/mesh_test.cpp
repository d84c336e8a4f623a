#include "host/handles.hpp"

#include "../voxeliser/shapes.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace osteon {
namespace {

namespace fs = std::filesystem;
using Values = std::map<std::string, ParameterValue>;

host::SourceHandle meshes(Values given) {
  static host::Registry registry({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const auto& plugin = registry.find("source", "mesh");
  return {plugin, Parameters(plugin.schema, given)};
}

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    EXPECT_EQ(error.cause(), Error::Cause::mistake);
    return error.what();
  }
  return "no error";
}

void write_obj(const fs::path& file, const Mesh& mesh) {
  std::ofstream out(file);
  out.precision(9);
  const auto* p = mesh.vertices.data_ptr<float>();
  for (std::int64_t i = 0; i < mesh.vertices.size(0); ++i)
    out << "v " << p[3 * i] << ' ' << p[3 * i + 1] << ' ' << p[3 * i + 2] << '\n';
  const auto* c = mesh.triangles.data_ptr<std::int32_t>();
  for (std::int64_t i = 0; i < mesh.triangles.size(0); ++i)
    out << "f " << c[3 * i] + 1 << ' ' << c[3 * i + 1] + 1 << ' ' << c[3 * i + 2] + 1 << '\n';
}

class MeshSource : public testing::Test {
 protected:
  MeshSource() : folder_(fs::temp_directory_path() / text("osteon-mesh-", ::getpid())) {
    fs::create_directories(folder_);
  }
  ~MeshSource() override { fs::remove_all(folder_); }

  [[nodiscard]] host::SourceHandle source(Values given = {}) const {
    given["path"] = folder_.string();
    return meshes(given);
  }

  /// An egg of bone, 60 mm long.
  static Mesh egg() { return transformed(test::sphere(1, {}, 4), {{{{15, 0, 0}, {0, 15, 0}, {0, 0, 30}}}, {5, 6, 7}}); }

  fs::path folder_;
};

TEST_F(MeshSource, ReadsPersonAndSideFromTheFileName) {
  for (const char* name : {"z002_Femur_R.obj", "z001_Femur_L.obj", "somebody.obj", "notes.txt"})
    write_obj(folder_ / name, egg());
  const auto list = source({{"acquisitions", std::int64_t{4}}}).specimens();
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0].id, "somebody");
  EXPECT_EQ(list[0].subject, "somebody");
  EXPECT_EQ(list[0].side, Side::unknown);
  EXPECT_EQ(list[1].id, "z001_Femur_L");
  EXPECT_EQ(list[1].subject, "z001");
  EXPECT_EQ(list[1].side, Side::left);
  EXPECT_EQ(list[1].acquisitions, 4);
  EXPECT_EQ(list[2].side, Side::right);
}

TEST_F(MeshSource, VoxelisesABoneWhateverElseIsInTheFolder) {
  write_obj(folder_ / "egg.obj", egg());
  const auto first = source().acquire(source().specimens()[0], 0);
  first.volume.check();
  EXPECT_NEAR(enclosed_volume(first.truth.value()) / enclosed_volume(egg()), 1, 1e-4);
  write_obj(folder_ / "another.obj", egg());
  const auto again = source(), list = source();
  const Acquisition second = again.acquire(list.specimens()[1], 0), other = again.acquire(list.specimens()[0], 0);
  EXPECT_TRUE(first.volume.hounsfield.equal(second.volume.hounsfield));
  EXPECT_FALSE(first.volume.grid == other.volume.grid) << "two bones of one shape have acquisitions of their own";
}

TEST_F(MeshSource, DigestsTheFilesContent) {
  write_obj(folder_ / "egg.obj", egg());
  const auto list = source();
  const std::string before = list.content_digest(list.specimens()[0], 0);
  EXPECT_EQ(before.size(), 64U);
  EXPECT_EQ(before, list.content_digest(list.specimens()[0], 1));
  write_obj(folder_ / "egg.obj", test::sphere(20));
  EXPECT_NE(before, list.content_digest(list.specimens()[0], 0));
}

TEST_F(MeshSource, EachParameterChangesTheVolume) {
  write_obj(folder_ / "egg.obj", egg());
  const auto standard = source().acquire(source().specimens()[0], 0);
  for (const auto& [name, value] : Values{{"seed", std::int64_t{2}},
                                          {"bone_scale", 0.5},
                                          {"spacing", 1.5},
                                          {"blur", 1.0},
                                          {"noise", 3.0},
                                          {"surface_error", 1.0},
                                          {"tilt", 3.0}}) {
    const auto changed = source({{name, value}});
    const Acquisition other = changed.acquire(changed.specimens()[0], 0);
    EXPECT_FALSE(standard.volume.hounsfield.sizes() == other.volume.hounsfield.sizes() &&
                 standard.volume.hounsfield.equal(other.volume.hounsfield))
        << name;
  }
}

TEST_F(MeshSource, SaysWhereToGetBonesWhenTheFolderIsMissingOrEmpty) {
  const std::string get = "a public set of femurs is VSDFullBodyBoneModels, Zenodo, doi 10.5281/zenodo.8302448";
  EXPECT_EQ(message_of([&] { static_cast<void>(source().specimens()); }),
            "source/mesh: path: " + folder_.string() + " holds no surface (.ply, .stl or .obj); " + get);
  const auto missing = meshes({{"path", std::string("/nowhere/femurs")}});
  EXPECT_EQ(message_of([&] { static_cast<void>(missing.specimens()); }),
            "source/mesh: path: /nowhere/femurs is no folder; expected a folder with one closed surface a bone (.ply, "
            ".stl or "
            ".obj); " +
                get);
}

TEST_F(MeshSource, RefusesOneBadSurfaceAndListsItNevertheless) {
  Mesh open = egg();
  open.triangles = open.triangles.narrow(0, 0, open.triangles.size(0) - 1).contiguous();
  Mesh inverted = egg();
  inverted.triangles = inverted.triangles.flip(1).contiguous();
  const Mesh metres = transformed(egg(), {{{{0.001, 0, 0}, {0, 0.001, 0}, {0, 0, 0.001}}}, {}});
  const Mesh micrometres = transformed(egg(), {{{{1000, 0, 0}, {0, 1000, 0}, {0, 0, 1000}}}, {}});
  write_obj(folder_ / "inverted.obj", inverted);
  write_obj(folder_ / "metres.obj", metres);
  write_obj(folder_ / "micrometres.obj", micrometres);
  write_obj(folder_ / "open.obj", open);
  const auto list = source();
  ASSERT_EQ(list.specimens().size(), 4U);
  const auto message = [&](std::size_t bone) {
    return message_of([&] { static_cast<void>(list.acquire(list.specimens()[bone], 0)); });
  };
  const std::string where = "source/mesh: " + folder_.string() + "/";
  EXPECT_EQ(message(0), where +
                            "inverted.obj: the surface is turned inside out (its volume is negative); invert its faces "
                            "(MeshLab: Filters > Normals > Invert Faces Orientation) and try again");
  EXPECT_EQ(message(1),
            where +
                "metres.obj: the surface is 0.06 mm long; a bone has at least 5 mm; is it in metres? Scale it "
                "by 1000 and try again");
  EXPECT_EQ(message(2), where +
                            "micrometres.obj: the surface is 60000 mm long; a bone has at most 5000 mm; is it in "
                            "micrometres? Scale it by 0.001 and try again");
  EXPECT_EQ(message(3),
            where +
                "open.obj: the surface is not closed: 3 edges do not join exactly two triangles of the same "
                "orientation; close the holes (MeshLab: Filters > Remeshing > Close Holes) and try again");
}

TEST_F(MeshSource, RefusesAPatternThatCantNamePersonAndSide) {
  EXPECT_EQ(message_of([&] {
              static_cast<void>(source({{"name_pattern", std::string("(.*)")}}));
            }),
            "source/mesh: name_pattern: \"(.*)\" has 1 groups; it needs two in round brackets: the person and the "
            "side, as in "
            "([^_]+)_.*_([LR])");
  const std::string message = message_of([&] { static_cast<void>(source({{"name_pattern", std::string("([")}})); });
  EXPECT_EQ(message.find("source/mesh: name_pattern: \"([\" is no regular expression ("), 0U) << message;
}

TEST_F(MeshSource, RefusesTwoFilesOfOneName) {
  write_obj(folder_ / "egg.obj", egg());
  std::ofstream(folder_ / "egg.STL") << "solid";
  EXPECT_EQ(message_of([&] { static_cast<void>(source().specimens()); }),
            "source/mesh: path: " + folder_.string() +
                " has two files of one name, egg.STL and egg.obj; rename or remove one");
}

TEST(RealFemurs, BecomeVolumesInWhichTheyLieWholly) {
  const fs::path folder = fs::path(OSTEON_SOURCE_DIR) / "../shared/data/vsd-femurs";
  if (!fs::is_directory(folder))
    GTEST_SKIP() << "no real femurs in " << folder << " (Zenodo, doi 10.5281/zenodo.8302448)";
  const auto source = meshes({{"path", folder.string()}, {"spacing", 3.0}});
  const auto list = source.specimens();
  ASSERT_EQ(list.size(), 21U);
  EXPECT_EQ(list[0].subject, "z001");
  EXPECT_EQ(list[0].side, Side::left);
  for (const std::size_t bone : {0U, 9U}) {
    const Acquisition acquisition = source.acquire(list[bone], 0);
    const auto* p = acquisition.truth->vertices.data_ptr<float>();
    for (std::int64_t i = 0; i < acquisition.truth->vertices.size(0); ++i) {
      const Vec3 q = acquisition.volume.grid.to_index({p[3 * i], p[3 * i + 1], p[3 * i + 2]});
      for (int axis = 0; axis < 3; ++axis) {
        ASSERT_GT(q[axis], 2);
        ASSERT_LT(q[axis], static_cast<double>(acquisition.volume.grid.size[static_cast<std::size_t>(axis)]) - 3);
      }
    }
    EXPECT_GT(acquisition.volume.hounsfield.max().item<int>(), 1200);
  }
}

}  // namespace
}  // namespace osteon
