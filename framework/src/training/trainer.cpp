// The training loop.

#include "training/accuracy.hpp"
#include "training/augment.hpp"
#include "training/checkpoint.hpp"
#include "training/first_weights.hpp"
#include "training/miner.hpp"
#include "training/optimiser.hpp"
#include "training/runtime.hpp"
#include "training/sampler.hpp"

#include "host/fault.hpp"

#include <osteon/digest.hpp>
#include <osteon/parallel.hpp>

#include <torch/torch.h>

#include <chrono>
#include <cmath>
#include <cstdio>

namespace osteon::training {

namespace {

constexpr const char* kAccuracyCurve = "triplet accuracy (validation)";

/// Sums of named values and their mean.
class Means {
 public:
  void add(const std::string& name, double value) {
    auto& [sum, count] = sums_[name];
    sum += value;
    ++count;
  }
  [[nodiscard]] std::map<std::string, double> values() const {
    std::map<std::string, double> result;
    for (const auto& [name, sum] : sums_) result[name] = sum.first / sum.second;
    return result;
  }

 private:
  std::map<std::string, std::pair<double, double>> sums_;
};

at::Tensor rows_of(const at::Tensor& tensor, const std::vector<std::int64_t>& rows) {
  return tensor.index_select(0, at::tensor(at::ArrayRef<std::int64_t>(rows), at::kLong));
}

/// What must be equal for a checkpoint to fit: parameters, shapes, images and labels, by digest.
std::string identity_of(const FingerprintNetwork& network, const host::LossHandle& loss, const Data& data,
                        const Parameters& training) {
  Digest digest;
  for (const auto& [name, value] : training.canonical()) digest.add(text(name, " = ", value, "\n"));
  for (const auto& [name, value] : loss.ingredients()) digest.add(text(name, " = ", value, "\n"));
  for (const auto& parameter : network.named_parameters())
    digest.add(text(parameter.key(), parameter.value().sizes(), "\n"));
  const auto add = [&](const void* first, std::size_t bytes) {
    digest.add(std::string_view(static_cast<const char*>(first), bytes)).add("\n");
  };
  const at::Tensor pixels = data.pixels.contiguous(), labels = data.labels.contiguous();
  add(pixels.data_ptr(), pixels.nbytes());
  add(labels.data_ptr(), labels.nbytes());
  add(data.training.data(), data.training.size() * sizeof(std::int64_t));
  add(data.validation.data(), data.validation.size() * sizeof(std::int64_t));
  return digest.hex();
}

class Trainer {
 public:
  Trainer(FingerprintNetwork& network, const host::LossHandle& loss, const Data& data, const Parameters& training)
      : network_(network),
        loss_(loss),
        data_(data),
        training_(training),
        device_(resolved_device(training)),
        epochs_(training.integer("epochs")),
        shift_(training.integer("shift")),
        seed_(static_cast<std::uint64_t>(training.integer("seed"))),
        mining_(mining_of(training.text("mining"))),
        bf16_(training.text("precision") == "bf16"),
        sampler_(data, training) {
    network_.to(device_);
    loss_.prepare(data.classes, network.embedding_size());
    draw_loss_state(loss_.state(), seed_);
    optimiser_ = std::make_unique<Optimiser>(network, loss_.state(), training, epochs_ * sampler_.batches_per_epoch());
  }

  std::vector<CurvePoint> run(const std::filesystem::path& work, const std::function<void(const Progress&)>& progress) {
    TrainingState state{network_, loss_.state(), *optimiser_, 0, {}};
    const std::string identity = identity_of(network_, loss_, data_, training_);
    restore_checkpoint(state, identity, work);
    for (std::int64_t skipped = 0; skipped < state.epochs_done * sampler_.batches_per_epoch(); ++skipped)
      (void)sampler_.next();
    resumed_at_ = state.epochs_done * sampler_.batches_per_epoch();
    started_ = std::chrono::steady_clock::now();
    for (std::int64_t epoch = state.epochs_done; epoch < epochs_; ++epoch) {
      run_epoch(epoch, state.curves, progress);
      validate(epoch, state.curves);
      state.epochs_done = epoch + 1;
      save_checkpoint(state, identity, work);
    }
    return state.curves;
  }

 private:
  void run_epoch(std::int64_t epoch, std::vector<CurvePoint>& curves,
                 const std::function<void(const Progress&)>& progress) {
    constexpr std::int64_t kPoints = 10;  // of a curve in an epoch
    const std::int64_t batches = sampler_.batches_per_epoch();
    network_.train();
    Means means;
    for (std::int64_t batch = 0; batch < batches; ++batch) {
      throw_if_stopped();
      host::fault_point("batch");
      train_batch(epoch, batch, means);
      if ((batch + 1) * kPoints / batches > batch * kPoints / batches) {
        last_means_ = means.values();
        for (const auto& [name, value] : last_means_) curves.push_back({name, step_after(epoch, batch), value});
        means = {};
      }
      if (progress) progress(progress_after(epoch, batch));
    }
  }

  void train_batch(std::int64_t epoch, std::int64_t batch, Means& means) {
    const std::int64_t step = epoch * sampler_.batches_per_epoch() + batch;
    const std::vector<std::int64_t> rows = sampler_.next();
    at::Tensor pixels = rows_of(data_.pixels, rows);
    const at::Tensor labels = rows_of(data_.labels, rows);
    if (shift_ > 0) pixels = shifted(pixels, shift_, Random(seed_, "shift", static_cast<std::uint64_t>(step)));
    const at::Tensor embeddings = forward(pixels);
    Random random(seed_, "mining", static_cast<std::uint64_t>(step));
    Tuples triplets = mine(mining_, squared_distances(embeddings),
                             {labels.data_ptr<std::int64_t>(), static_cast<std::size_t>(labels.numel())}, random);
    for (at::Tensor* index : {&triplets.anchor, &triplets.positive, &triplets.negative, &triplets.positive_pairs,
                              &triplets.negative_pairs})
      *index = index->to(device_);
    const LossValue loss = loss_.compute(embeddings, labels.to(device_), triplets);
    const auto value = loss.value.item<double>();
    if (!std::isfinite(value)) throw diverged(text("the loss became ", value), epoch, batch);
    optimiser_->zero_gradients();
    loss.value.backward();
    optimiser_->step(step);
    means.add("loss", value);
    for (const auto& [name, statistic] : loss.statistics) means.add(name, statistic);
    images_done_ += static_cast<std::int64_t>(rows.size());
  }

  at::Tensor forward(const at::Tensor& pixels) {
    const AutocastScope autocast(device_, bf16_);
    return network_.forward(pixels.to(device_));
  }

  void validate(std::int64_t epoch, std::vector<CurvePoint>& curves) {
    for (const at::Tensor& parameter : network_.parameters())
      if (!at::isfinite(parameter).all().item<bool>())
        throw diverged("a weight is no longer finite", epoch, sampler_.batches_per_epoch() - 1);
    if (data_.validation.empty()) return;
    const at::Tensor embeddings = embed(network_, rows_of(data_.pixels, data_.validation), training_, {});
    accuracy_ = triplet_accuracy(embeddings, rows_of(data_.labels, data_.validation), std::max(0.0, loss_.margin()));
    if (accuracy_) curves.push_back({kAccuracyCurve, static_cast<double>(epoch + 1), *accuracy_});
  }

  static Error diverged(const std::string& what, std::int64_t epoch, std::int64_t batch) {
    return Error(text(what, " in epoch ", epoch + 1, ", batch ", batch + 1,
                      "; lower training.learning_rate, limit training.gradient_norm (to 1, say), or set "
                      "training.precision = \"fp32\""));
  }

  [[nodiscard]] double step_after(std::int64_t epoch, std::int64_t batch) const {
    return static_cast<double>(epoch) +
           static_cast<double>(batch + 1) / static_cast<double>(sampler_.batches_per_epoch());
  }

  [[nodiscard]] Progress progress_after(std::int64_t epoch, std::int64_t batch) const {
    const std::int64_t total = epochs_ * sampler_.batches_per_epoch(),
                       done = epoch * sampler_.batches_per_epoch() + batch + 1;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    const double left = seconds / static_cast<double>(done - resumed_at_) * static_cast<double>(total - done);
    return {done, total, left, detail(epoch, static_cast<double>(images_done_) / std::max(seconds, 1e-9))};
  }

  [[nodiscard]] std::string detail(std::int64_t epoch, double images_per_second) const {
    const auto number = [](const char* format, double value) {
      char digits[32];
      std::snprintf(digits, sizeof digits, format, value);
      return std::string(digits);
    };
    std::string result = text("epoch ", epoch + 1, "/", epochs_);
    if (const auto loss = last_means_.find("loss"); loss != last_means_.end())
      result += "  loss " + number("%.4f", loss->second);
    if (const auto active = last_means_.find("active triplets"); active != last_means_.end())
      result += "  active triplets " + number("%.0f %%", 100 * active->second);
    if (accuracy_) result += "  triplet accuracy " + number("%.1f %%", 100 * *accuracy_);
    return result + "  " + number("%.0f images/s", images_per_second);
  }

  FingerprintNetwork& network_;
  const host::LossHandle& loss_;
  const Data& data_;
  const Parameters& training_;
  at::Device device_;
  std::int64_t epochs_, shift_;
  std::uint64_t seed_;
  Mining mining_;
  bool bf16_;
  Sampler sampler_;
  std::unique_ptr<Optimiser> optimiser_;
  std::map<std::string, double> last_means_;
  std::optional<double> accuracy_;
  std::int64_t images_done_ = 0, resumed_at_ = 0;
  std::chrono::steady_clock::time_point started_;
};

void check(const Data& data) {
  if (data.pixels.dim() != 3 || data.pixels.scalar_type() != at::kByte || data.labels.dim() != 1 ||
      data.labels.scalar_type() != at::kLong || data.labels.numel() != data.pixels.size(0))
    throw failure("training: the images are no uint8 [N, H, W] with int64 [N] labels");
}

}  // namespace

std::vector<CurvePoint> train(FingerprintNetwork& network, const host::LossHandle& loss, const Data& data,
                              const Parameters& training, const std::filesystem::path& work,
                              const std::function<void(const Progress&)>& progress) {
  check(data);
  const ThreadScope threads(resolved_threads(training));
  return Trainer(network, loss, data, training).run(work, progress);
}

}  // namespace osteon::training
