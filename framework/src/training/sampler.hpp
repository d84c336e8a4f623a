#pragma once

// P×K batches: which images are seen together.

#include "training/training.hpp"

namespace osteon::training {

/// Batches of P different classes with K different images each. Classes take turns, and within a class its images do:
/// after any number of batches no image of a class was used twice more often than another one of the same class.
class Sampler {
 public:
  /// Throws `Error` where `data` can't fill one batch: fewer than two classes, a class with less than two training
  /// images, more than there is.
  Sampler(const Data& data, const Parameters& training);

  /// As many as see the training images once, on average.
  [[nodiscard]] std::int64_t batches_per_epoch() const { return batches_per_epoch_; }
  /// Rows of `data` of the next batch, class after class.
  [[nodiscard]] std::vector<std::int64_t> next();

 private:
  /// Items in a random order, then in another one, and so on.
  struct Queue {
    std::vector<std::int64_t> items, waiting;
    std::string purpose;
    std::uint64_t round = 0;
  };
  /// The next `count` different items of a queue; `count` is at most their number.
  [[nodiscard]] std::vector<std::int64_t> take(Queue& queue, std::int64_t count) const;

  std::uint64_t seed_;
  std::int64_t classes_per_batch_, images_per_class_;
  std::int64_t batches_per_epoch_ = 0;
  Queue classes_;
  std::vector<Queue> images_;
};

}  // namespace osteon::training
