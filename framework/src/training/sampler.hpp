#pragma once

// Which images are seen together.

#include "training/training.hpp"

namespace osteon::training {

/// How batches are put together ([training] sampling).
enum class Sampling {
  classes,   ///< P different classes with K different images each (Hermans, Beyer, Leibe 2017)
  triplets,  ///< random triplets, the study's: anchors, then their positives, then their negatives
  images     ///< images in random order, whatever their class
};

/// A sequence of batches that depends on the data and the seed alone.
///
/// Classes: they take turns, and within a class its images do; after any number of batches no image of a class was used
/// twice more often than another one of the same class. Triplets: each training image is an anchor once an epoch; its
/// positive is any other image of its class, its negative any image of another one. Images: each once an epoch.
class Sampler {
 public:
  /// Throws `Error` where `data` can't fill one batch: fewer than two classes, a class with less than two training
  /// images (unless batches are of images), more than there is.
  Sampler(const Data& data, const Parameters& training);

  [[nodiscard]] Sampling sampling() const { return sampling_; }
  /// As many as see the training images once, on average; as anchors, for triplets.
  [[nodiscard]] std::int64_t batches_per_epoch() const { return batches_per_epoch_; }
  /// Images of the smallest batch that may come.
  [[nodiscard]] std::int64_t smallest_batch() const;
  /// Rows of `data` of the next batch: class after class, or anchors, positives and negatives, or as they come.
  [[nodiscard]] std::vector<std::int64_t> next();
  /// Goes on as if `batches` had been drawn.
  void skip(std::int64_t batches);

 private:
  /// Items in a random order, then in another one, and so on.
  struct Queue {
    std::vector<std::int64_t> items, waiting;
    std::string purpose;
    std::uint64_t round = 0;
  };
  void prepare_classes(const Data& data, const Parameters& training);
  void prepare_images(const Data& data, const Parameters& training);
  /// The next `count` different items of a queue; `count` is at most their number.
  [[nodiscard]] std::vector<std::int64_t> take(Queue& queue, std::int64_t count) const;
  [[nodiscard]] std::vector<std::int64_t> next_classes();
  [[nodiscard]] std::vector<std::int64_t> next_triplets();

  Sampling sampling_;
  std::uint64_t seed_;
  std::int64_t classes_per_batch_ = 0, images_per_class_ = 0;  ///< of batches of classes
  std::int64_t batch_size_ = 0;                                ///< of batches of triplets or images
  std::int64_t batches_per_epoch_ = 0;
  std::uint64_t drawn_ = 0;
  std::vector<std::int64_t> label_of_row_;
  Queue classes_, all_images_;
  std::vector<Queue> images_;  ///< of each class
};

}  // namespace osteon::training
