// The training loop.

#include "training/accuracy.hpp"
#include "training/checkpoint.hpp"
#include "training/first_weights.hpp"
#include "training/loader.hpp"
#include "training/miner.hpp"
#include "training/monitor.hpp"
#include "training/optimiser.hpp"
#include "training/runtime.hpp"
#include "training/synchronised_batch_norm.hpp"

#include "host/fault.hpp"

#include <osteon/digest.hpp>
#include <osteon/parallel.hpp>
#include <osteon/png.hpp>

#include <torch/torch.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>

namespace osteon::training {

namespace {

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
  [[nodiscard]] std::optional<double> of(const std::string& name) const {
    const auto found = sums_.find(name);
    return found == sums_.end() ? std::nullopt : std::optional(found->second.first / found->second.second);
  }

 private:
  std::map<std::string, std::pair<double, double>> sums_;
};

std::string formatted(const char* format, double value) {
  char digits[32];
  std::snprintf(digits, sizeof digits, format, value);
  return digits;
}

at::Tensor rows_of(const at::Tensor& tensor, const std::vector<std::int64_t>& rows) {
  return tensor.index_select(0, at::tensor(at::ArrayRef<std::int64_t>(rows), at::kLong));
}

/// What must be equal for a checkpoint to fit. The images themselves are named by the folder that the checkpoint is in.
Identity identity_of(const FingerprintNetwork& network, const host::LossHandle& loss, const Data& data,
                     const Parameters& training, const Parameters& augment) {
  Digest architecture, digest;
  for (const auto& parameter : network.named_parameters())
    architecture.add(text(parameter.key(), parameter.value().sizes(), "\n"));
  for (const auto& [name, tensor] : loss.state()) architecture.add(text("loss.", name, tensor.sizes(), "\n"));
  for (const Parameters* section : {&training, &augment})
    for (const auto& [name, value] : section->canonical()) digest.add(text(name, " = ", value, "\n"));
  for (const auto& [name, value] : loss.ingredients()) digest.add(text(name, " = ", value, "\n"));
  digest.add(text(data.pixels.count(), " ", data.pixels.height(), " ", data.pixels.width(), "\n"));
  const auto add = [&](const void* first, std::size_t bytes) {
    digest.add(std::string_view(static_cast<const char*>(first), bytes)).add("\n");
  };
  const at::Tensor labels = data.labels.contiguous();
  add(labels.data_ptr(), labels.nbytes());
  add(data.training.data(), data.training.size() * sizeof(std::int64_t));
  add(data.validation.data(), data.validation.size() * sizeof(std::int64_t));
  return {architecture.hex(), digest.hex()};
}

/// The images of a batch below each other and what they are, for whoever looks for the cause.
void save_batch(const Batch& batch, const at::Tensor& pixels, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  write_png(folder / "diverged-batch.png", pixels.flatten(0, 1).contiguous());
  std::ofstream list(folder / "diverged-batch.csv");
  list << "image,row,class\n";
  for (std::size_t i = 0; i < batch.rows.size(); ++i)
    list << i << ',' << batch.rows[i] << ',' << batch.labels.data_ptr<std::int64_t>()[i] << '\n';
}

/// Every rank needs an image of every batch.
std::int64_t batches_of(const Data& data, const Parameters& training, const Group& group) {
  const Sampler sampler(data, training);
  if (sampler.smallest_batch() < group.size())
    throw Error(text("training by ", group.size(), " processes: a batch may have ", sampler.smallest_batch(),
                     " images and each process needs one; start fewer processes or enlarge the batches "
                     "(training.classes_per_batch, images_per_class, batch_size)"));
  return sampler.batches_per_epoch();
}

class Trainer {
 public:
  Trainer(FingerprintNetwork& network, const host::LossHandle& loss, const Data& data, const Parameters& training,
          const Parameters& augment, const std::filesystem::path& work, const Listener& listener, Group& group)
      : network_(network),
        loss_(loss),
        data_(data),
        training_(training),
        work_(work),
        listener_(listener),
        group_(group),
        augmentation_(augment),
        device_(resolved_device(training)),
        epochs_(training.integer("epochs")),
        patience_(training.integer("patience")),
        keep_best_(training.text("keep") == "best"),
        seed_(static_cast<std::uint64_t>(training.integer("seed"))),
        uses_tuples_(loss.uses_tuples()),
        curriculum_(training),
        bf16_(resolved_precision(training) == "bf16"),
        frozen_batch_norm_(training.flag("frozen_batch_norm")),
        rates_(network.backbone(), training),
        batches_(batches_of(data, training, group)) {
    prepare_device(device_);
    network_.to(device_);
    synchronised_ = std::make_unique<SynchronisedBatchNorm>(network_, group_);
    prepare_loss(loss_, data.classes, network, device_, seed_);
    optimiser_ = std::make_unique<Optimiser>(network, loss_.state(), rates_, training,
                                             Schedule(training, batches_, epochs_ * batches_));
    identity_ = identity_of(network_, loss_, data_, training_, augment);
  }

  Trained run() {
    TrainingState state{network_, loss_.state(), *optimiser_, 0, 0, 0, 0, 1, {}, {}};
    restore(state);
    loader_ = std::make_unique<Loader>(data_, augmentation_, training_, state.epochs_done * batches_, device_.is_cuda(),
                                       group_);
    resumed_at_ = state.epochs_done * batches_;
    started_ = std::chrono::steady_clock::now();
    CollapseDetector detector(uses_tuples_ ? loss_.margin() : -1, knows_classes() ? data_.classes : 0,
                              network_.is_normalised());
    while (goes_on(state)) {
      const EpochSummary summary = run_epoch(state.epochs_done, state.curves);
      validate(state);
      ++state.epochs_done;
      if (!group_.is_first()) continue;
      if (const auto symptom = detector.look(state.epochs_done, summary)) tell(state, *symptom);
      save_checkpoint(state, identity_, work_);
    }
    if (!group_.is_first()) return {};
    if (state.epochs_done < epochs_)
      tell(state, text("training ended after ", state.epochs_done, " of ", epochs_, " epochs: none of the last ",
                       patience_, " was better than epoch ", state.best_epoch));
    if (keep_best_ && state.best_epoch > 0) {
      restore_best(state, work_);
      tell(state, text("kept the weights of epoch ", state.best_epoch, ": ",
                       formatted("%.2f", 100 * state.best_accuracy), " % accuracy on the validation images"));
    }
    return {state.curves, state.notices};
  }

 private:
  /// From the checkpoint, if there is one; all ranks begin with rank 0's weights.
  void restore(TrainingState& state) {
    if (restore_checkpoint(state, identity_, work_) && state.ranks != group_.size())
      tell(state, text("went on after epoch ", state.epochs_done, " with ", group_.size(), " process",
                       group_.size() == 1 ? "" : "es", " where there had been ", state.ranks,
                       ": the weights are the same within rounding, not bit for bit"));
    state.ranks = group_.size();
    const std::string own = std::to_string(state.epochs_done), first = group_.from_first(own);
    if (own != first)
      throw failure(text((work_ / "checkpoint.pt").string(), ": rank ", group_.rank(), " finds epoch ", own,
                         " in it and rank 0 epoch ", first, "; do all see the same store?"));
    for (at::Tensor& tensor : network_.parameters()) group_.copy_from_first(tensor);
    for (at::Tensor& tensor : network_.buffers()) group_.copy_from_first(tensor);
    for (auto& [name, tensor] : state.loss_state) group_.copy_from_first(tensor);
  }

  [[nodiscard]] bool goes_on(const TrainingState& state) {
    return group_.decided_by_first(state.epochs_done < epochs_ &&
                                   !(patience_ > 0 && state.epochs_without_gain >= patience_));
  }

  [[nodiscard]] bool knows_classes() const {
    return loss_.class_scores(at::zeros({1, network_.trained_size()}, device_)).defined();
  }

  void tell(TrainingState& state, const std::string& notice) const {
    state.notices.push_back(notice);
    if (listener_.notice) listener_.notice(notice);
  }

  EpochSummary run_epoch(std::int64_t epoch, std::vector<CurvePoint>& curves) {
    constexpr std::int64_t kPoints = 10;  // of a curve in an epoch
    begin_training(network_, rates_, frozen_batch_norm_);
    Means recent, whole;
    for (std::int64_t batch = 0; batch < batches_; ++batch) {
      throw_if_stopped();
      host::fault_point("batch");
      train_batch(epoch, recent, whole);
      if ((batch + 1) * kPoints / batches_ > batch * kPoints / batches_) {
        last_means_ = recent.values();
        for (const auto& [name, value] : last_means_) curves.push_back({name, step_after(epoch, batch), value});
        recent = {};
      }
      if (listener_.progress) listener_.progress(progress_after(epoch, batch));
    }
    return {whole.of("loss").value_or(0), whole.of("between")};
  }

  /// The loss is of the whole batch: rank 0 takes it of all embeddings, and each rank follows its gradient through its
  /// own images.
  void train_batch(std::int64_t epoch, Means& recent, Means& whole) {
    const Batch batch = loader_->next();
    const std::int64_t images = std::ssize(batch.rows);
    optimiser_->zero_gradients();
    const at::Tensor own = forward(batch.pixels);
    const at::Tensor embeddings = group_.gather(own, images).requires_grad_();
    at::Tensor gradient = at::zeros_like(embeddings);
    if (group_.is_first()) {
      take_loss(embeddings, batch, epoch, recent, whole);
      if (embeddings.grad().defined()) gradient = embeddings.grad();
    }
    group_.copy_from_first(gradient);
    const Group::Share share = group_.share(images);
    if (own.requires_grad()) own.backward(gradient.slice(0, share.first, share.last));
    optimiser_->sum_gradients(group_);
    optimiser_->step(batch.number);
    images_done_ += images;
  }

  /// Loss and its gradient in `embeddings` and in the loss's own weights.
  void take_loss(const at::Tensor& embeddings, const Batch& batch, std::int64_t epoch, Means& recent, Means& whole) {
    const LossValue loss =
        loss_.compute(embeddings, batch.labels.to(device_, true), tuples_of(embeddings, batch, epoch, whole));
    const auto value = loss.value.item<double>();
    if (!std::isfinite(value)) throw diverged(text("the loss became ", value), epoch, batch.number % batches_, &batch);
    loss.value.backward();
    for (Means* means : {&recent, &whole}) means->add("loss", value);
    for (const auto& [name, statistic] : loss.statistics) recent.add(name, statistic);
  }

  at::Tensor forward(const at::Tensor& pixels) {
    const AutocastScope autocast(device_, bf16_);
    return network_.forward(pixels.to(device_, true));
  }

  Tuples tuples_of(const at::Tensor& embeddings, const Batch& batch, std::int64_t epoch, Means& whole) const {
    if (!uses_tuples_) return {};
    const at::Tensor distances = squared_distances(embeddings);
    if (const auto between = mean_between(distances, batch.labels)) whole.add("between", *between);
    Tuples tuples;
    if (loader_->sampling() == Sampling::triplets) {
      tuples = drawn_triplets(embeddings.size(0));
    } else {
      Random random(seed_, "mining", static_cast<std::uint64_t>(batch.number));
      tuples = mine(curriculum_.at(epoch), distances, embeddings.size(1),
                    {batch.labels.data_ptr<std::int64_t>(), batch.rows.size()}, random);
    }
    for (at::Tensor* each :
         {&tuples.anchor, &tuples.positive, &tuples.negative, &tuples.positive_pairs, &tuples.negative_pairs})
      *each = each->to(device_, true);
    return tuples;
  }

  /// Accuracy on the validation images after an epoch: of triplets where embeddings are unit rows, of classes where the
  /// loss knows them. The first of these that there is says which epoch is best. Each rank embeds its share of them,
  /// rank 0 scores.
  void validate(TrainingState& state) {
    for (const at::Tensor& parameter : network_.parameters())
      if (!at::isfinite(parameter).all().item<bool>())
        throw diverged("a weight is no longer finite", state.epochs_done, batches_ - 1, nullptr);
    if (data_.validation.empty()) return;
    const at::NoGradGuard no_graph;
    const auto count = std::ssize(data_.validation);
    const Group::Share share = group_.share(count);
    const at::Tensor embeddings = group_.gather(
        embed(network_, data_.pixels,
              std::span(data_.validation)
                  .subspan(static_cast<std::size_t>(share.first), static_cast<std::size_t>(share.count())),
              training_, {}),
        count);
    if (!group_.is_first()) return;
    const at::Tensor labels = rows_of(data_.labels, data_.validation);
    const at::Tensor scores = loss_.class_scores(embeddings.to(device_));
    accuracy_.reset();
    const auto note = [&](const char* name, std::optional<double> accuracy) {
      if (!accuracy) return;
      state.curves.push_back({text(name, " (validation)"), static_cast<double>(state.epochs_done + 1), *accuracy});
      if (!accuracy_) accuracy_ = accuracy, accuracy_name_ = name;
    };
    if (network_.is_normalised())
      note("triplet accuracy", triplet_accuracy(embeddings, labels, std::max(0.0, loss_.margin())));
    if (scores.defined())
      note("class accuracy", scores.argmax(1).cpu().eq(labels).to(at::kDouble).mean().item<double>());
    if (accuracy_) keep_if_best(state);
  }

  void keep_if_best(TrainingState& state) const {
    const bool gains = state.best_epoch == 0 || *accuracy_ > state.best_accuracy;
    state.epochs_without_gain = gains ? 0 : state.epochs_without_gain + 1;
    if (!gains && *accuracy_ < state.best_accuracy) return;
    state.best_accuracy = *accuracy_;
    state.best_epoch = state.epochs_done + 1;
    if (keep_best_) save_best(state, work_);
  }

  [[nodiscard]] Error diverged(const std::string& what, std::int64_t epoch, std::int64_t number,
                               const Batch* batch) const {
    if (batch != nullptr) save_batch(*batch, loader_->all_pixels(*batch), work_);
    return Error(
        text(what, " in epoch ", epoch + 1, ", batch ", number + 1,
             batch == nullptr ? std::string() : text(" (its images: ", (work_ / "diverged-batch.png").string(), ")"),
             "; lower training.learning_rate, limit training.gradient_norm (to 1, say), or set "
             "training.precision = \"fp32\""));
  }

  [[nodiscard]] double step_after(std::int64_t epoch, std::int64_t batch) const {
    return static_cast<double>(epoch) + static_cast<double>(batch + 1) / static_cast<double>(batches_);
  }

  [[nodiscard]] Progress progress_after(std::int64_t epoch, std::int64_t batch) const {
    const std::int64_t total = epochs_ * batches_, done = epoch * batches_ + batch + 1;
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
    const double left = seconds / static_cast<double>(done - resumed_at_) * static_cast<double>(total - done);
    return {done, total, left, detail(epoch, static_cast<double>(images_done_) / std::max(seconds, 1e-9))};
  }

  [[nodiscard]] std::string detail(std::int64_t epoch, double images_per_second) const {
    std::string result = text("epoch ", epoch + 1, "/", epochs_);
    if (const auto loss = last_means_.find("loss"); loss != last_means_.end())
      result += "  loss " + formatted("%.4f", loss->second);
    if (const auto active = last_means_.find("active triplets"); active != last_means_.end())
      result += "  active triplets " + formatted("%.0f %%", 100 * active->second);
    if (accuracy_) result += "  " + accuracy_name_ + " " + formatted("%.1f %%", 100 * *accuracy_);
    return result + "  " + formatted("%.0f images/s", images_per_second);
  }

  FingerprintNetwork& network_;
  const host::LossHandle& loss_;
  const Data& data_;
  const Parameters& training_;
  const std::filesystem::path& work_;
  const Listener& listener_;
  Group& group_;
  Augmentation augmentation_;
  at::Device device_;
  std::int64_t epochs_, patience_;
  bool keep_best_;
  std::uint64_t seed_;
  bool uses_tuples_;
  Curriculum curriculum_;
  bool bf16_, frozen_batch_norm_;
  LayerRates rates_;
  std::int64_t batches_;  ///< of an epoch
  std::unique_ptr<SynchronisedBatchNorm> synchronised_;
  std::unique_ptr<Optimiser> optimiser_;
  Identity identity_;
  std::unique_ptr<Loader> loader_;
  std::map<std::string, double> last_means_;
  std::optional<double> accuracy_;
  std::string accuracy_name_;
  std::int64_t images_done_ = 0, resumed_at_ = 0;
  std::chrono::steady_clock::time_point started_;
};

}  // namespace

void prepare_loss(const host::LossHandle& loss, std::int64_t classes, const FingerprintNetwork& network,
                  at::Device device, std::uint64_t seed) {
  loss.prepare(classes, network.trained_size());
  std::map<std::string, at::Tensor> state = loss.state();
  draw_loss_state(state, seed);
  for (auto& [name, tensor] : state) tensor.set_data(tensor.to(device));
}

Trained train(FingerprintNetwork& network, const host::LossHandle& loss, const Data& data, const Parameters& training,
              const Parameters& augment, const std::filesystem::path& work, const Listener& listener, Group& group) {
  if (data.labels.dim() != 1 || data.labels.scalar_type() != at::kLong || data.labels.numel() != data.pixels.count())
    throw failure("training: labels are no int64 [N] for the images");
  const ThreadScope threads(resolved_threads(training));
  return Trainer(network, loss, data, training, augment, work, listener, group).run();
}

}  // namespace osteon::training
