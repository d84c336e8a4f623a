// Batches made ready ahead of the network.

#include "training/loader.hpp"

#include <osteon/parallel.hpp>

#include <ATen/Functions.h>

namespace osteon::training {

Loader::Loader(const Data& data, const Augmentation& augmentation, const Parameters& training, std::int64_t first,
               bool pinned, const Group& group)
    : data_(data),
      augmentation_(augmentation),
      layout_{data.pixels.height(), data.pixels.width(), data.views},
      sampler_(data, training),
      seed_(static_cast<std::uint64_t>(training.integer("seed"))),
      pinned_(pinned),
      group_(group),
      next_number_(first) {
  sampler_.skip(first);
  const auto workers = static_cast<std::size_t>(training.integer("workers"));
  // One batch in each worker's hands and one waiting for each: more would only take memory.
  most_slots_ = 2 * workers;
  for (std::size_t i = 0; i < workers; ++i) workers_.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

Batch Loader::empty_batch(std::int64_t number, std::vector<std::int64_t> rows) const {
  const auto count = static_cast<std::int64_t>(rows.size()), own = group_.share(count).count();
  Batch batch{number, std::move(rows), at::empty({own, layout_.height, layout_.width}, at::kByte),
              at::empty({count}, at::kLong)};
  if (pinned_) batch.pixels = batch.pixels.pin_memory(), batch.labels = batch.labels.pin_memory();
  for (std::int64_t i = 0; i < count; ++i)
    batch.labels.data_ptr<std::int64_t>()[i] =
        data_.labels.data_ptr<std::int64_t>()[batch.rows[static_cast<std::size_t>(i)]];
  return batch;
}

void Loader::fill_images(const Batch& batch, std::int64_t first, std::int64_t last, std::uint8_t* pixels) const {
  const auto epoch = static_cast<std::uint64_t>(batch.number / sampler_.batches_per_epoch());
  for (std::int64_t i = first; i < last; ++i, pixels += layout_.height * layout_.width) {
    const std::int64_t row = batch.rows[static_cast<std::size_t>(i)];
    const Random random(seed_, text("augment:epoch ", epoch), static_cast<std::uint64_t>(row));
    augmentation_.apply(data_.pixels.image(row), pixels, layout_, random);
  }
}

at::Tensor Loader::all_pixels(const Batch& batch) const {
  const std::int64_t count = std::ssize(batch.rows);
  at::Tensor pixels = at::empty({count, layout_.height, layout_.width}, at::kByte);
  fill_images(batch, 0, count, pixels.data_ptr<std::uint8_t>());
  return pixels;
}

void Loader::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    room_.wait(lock, [this] { return stopping_ || slots_.size() < most_slots_; });
    if (stopping_) return;
    const auto slot = std::make_shared<Slot>();
    const std::int64_t number = next_number_++;
    slots_.push_back(slot);
    std::vector<std::int64_t> rows = sampler_.next();
    lock.unlock();
    try {
      slot->batch = empty_batch(number, std::move(rows));
      const Group::Share share = group_.share(std::ssize(slot->batch.rows));
      fill_images(slot->batch, share.first, share.last, slot->batch.pixels.data_ptr<std::uint8_t>());
    } catch (...) {
      slot->problem = std::current_exception();
    }
    lock.lock();
    slot->ready = true;
    ready_.notify_all();
  }
}

Batch Loader::next() {
  if (workers_.empty()) {
    const Batch batch = empty_batch(next_number_++, sampler_.next());
    const Group::Share share = group_.share(std::ssize(batch.rows));
    parallel_for(share.first, share.last, 1, [&](std::int64_t first, std::int64_t last) {
      fill_images(batch, first, last,
                  batch.pixels.data_ptr<std::uint8_t>() + (first - share.first) * layout_.height * layout_.width);
    });
    return batch;
  }
  std::unique_lock lock(mutex_);
  ready_.wait(lock, [this] { return !slots_.empty() && slots_.front()->ready; });
  const std::shared_ptr<Slot> slot = slots_.front();
  slots_.pop_front();
  lock.unlock();
  room_.notify_one();
  if (slot->problem) std::rethrow_exception(slot->problem);
  return std::move(slot->batch);
}

}  // namespace osteon::training
