// What the plugin boundary costs in an epoch of training: at most 1 % is allowed.
//
// A batch crosses it twice: the loss is called through the host's handle (guard, look-up of the interface, checks of
// the result), and the backbone by one virtual call into a shared library. `LossDirect` calls the same object without
// the handle; the difference to `LossThroughHandle`, times the batches of an epoch, over the epoch's time is the
// counter "boundary %" of `Epoch`. Run with nothing else on the machine: the difference is a few microseconds.

#include "training/miner.hpp"
#include "training/training.hpp"

#include <osteon/random.hpp>

#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <chrono>

namespace osteon {
namespace {

constexpr std::int64_t kClasses = 8, kPerClass = 6, kDimensions = 128, kSize = 96;

const host::LoadedPlugin& plugin(const char* kind, const char* name) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  return registry.find(kind, name);
}

struct LossBatch {
  LossBatch() : labels(at::arange(kClasses).repeat_interleave(kPerClass)) {
    Random random(1, "embeddings");
    embeddings = at::empty({kClasses * kPerClass, kDimensions}, at::kFloat);
    for (std::int64_t i = 0; i < embeddings.numel(); ++i)
      embeddings.data_ptr<float>()[i] = static_cast<float>(random.normal());
    embeddings = (embeddings / embeddings.norm(2, {1}, true)).set_requires_grad(true);
    triplets = training::mine(training::Mining::batch_hard, training::squared_distances(embeddings), kDimensions,
                              {labels.data_ptr<std::int64_t>(), static_cast<std::size_t>(labels.numel())}, random);
  }
  at::Tensor embeddings, labels;
  Tuples triplets;
};

void LossThroughHandle(benchmark::State& state) {
  const host::LoadedPlugin& loaded = plugin("loss", "triplet");
  const host::LossHandle loss(loaded, Parameters(loaded.schema, {}));
  const LossBatch batch;
  for (auto _ : state) benchmark::DoNotOptimize(loss.compute(batch.embeddings, batch.labels, batch.triplets));
}
BENCHMARK(LossThroughHandle)->Unit(benchmark::kMicrosecond);

void LossDirect(benchmark::State& state) {
  const host::LoadedPlugin& loaded = plugin("loss", "triplet");
  const std::unique_ptr<Plugin> object = loaded.descriptor->create(Parameters(loaded.schema, {}));
  auto& loss = dynamic_cast<Loss&>(*object);
  const LossBatch batch;
  for (auto _ : state) benchmark::DoNotOptimize(loss.compute(batch.embeddings, batch.labels, batch.triplets));
}
BENCHMARK(LossDirect)->Unit(benchmark::kMicrosecond);

/// Seconds that the handle adds to one call of the loss: both in turn, the least of many short runs of each, as noise
/// only adds.
double handle_seconds() {
  const host::LoadedPlugin& loaded = plugin("loss", "triplet");
  const host::LossHandle handle(loaded, Parameters(loaded.schema, {}));
  const std::unique_ptr<Plugin> object = loaded.descriptor->create(Parameters(loaded.schema, {}));
  auto& direct = dynamic_cast<Loss&>(*object);
  const LossBatch batch;
  const auto seconds = [](const auto& call) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < 20; ++i) benchmark::DoNotOptimize(call());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / 20;
  };
  double with = 1, without = 1;
  for (int run = 0; run < 200; ++run) {
    with = std::min(with, seconds([&] { return handle.compute(batch.embeddings, batch.labels, batch.triplets); }));
    without =
        std::min(without, seconds([&] { return direct.compute(batch.embeddings, batch.labels, batch.triplets); }));
  }
  return with - without;
}

/// An epoch of the half-width ResNet-18 on 8 bones × 48 images of 96 × 96 pixels; argument 1 is bfloat16. A first,
/// unmeasured epoch lets oneDNN make its kernels.
void Epoch(benchmark::State& state) {
  training::Data data;
  data.classes = kClasses;
  data.pixels =
      (at::linspace(0, 255 * 40, kClasses * 48 * kSize * kSize).view({-1, kSize, kSize}).remainder(255)).to(at::kByte);
  data.labels = at::arange(kClasses).repeat_interleave(48);
  for (std::int64_t row = 0; row < data.labels.numel(); ++row) data.training.push_back(row);
  const Parameters settings(
      training::training_schema(),
      {{"epochs", std::int64_t{1}}, {"precision", std::string(state.range(0) ? "bf16" : "fp32")}});
  const host::LoadedPlugin &resnet = plugin("backbone", "resnet"), &triplet = plugin("loss", "triplet");
  const host::BackboneHandle backbone(resnet, Parameters(resnet.schema, {{"width", 0.5}}));
  const host::LossHandle loss(triplet, Parameters(triplet.schema, {}));
  const Parameters augment(training::augment_schema(), {});
  const std::filesystem::path work = std::filesystem::temp_directory_path() / "osteon-boundary-benchmark";
  const auto network =
      training::make_network(backbone, Parameters(training::head_schema(), {}), settings, kSize, kSize);
  std::filesystem::remove_all(work);
  (void)training::train(*network, loss, data, settings, augment, work, {});
  double seconds = 0;
  for (auto _ : state) {
    std::filesystem::remove_all(work);
    const auto start = std::chrono::steady_clock::now();
    (void)training::train(*network, loss, data, settings, augment, work, {});
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  std::filesystem::remove_all(work);
  const auto epochs = static_cast<double>(state.iterations()), images = static_cast<double>(data.labels.numel());
  state.counters["images/s"] = images * epochs / seconds;
  state.counters["boundary %"] = 100 * handle_seconds() * images / (kClasses * kPerClass) / (seconds / epochs);
}
BENCHMARK(Epoch)->Arg(1)->Arg(0)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace osteon
