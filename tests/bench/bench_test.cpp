// `osteon bench`, run as a user would: every kind gives figures, in a file that Google Benchmark's compare.py reads.

#include "pipeline/command.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <set>
#include <sstream>

namespace osteon::test {
namespace {

using Json = nlohmann::json;

constexpr const char* kQuick = " --min-time 0.0001 --threads 1";

bool is_built(const std::string& plugin) {
  return fs::exists(fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins" / (plugin + ".so"));
}

std::vector<Json> rows_of(const Json& file, const std::string& type, const std::string& aggregate = "") {
  std::vector<Json> rows;
  for (const Json& row : file.at("benchmarks"))
    if (row.at("run_type") == type && (aggregate.empty() || row.at("aggregate_name") == aggregate)) rows.push_back(row);
  return rows;
}

std::set<std::string> names_of(const std::vector<Json>& rows) {
  std::set<std::string> names;
  for (const Json& row : rows) names.insert(row.at("name"));
  return names;
}

/// What compare.py looks at, and what is ours.
void expect_figures(const Json& row) {
  SCOPED_TRACE(row.dump());
  EXPECT_FALSE(row.contains("error_occurred"));
  EXPECT_EQ(row.at("run_name"), row.at("name"));
  EXPECT_GT(row.at("iterations"), 0);
  EXPECT_GT(row.at("real_time"), 0);
  EXPECT_GT(row.at("cpu_time"), 0);
  EXPECT_EQ(row.at("time_unit"), "us");
  EXPECT_GT(row.at("items_per_second"), 0);
  EXPECT_GE(row.at("memory"), 0);
  EXPECT_NE(row.at("label"), "");
}

struct KindCase {
  std::string plugin, options, size;
  std::set<std::string> works;
};

class EveryKind : public testing::TestWithParam<KindCase> {};

TEST_P(EveryKind, IsMeasuredAtTwoSizesThatAreFitted) {
  const auto& [plugin, options, size, works] = GetParam();
  if (!is_built(plugin)) GTEST_SKIP() << plugin << " is not in this build";
  const Workplace place;
  const auto outcome = place.osteon("bench " + plugin + " " + options + kQuick + " --json figures.json");
  ASSERT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_TRUE(outcome.out.ends_with("\nwritten    figures.json\n")) << outcome.out;
  const Json file = Json::parse(read(place.folder() / "figures.json"));
  std::set<std::string> expected, big_o, rms;
  for (const std::string& work : works) {
    const std::string name = plugin + "/" + work;
    const auto sizes = options.substr(options.rfind(' ') + 1);
    for (const std::string& one : {sizes.substr(0, sizes.find(',')), sizes.substr(sizes.find(',') + 1)})
      expected.insert(name + "/" + size + ":" + one);
    big_o.insert(name + "_BigO");
    rms.insert(name + "_RMS");
  }
  const auto runs = rows_of(file, "iteration");
  EXPECT_EQ(names_of(runs), expected);
  for (const Json& row : runs) expect_figures(row);
  EXPECT_EQ(names_of(rows_of(file, "aggregate", "BigO")), big_o);
  EXPECT_EQ(names_of(rows_of(file, "aggregate", "RMS")), rms);
  for (const Json& row : rows_of(file, "aggregate", "BigO"))
    for (const char* field : {"cpu_coefficient", "real_coefficient", "big_o", "time_unit"})
      EXPECT_TRUE(row.contains(field)) << field;
  for (const Json& row : rows_of(file, "aggregate", "RMS")) EXPECT_TRUE(row.contains("rms"));
}

INSTANTIATE_TEST_SUITE_P(
    Bench, EveryKind,
    testing::Values(KindCase{"source/phantom", "--set spacing=8 --sizes 1,2", "acquisitions", {"acquire"}},
                    KindCase{"format/itk", "--sizes 8,16", "side", {"write_volume", "read_volume"}},
                    KindCase{"format/open3d", "--sizes 8,16", "side", {"write_surface", "read_surface"}},
                    KindCase{"surface/isosurface", "--sizes 24,32", "side", {"extract"}},
                    KindCase{"renderer/joseph", "--sizes 8,16", "side", {"prepare", "project"}},
                    KindCase{"renderer/torch", "--sizes 8,16", "side", {"prepare", "project", "gradient"}},
                    KindCase{"backbone/resnet", "--set width=0.125 --sizes 1,2", "images", {"embed", "train"}},
                    KindCase{"loss/triplet", "--sizes 8,16", "images", {"step"}},
                    KindCase{"classifier/knn", "--sizes 40,80", "gallery", {"fit", "predict"}},
                    KindCase{"shape/nearest", "--sizes 2,4", "bones", {"fit", "predict"}},
                    KindCase{"metric/retrieval", "--sizes 80,160", "images", {"evaluate"}},
                    KindCase{"metric/surface_distance", "--set samples=1000 --sizes 1,2", "bones", {"evaluate"}},
                    KindCase{"reporter/files", "--sizes 1,10", "figures", {"report"}}),
    [](const auto& tested) {
      std::string name = tested.param.plugin;
      std::ranges::replace(name, '/', '_');
      return name;
    });

class Bench : public testing::Test {
 protected:
  /// Exit code 2, this message and nothing on standard output.
  void expect_refusal(const std::string& words, const std::string& message) const {
    const auto outcome = place.osteon("bench " + words);
    EXPECT_EQ(outcome.code, 2) << words;
    EXPECT_EQ(outcome.err, message + "\n") << words;
    EXPECT_EQ(outcome.out, "") << words;
  }

  Workplace place;
};

TEST_F(Bench, WritesTheContextThatToolsRead) {
  ASSERT_EQ(place.osteon(std::string("bench loss/triplet --set margin=0.2 --sizes 8") + kQuick + " --json a.json").code,
            0);
  const Json context = Json::parse(read(place.folder() / "a.json")).at("context");
  for (const char* field : {"date", "host_name", "executable", "num_cpus", "mhz_per_cpu", "caches", "load_avg",
                            "library_build_type", "osteon", "processor", "BLAS"})
    EXPECT_TRUE(context.contains(field)) << field;
  EXPECT_EQ(context.at("threads"), "1");
  const std::string plugin = context.at("loss/triplet");
  EXPECT_TRUE(plugin.starts_with("0.1.0, build ") && plugin.ends_with("; margin=0.2")) << plugin;
}

TEST_F(Bench, PrintsATableWithoutNoise) {
  const auto outcome = place.osteon(std::string("bench loss/triplet --sizes 8,16") + kQuick);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  std::istringstream lines(outcome.out);
  std::vector<std::string> first_words;
  for (std::string line; std::getline(lines, line);) {
    const std::string word = line.substr(0, line.find(' '));
    if (!word.empty() && word[0] != '-') first_words.push_back(word);
  }
  EXPECT_EQ(first_words, (std::vector<std::string>{"Benchmark", "loss/triplet/step/images:8",
                                                   "loss/triplet/step/images:16", "loss/triplet/step"}))
      << outcome.out;
  EXPECT_TRUE(std::regex_search(
      outcome.out,
      std::regex(
          "\nloss/triplet/step (takes|grows as) [0-9.]+ [nµm]*s( · [^,]*| at any N), N images; misfit [0-9]+ %\n")))
      << outcome.out;
  for (const char* column : {"Time", "CPU", "Iterations", "items_per_second", "memory"})
    EXPECT_NE(outcome.out.find(column), std::string::npos) << column;
}

TEST_F(Bench, HoldsOnePluginAgainstAnother) {
  const auto outcome =
      place.osteon(std::string("bench loss/triplet --against contrastive --sizes 8,16 --repetitions 3") + kQuick +
                   " --json both.json");
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto table = outcome.out.substr(outcome.out.find("\n\n") + 2);
  EXPECT_TRUE(
      table.starts_with("                            loss/triplet              loss/contrastive          ratio\n"))
      << table;
  for (const char* line : {"\nstep images:8 ", "\nstep images:16 ",
                           "\nratio: how many times as long loss/contrastive takes as loss/triplet; "})
    EXPECT_NE(outcome.out.find(line), std::string::npos) << line;
  const Json file = Json::parse(read(place.folder() / "both.json"));
  const auto runs = rows_of(file, "iteration");
  EXPECT_EQ(runs.size(), 12u);
  EXPECT_EQ(names_of(runs),
            (std::set<std::string>{"loss/triplet/step/images:8", "loss/triplet/step/images:16",
                                   "loss/contrastive/step/images:8", "loss/contrastive/step/images:16"}));
  EXPECT_EQ(rows_of(file, "aggregate", "median").size(), 4u);
}

TEST_F(Bench, HoldsAPluginAgainstItselfWithOtherParameters) {
  const auto outcome =
      place.osteon("bench loss/triplet --set margin=0.2 --against loss/triplet --against-set margin=1 --list");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "loss/triplet(margin=0.2)/step/images:16\nloss/triplet(margin=0.2)/step/images:64\n"
            "loss/triplet(margin=0.2)/step/images:256\nloss/triplet(margin=1)/step/images:16\n"
            "loss/triplet(margin=1)/step/images:64\nloss/triplet(margin=1)/step/images:256\n");
}

TEST_F(Bench, MeasuresAllPluginsOfAKindAndSaysWhatItLeavesOut) {
  const auto outcome = place.osteon("bench source --list");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "source/phantom/acquire/acquisitions:1\nsource/phantom/acquire/acquisitions:2\n"
            "source/phantom/acquire/acquisitions:4\n");
  if (is_built("source/radiographs")) {
    EXPECT_NE(outcome.err.find("left out   source/radiographs: works on given data: osteon bench source/radiographs "
                               "--set path=… --set table=…\n"),
              std::string::npos)
        << outcome.err;
  }
}

TEST_F(Bench, FiltersByName) {
  EXPECT_EQ(place.osteon("bench classifier/knn --filter 'fit.*:[12]00$' --list").out,
            "classifier/knn/fit/gallery:100\nclassifier/knn/fit/gallery:200\n");
}

TEST_F(Bench, ShowsAFailureOfThePluginInItsRow) {
  // Fewer than the two bones that a model of shape needs can be made by no size; a bone that fills too few voxels can.
  const auto outcome = place.osteon(std::string("bench surface/isosurface --set threshold=3000 --sizes 24") + kQuick);
  EXPECT_EQ(outcome.code, 1) << outcome.out;
  EXPECT_NE(outcome.out.find("ERROR OCCURRED: 'surface/isosurface: "), std::string::npos) << outcome.out;
}

TEST_F(Bench, RefusesWhatIsNoPlugin) {
  expect_refusal("los",
                 "\"los\" is no kind of plugin; did you mean \"loss\"? There are: source, format, surface, renderer, "
                 "backbone, loss, classifier, shape, metric, reporter");
  const auto outcome = place.osteon("bench loss/tripet");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(outcome.err.starts_with("no loss plugin \"tripet\"; did you mean \"triplet\"? There are: "))
      << outcome.err;
  expect_refusal("source/radiographs --set table=a.csv",
                 "source/radiographs: works on given data: osteon bench source/radiographs --set path=…");
}

TEST_F(Bench, RefusesWrongParameters) {
  expect_refusal("loss/triplet --set margn=0.2 --set margin=9",
                 "--set margn=0.2: loss.margn: unknown parameter of loss/triplet; did you mean \"margin\"?\n"
                 "--set margin=9: loss.margin: 9 is not at most 4\n"
                 "2 mistakes, nothing was run");
  expect_refusal("loss/triplet --set margin",
                 "--set margin: must be NAME=VALUE, e.g. --set margin=0.2\n"
                 "1 mistake, nothing was run");
  expect_refusal("loss --set margin=0.2",
                 "--set margin=0.2: needs one plugin to be named: osteon bench loss/NAME --set margin=0.2");
}

TEST_F(Bench, RefusesWrongSizesAndFilters) {
  expect_refusal("loss/triplet --sizes 8,x", "--sizes x: expected whole numbers from 1 on, as in --sizes 16,64,256");
  expect_refusal("loss/triplet --sizes 0", "--sizes 0: expected whole numbers from 1 on, as in --sizes 16,64,256");
  expect_refusal("loss/triplet --sizes 2,8", "--sizes 2: loss/triplet is measured with 4 to 8192 images");
  expect_refusal("loss/triplet --filter '('", "--filter (: is no regular expression (POSIX extended)");
  expect_refusal("loss/triplet --filter fit", "--filter fit: matches no benchmark; one is loss/triplet/step/images:16");
  expect_refusal("loss/triplet --json nowhere/a.json",
                 "nowhere/a.json: cannot write; is its folder there and writable?");
}

TEST_F(Bench, RefusesComparisonsOfUnlikeOrEqualPlugins) {
  expect_refusal("loss/triplet --against classifier/knn",
                 "--against classifier/knn: expected another loss, to be held against loss/triplet");
  expect_refusal("loss/triplet --against loss/triplet",
                 "--against loss/triplet: is the same plugin with the same parameters; give one of them another value "
                 "with --set or --against-set");
  expect_refusal("loss --against loss/triplet",
                 "--against loss/triplet: needs one plugin to be named: osteon bench "
                 "loss/NAME --against loss/triplet");
}

}  // namespace
}  // namespace osteon::test
