// osteon weights and scripts/fetch_weights, as a user types them.

#include "pipeline/command.hpp"
#include "store/store.hpp"
#include "training/training.hpp"
#include "weights/support.hpp"

#include <osteon/digest.hpp>

namespace osteon::training {
namespace {

using test::Workplace;

TEST(WeightsCommand, InspectListsEveryTensor) {
  const Workplace place;
  const auto told = place.osteon("weights inspect " + fixture("nested.pth").string());
  EXPECT_EQ(told.code, 0) << told.err;
  EXPECT_EQ(told.out,
            "container   zip (PyTorch 1.6 or newer)\n"
            "key         state_dict\n"
            "tensors     4, 81 numbers\n"
            "  conv.weight             float32  4 × 3 × 3 × 2\n"
            "  conv.bias               float32  4\n"
            "  bn.running_mean         float32  4\n"
            "  bn.num_batches_tracked  int64  scalar\n");
}

TEST(WeightsCommand, InspectSaysWhetherTheyFitABackbone) {
  const Workplace place;
  const auto network = test::make<host::BackboneHandle>("backbone", "resnet", {{"width", 0.125}}).make(1, 64, 64);
  std::vector<WrittenTensor> tensors = {written("module.fc.bias", numbers({5}))};
  for (const auto& item : network->named_parameters()) tensors.push_back(written("module." + item.key(), item.value()));
  for (const auto& item : network->named_buffers()) tensors.push_back(written("module." + item.key(), item.value()));
  write_weights(place.folder() / "w.safetensors", tensors);
  const auto fits = place.osteon("weights inspect w.safetensors --backbone resnet --set width=0.125");
  EXPECT_EQ(fits.code, 0) << fits.out << fits.err;
  EXPECT_TRUE(
      fits.out.ends_with("fits the backbone: 120 tensors go into it\nprefix      module.\nleft out    1: "
                         "fc.bias\n"))
      << fits.out;
  const auto other = place.osteon("weights inspect w.safetensors --experiment " + std::string(OSTEON_SOURCE_DIR) +
                                  "/experiments/quickstart.toml --set backbone.width=0.125 --set backbone.channels=3");
  EXPECT_EQ(other.code, 2);
  EXPECT_TRUE(other.out.ends_with(
      "does not fit the backbone: 119 tensors go into it\nprefix      module.\nleft out    1: fc.bias\n"
      "  of another shape (1): conv1.weight is 8 × 1 × 7 × 7 and the backbone's is 8 × 3 × 7 × 7\n"
      "  the file's network takes images of 1 channel: set backbone.channels = 1\n"))
      << other.out;
  EXPECT_EQ(place.osteon("weights inspect w.safetensors --backbone resnet --set depth").err,
            "--set depth: expected NAME=VALUE, as in depth=50\n");
  EXPECT_EQ(place.osteon("weights inspect w.safetensors --set depth=50").err,
            "--set needs --backbone or --experiment\n");
}

TEST(WeightsCommand, ConvertsBetweenFormatsAndPrecisions) {
  const Workplace place;
  const auto first = place.osteon("weights convert " + fixture("two_sets.pth").string() + " w.safetensors --key model");
  EXPECT_EQ(first.out, "wrote 4 tensors to w.safetensors\n") << first.err;
  const auto second = place.osteon("weights convert w.safetensors w.pth --half --drop-prefix conv.");
  EXPECT_EQ(second.code, 0) << second.err;
  const StateDict weights = read_state_dict(place.folder() / "w.pth");
  expect_equal(read(weights, "weight"), numbers({4, 3, 3, 2}, at::kHalf), "weight");
  expect_equal(read(weights, "bn.num_batches_tracked"), at::scalar_tensor(7, at::kLong), "count");
  const auto wrong = place.osteon("weights convert w.pth v.pth --drop-prefix module.");
  EXPECT_EQ(wrong.code, 2);
  EXPECT_EQ(wrong.err, text("w.pth: no tensor's name begins with \"module.\"; the first is \"",
                            weights.tensors.front().name, "\"\n"));
  write_weights(place.folder() / "large.pth", std::vector{written("w", at::full({2}, 1e6))});
  const auto large = place.osteon("weights convert large.pth v.pth --half");
  EXPECT_EQ(large.err, "\"w\" holds numbers above 65504, the largest of half precision; leave --half out\n");
  EXPECT_FALSE(fs::exists(place.folder() / "v.pth"));
  EXPECT_FALSE(fs::exists(place.folder() / "v.pth.partial"));
}

TEST(WeightsCommand, RefusesAFileThatRunsCodeWithTwo) {
  const Workplace place;
  const auto refused = place.osteon("weights inspect " + fixture("runs_code.pth").string());
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(refused.err.starts_with("runs_code.pth: refers to \"posix.system\": ")) << refused.err;
  EXPECT_EQ(refused.out, "");
}

/// The lines of Python that the command printed, each in quotes for a shell.
std::string python_lines(const std::string& out) {
  std::string result, line;
  std::istringstream lines(out.substr(out.find("in Python:\n") + 11));
  while (std::getline(lines, line)) result += " '" + line.substr(2) + "'";
  return result;
}

TEST(WeightsCommand, ExportsARunsBackboneThatPythonLoads) {
  const Workplace place;
  const auto ran = place.osteon("run " + test::small_profile() +
                                " --set backbone.width=1.0 --set training.epochs=1 --set head.pairs=1");
  ASSERT_EQ(ran.code, 0) << ran.out << ran.err;
  const std::string run = fs::relative(test::only_run(place), place.folder()).string();
  const auto wrote = place.osteon("weights export " + run + " --out trained.pth");
  EXPECT_EQ(wrote.code, 0) << wrote.err;
  EXPECT_EQ(wrote.out,
            "wrote 120 tensors to trained.pth\n"
            "in Python:\n"
            "  import torch, torchvision\n"
            "  model = torchvision.models.resnet18()\n"
            "  model.conv1 = torch.nn.Conv2d(1, 64, kernel_size=(7, 7), stride=(2, 2), padding=(3, 3), bias=False)\n"
            "  model.fc = torch.nn.Identity()\n"
            "  model.load_state_dict(torch.load(\"trained.pth\"))\n");
  const auto whole = place.osteon("weights export " + run + " --out whole.safetensors --whole");
  EXPECT_EQ(whole.out,
            "wrote 122 tensors to whole.safetensors\n"
            "the network's parts begin with backbone., reductions., whitening_ and loss.\n")
      << whole.err;
  const StateDict trained = read_state_dict(place.folder() / "trained.pth"),
                  all = read_state_dict(place.folder() / "whole.safetensors");
  expect_equal(read(all, "backbone.conv1.weight"), read(trained, "conv1.weight"), "conv1.weight");
  EXPECT_NE(all.find("reductions.0.weight"), nullptr);
  if (std::system("/usr/bin/python3 -c 'import torchvision' > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "/usr/bin/python3 has no torchvision (python3-torchvision)";
  write_weights(place.folder() / "image.safetensors", std::vector{written("image", at::rand({1, 1, 64, 64}))});
  for (const char* file : {"trained.pth", "trained.safetensors"}) {
    const auto again = place.osteon("weights export " + run + " --out " + file);
    const auto loaded =
        place.shell("/usr/bin/python3 " + std::string(OSTEON_SOURCE_DIR) +
                    "/tests/weights/python_loads.py - image.safetensors features.bin" + python_lines(again.out));
    EXPECT_EQ(loaded.code, 0) << again.out << loaded.err;
  }
}

/// A run folder and a store as a finished run leaves them, with a class layer of 3 bones.
void make_run(const Workplace& place, const std::string& backbone, Network& network) {
  store::Store store(place.folder() / "runs/.store");
  store::Artifact model;
  for (const auto& item : network.named_parameters()) model.tensors["network.backbone." + item.key()] = item.value();
  for (const auto& item : network.named_buffers()) model.tensors["network.backbone." + item.key()] = item.value();
  model.tensors["loss.weight"] = at::rand({3, network.features()});
  model.tensors["loss.bias"] = at::rand({3});
  const store::Ingredients ingredients{"train", "test", {{"backbone", backbone}}};
  const std::string digest = store.put(ingredients, model);
  fs::create_directories(place.folder() / "runs/test");
  std::ofstream(place.folder() / "runs/test/model.json")
      << nlohmann::json({{"key", ingredients.key()}, {"digest", digest}});
  std::ofstream(place.folder() / "runs/test/experiment.toml")
      << "extends = \"" << OSTEON_SOURCE_DIR << "/experiments/quickstart.toml\"\n[head]\npairs = 0\n[backbone]\n"
      << backbone;
}

TEST(WeightsCommand, ExportsTheClassLayerOfANetworkWithoutHead) {
  if (head_schema().find("pairs")->refusal(std::int64_t{0}))
    GTEST_SKIP() << "this build's head has at least one pair, so that no embedding is the backbone's features";
  const Workplace place;
  const auto network = test::make<host::BackboneHandle>("backbone", "resnet").make(1, 64, 64);
  make_run(place, "plugin = \"resnet\"\ndepth = 18\nwidth = 1.0\n", *network);
  const auto wrote = place.osteon("weights export runs/test --out classes.pth");
  EXPECT_EQ(wrote.code, 0) << wrote.err;
  EXPECT_TRUE(wrote.out.starts_with("wrote 122 tensors to classes.pth\n")) << wrote.out;
  EXPECT_NE(wrote.out.find("\n  model.fc = torch.nn.Linear(512, 3)\n"), std::string::npos) << wrote.out;
  const StateDict weights = read_state_dict(place.folder() / "classes.pth");
  EXPECT_EQ(read(weights, "fc.weight").sizes(), at::IntArrayRef({3, 512}));
  if (std::system("/usr/bin/python3 -c 'import torchvision' > /dev/null 2>&1") != 0)
    GTEST_SKIP() << "/usr/bin/python3 has no torchvision (python3-torchvision)";
  const auto loaded = place.shell(
      "/usr/bin/python3 -c \"import torch, torchvision; m = torchvision.models.resnet18(num_classes=3); m.conv1 = "
      "torch.nn.Conv2d(1, 64, 7, 2, 3, bias=False); print(m.load_state_dict(torch.load('classes.pth')))\"");
  EXPECT_EQ(loaded.out, "<All keys matched successfully>\n") << loaded.err;
}

TEST(WeightsCommand, SaysWhatIsMissingForAnExport) {
  const Workplace place;
  fs::create_directories(place.folder() / "runs/sweep");
  EXPECT_EQ(place.osteon("weights export runs/sweep --out w.pth").err,
            "runs/sweep: not the folder of a run that has trained (it has no model.json); of a sweep, name the folder "
            "of one point, as runs/sweep/01\n");
  std::ofstream(place.folder() / "runs/sweep/model.json") << "{\"key\": \"" << std::string(64, 'a') << "\"}";
  EXPECT_EQ(
      place.osteon("weights export runs/sweep --out w.pth").err,
      "runs/sweep: its model is not in the store runs/.store; set OSTEON_STORE to the store of the run, or make it "
      "again: osteon run runs/sweep/experiment.toml\n");
  EXPECT_FALSE(fs::exists(place.folder() / "runs/.store"));
}

/// A file as a server has it under resnet18's name; its content has another hash unless the name is changed.
TEST(FetchWeights, RefusesAFileOfAnotherHashAndLeavesNothing) {
  const Workplace place;
  const std::string script = std::string(OSTEON_SOURCE_DIR) + "/scripts/fetch_weights ";
  fs::create_directory(place.folder() / "mirror");
  write_file(place.folder() / "mirror/resnet18-f37072fd.pth", "these are no weights");
  const auto fetched = place.shell(script + "resnet18 --tries 2 --from file://" + place.folder().string() + "/mirror");
  EXPECT_EQ(fetched.code, 1);
  const std::string wrong = "resnet18-f37072fd.pth: its SHA-256 begins with " +
                            sha256("these are no weights").substr(0, 8) + ", expected f37072fd";
  EXPECT_EQ(fetched.err, "resnet18-f37072fd.pth: " + wrong +
                             "; trying again\nresnet18-f37072fd.pth: not fetched after 2 "
                             "tries: " +
                             wrong + "\n");
  EXPECT_TRUE(fs::is_empty(place.folder() / "weights"));
}

TEST(FetchWeights, ContinuesADownloadThatBroke) {
  const Workplace place;
  fs::create_directory(place.folder() / "weights");
  const std::string root = OSTEON_SOURCE_DIR;
  const auto checked =
      place.shell("python3 " + root + "/tests/weights/fetch_check.py " + root + "/scripts/fetch_weights weights");
  EXPECT_EQ(checked.code, 0);
  EXPECT_TRUE(checked.out.ends_with("its hash is right\nresumed\n")) << checked.out << checked.err;
}

/// The list is what Debian's torchvision itself downloads.
TEST(FetchWeights, NamesTorchvisionsFiles) {
  const fs::path models = "/usr/lib/python3/dist-packages/torchvision/models";
  if (!fs::exists(models)) GTEST_SKIP() << "python3-torchvision is not installed";
  std::string theirs;
  for (const char* file : {"resnet.py", "vgg.py", "inception.py"}) theirs += read_file(models / file);
  const Workplace place;
  const auto list = place.shell(std::string(OSTEON_SOURCE_DIR) + "/scripts/fetch_weights --list");
  std::istringstream lines(list.out);
  std::string name, url;
  int found = 0;
  while (lines >> name >> url)
    if (url.starts_with("https://download.pytorch.org/")) {
      EXPECT_NE(theirs.find('"' + url + '"'), std::string::npos) << url;
      ++found;
    }
  EXPECT_EQ(found, 14);
  EXPECT_EQ(place.shell(std::string(OSTEON_SOURCE_DIR) + "/scripts/fetch_weights resnet19").err,
            "unknown: resnet19; --list prints the names\n");
}

}  // namespace
}  // namespace osteon::training
