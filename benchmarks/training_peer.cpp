// Our side of `scripts/peers training`: the same images, network and step as benchmarks/training_peer.py, and what our
// defaults make of them. One task a call; prints numbers and nothing else, so that a script can alternate between the
// two programs.
//
//     training-peer data FOLDER EXPERIMENT [KEY=VALUE…]  render the experiment's X-rays; training and validation images
//     as .npy training-peer step FOLDER             seconds an image, idle share of the processor, peak resident
//     megabytes:
//                                           the study's random triplets, fp32, three images embedded a triplet
//     training-peer default FOLDER          seconds an image with our defaults: bf16, P × K, each image once
//     training-peer accuracy FOLDER         seconds of training until 95 % of the validation images' triplets hold at
//                                           margin 0.1, with our defaults; looked at every 480 images, off the clock
//     training-peer loader FOLDER           seconds an image of the loader alone, every augmentation on
//
// Network: ResNet-18 of full width with a stem of one channel, the study's head to 128 dimensions.

#include "host/stop.hpp"
#include "pipeline/opened.hpp"
#include "training/accuracy.hpp"
#include "training/loader.hpp"
#include "training/runtime.hpp"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <iostream>
#include <thread>

namespace osteon {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Values = std::map<std::string, ParameterValue>;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double peak_megabytes() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void write_data(const fs::path& folder, const config::Request& experiment) {
  const pipeline::OpenedExperiment opened({experiment, {}, folder / "runs", ""});
  pipeline::Records records;
  pipeline::Cohort cohort = pipeline::make_volumes(opened.run(), records);
  pipeline::make_surfaces(opened.run(), cohort, records);
  pipeline::make_images(opened.run(), cohort, records);
  const training::Data data = pipeline::training_data(pipeline::load_images(opened.run(), cohort));
  const auto rows = [](const std::vector<std::int64_t>& list) {
    return at::tensor(at::ArrayRef<std::int64_t>(list), at::kLong);
  };
  store::write_npy(folder / "pixels.npy", data.pixels.gather(training::every_row(data.pixels)));
  store::write_npy(folder / "labels.npy", data.labels);
  store::write_npy(folder / "training.npy", rows(data.training));
  store::write_npy(folder / "validation.npy", rows(data.validation));
}

training::Data read_data(const fs::path& folder) {
  const auto rows = [&](const char* name) {
    const at::Tensor list = store::read_npy(folder / name);
    return std::vector<std::int64_t>(list.data_ptr<std::int64_t>(), list.data_ptr<std::int64_t>() + list.numel());
  };
  training::Data data;
  data.pixels = store::read_npy(folder / "pixels.npy");
  data.labels = store::read_npy(folder / "labels.npy");
  data.views = 2;
  data.training = rows("training.npy");
  data.validation = rows("validation.npy");
  data.classes = data.labels.max().item<std::int64_t>() + 1;
  return data;
}

host::Registry& registry() {
  static host::Registry instance({fs::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  return instance;
}

/// Everything that a training needs, with these [training] parameters.
struct Setup {
  Setup(const fs::path& folder, const Values& values)
      : data(read_data(folder)), parameters(training::training_schema(), values) {
    const host::LoadedPlugin& resnet = registry().find("backbone", "resnet");
    const host::BackboneHandle backbone(resnet, Parameters(resnet.schema, {}));
    network = training::make_network(backbone, Parameters(training::head_schema(), {}), parameters,
                                     data.pixels.height(), data.pixels.width());
    const host::LoadedPlugin& triplet = registry().find("loss", "triplet");
    loss = std::make_unique<host::LossHandle>(triplet, Parameters(triplet.schema, {}));
    work = fs::temp_directory_path() / ("osteon-training-peer-" + std::to_string(::getpid()));
  }
  ~Setup() { fs::remove_all(work); }

  /// Trains until `after_batch` says to stop.
  void train(const std::function<bool(std::int64_t batches)>& after_batch) {
    struct Enough {};
    try {
      (void)training::train(*network, *loss, data, parameters, Parameters(training::augment_schema(), {}), work,
                            {[&](const training::Progress& p) {
                               if (after_batch(p.batches_done)) throw Enough();
                             },
                             {}});
    } catch (const Enough&) {
    }
  }

  training::Data data;
  Parameters parameters;
  std::shared_ptr<training::FingerprintNetwork> network;
  std::unique_ptr<host::LossHandle> loss;
  fs::path work;
};

/// Batches before and during the measurement.
constexpr std::int64_t kWarm = 4, kMeasured = 20;

struct Pace {
  double seconds_per_image, idle_share;
};

Pace pace(Setup& setup, std::int64_t images_per_batch) {
  Clock::time_point start;
  double processor = 0;
  Pace result{};
  setup.train([&](std::int64_t batches) {
    if (batches == kWarm) start = Clock::now(), processor = processor_seconds();
    if (batches < kWarm + kMeasured) return false;
    const double wall = seconds_since(start), threads = std::thread::hardware_concurrency();
    result = {wall / static_cast<double>(kMeasured * images_per_batch),
              1 - (processor_seconds() - processor) / (wall * threads)};
    return true;
  });
  return result;
}

const Values kManyEpochs{{"epochs", std::int64_t{1000}}, {"device", std::string("cpu")}};

void step(const fs::path& folder) {
  Values values = kManyEpochs;
  values["sampling"] = std::string("triplets");
  values["batch_size"] = std::int64_t{16};
  values["precision"] = std::string("fp32");
  values["optimiser"] = std::string("adam");
  Setup setup(folder, values);
  const Pace measured = pace(setup, 3 * 16);
  std::printf("%.8f %.4f %.1f\n", measured.seconds_per_image, measured.idle_share, peak_megabytes());
}

void by_default(const fs::path& folder) {
  Setup setup(folder, kManyEpochs);
  std::printf("%.8f\n", pace(setup, 8 * 6).seconds_per_image);
}

void until_accurate(const fs::path& folder) {
  constexpr std::int64_t kImagesBetween = 480;
  constexpr double kWanted = 0.95, kMargin = 0.1;
  Setup setup(folder, {{"device", std::string("cpu")}});
  const at::Tensor rows = at::tensor(at::ArrayRef<std::int64_t>(setup.data.validation), at::kLong);
  const at::Tensor labels = setup.data.labels.index_select(0, rows);
  Clock::time_point start = Clock::now();
  double trained = -1, spent = 0;
  setup.train([&](std::int64_t batches) {
    if (batches % (kImagesBetween / 48) != 0) return false;
    spent += seconds_since(start);
    const at::Tensor embeddings =
        training::embed(*setup.network, setup.data.pixels, setup.data.validation, setup.parameters, {});
    const bool accurate = training::triplet_accuracy(embeddings, labels, kMargin).value_or(0) >= kWanted;
    if (accurate) trained = spent;
    start = Clock::now();
    return accurate;
  });
  if (trained < 0) throw failure("training ended before 95 % triplet accuracy");
  std::printf("%.3f\n", trained);
}

void loader_alone(const fs::path& folder) {
  Setup setup(folder, {{"workers", static_cast<std::int64_t>(std::thread::hardware_concurrency())}});
  const Parameters augment(training::augment_schema(), {{"shift", 0.05},
                                                        {"scale", 0.05},
                                                        {"rotation", 5.0},
                                                        {"gain", 0.1},
                                                        {"gamma", 0.1},
                                                        {"noise", 5.0},
                                                        {"occlusion", 0.1}});
  training::Loader loader(setup.data, training::Augmentation(augment), setup.parameters, 0, false);
  for (int batch = 0; batch < 20; ++batch) (void)loader.next();
  const Clock::time_point start = Clock::now();
  std::int64_t images = 0;
  while (images < 9600) images += loader.next().pixels.size(0);
  std::printf("%.8f\n", seconds_since(start) / static_cast<double>(images));
}

}  // namespace
}  // namespace osteon

int main(int argc, char** argv) {
  osteon::training::keep_freed_memory();  // as the command does
  at::set_num_threads(static_cast<int>(std::thread::hardware_concurrency()));
  const std::string task = argc > 1 ? argv[1] : "";
  try {
    if (task == "data" && argc >= 4) return osteon::write_data(argv[2], {argv[3], {argv + 4, argv + argc}, {}}), 0;
    if (task == "step" && argc == 3) return osteon::step(argv[2]), 0;
    if (task == "default" && argc == 3) return osteon::by_default(argv[2]), 0;
    if (task == "accuracy" && argc == 3) return osteon::until_accurate(argv[2]), 0;
    if (task == "loader" && argc == 3) return osteon::loader_alone(argv[2]), 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
  std::cerr << "training-peer data FOLDER EXPERIMENT [KEY=VALUE…] | step FOLDER | default FOLDER | accuracy FOLDER | "
               "loader FOLDER\n";
  return 2;
}
