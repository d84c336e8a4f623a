#pragma once

// Batches made ready ahead of the network: read from the mapped images and augmented, by worker threads.

#include "training/augment.hpp"
#include "training/group.hpp"
#include "training/sampler.hpp"

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace osteon::training {

struct Batch {
  std::int64_t number = 0;         ///< from the first epoch's first one, 0, on
  std::vector<std::int64_t> rows;  ///< of the data
  at::Tensor pixels;               ///< uint8 `[n, H, W]`, augmented: this rank's share of the N
  at::Tensor labels;               ///< int64 `[N]`
};

/// The sampler's batches in its order. An image's augmentation depends on (seed, epoch, its row) alone and batches come
/// out in the order of their numbers, so neither the number of workers nor that of ranks changes anything but the time.
class Loader {
 public:
  /// Starts at batch `first`. With no worker each batch is made when it is asked for, on the threads of `parallel_for`.
  /// `pinned`: in page-locked memory, from which a CUDA device copies while it computes. `data` must outlive the
  /// loader, and so must `group`, of which this rank's share of the images is made.
  Loader(const Data& data, const Augmentation& augmentation, const Parameters& training, std::int64_t first,
         bool pinned, const Group& group = Group::alone());
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  [[nodiscard]] std::int64_t batches_per_epoch() const { return sampler_.batches_per_epoch(); }
  [[nodiscard]] Sampling sampling() const { return sampler_.sampling(); }
  /// The next batch. Rethrows what a worker threw.
  [[nodiscard]] Batch next();
  /// The images of all ranks' shares of a batch, made anew: uint8 `[N, H, W]`.
  [[nodiscard]] at::Tensor all_pixels(const Batch& batch) const;

 private:
  /// A batch in the making.
  struct Slot {
    bool ready = false;
    Batch batch;
    std::exception_ptr problem;
  };

  void work();
  /// Room for this rank's share of the images of these rows.
  [[nodiscard]] Batch empty_batch(std::int64_t number, std::vector<std::int64_t> rows) const;
  /// Makes images `first` … `last` - 1 of a batch, for the front of `pixels`.
  void fill_images(const Batch& batch, std::int64_t first, std::int64_t last, std::uint8_t* pixels) const;

  const Data& data_;
  Augmentation augmentation_;
  ImageLayout layout_;
  Sampler sampler_;
  std::uint64_t seed_;
  bool pinned_;
  const Group& group_;
  std::int64_t next_number_;  ///< of the sampler's next batch

  std::mutex mutex_;
  std::condition_variable room_, ready_;
  std::deque<std::shared_ptr<Slot>> slots_;  ///< in order of number
  std::size_t most_slots_ = 0;
  bool stopping_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace osteon::training
