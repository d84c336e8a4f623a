// Batches.

#include "training/sampler.hpp"

#include <osteon/random.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace osteon::training {

namespace {

Sampling sampling_of(std::string_view word) {
  if (word == "triplets") return Sampling::triplets;
  return word == "images" ? Sampling::images : Sampling::classes;
}

std::int64_t rounds(std::int64_t images, std::int64_t batch) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(images) / static_cast<double>(batch)));
}

}  // namespace

Sampler::Sampler(const Data& data, const Parameters& training)
    : sampling_(sampling_of(training.text("sampling"))), seed_(static_cast<std::uint64_t>(training.integer("seed"))) {
  if (data.classes < 2)
    throw Error(text("training needs at least 2 classes and there ", data.classes == 1 ? "is 1" : "are none",
                     "; give more bones, or hold fewer out"));
  const std::int64_t* labels = data.labels.data_ptr<std::int64_t>();
  label_of_row_.assign(labels, labels + data.labels.numel());
  images_.resize(static_cast<std::size_t>(data.classes));
  for (const std::int64_t row : data.training) images_.at(static_cast<std::size_t>(labels[row])).items.push_back(row);
  for (std::size_t label = 0; label < images_.size(); ++label)
    images_[label].purpose = text("batches:images of class ", label);
  if (sampling_ == Sampling::classes) {
    prepare_classes(data, training);
  } else {
    prepare_images(data, training);
  }
  for (std::size_t label = 0; label < images_.size(); ++label)
    if (images_[label].items.size() < 2 && sampling_ != Sampling::images)
      throw Error(
          text("class ", label, " has ", images_[label].items.size(),
               " training image(s) and a pair needs 2; render more images of each bone, or leave this one out"));
}

void Sampler::prepare_classes(const Data& data, const Parameters& training) {
  classes_per_batch_ = std::min(training.integer("classes_per_batch"), data.classes);
  images_per_class_ = training.integer("images_per_class");
  const std::int64_t wanted = classes_per_batch_ * images_per_class_;
  const auto images = static_cast<std::int64_t>(data.training.size());
  if (wanted > images)
    throw Error(text("a batch of ", classes_per_batch_, " classes × ", images_per_class_, " images is larger than the ",
                     images, " training images; lower training.images_per_class or training.classes_per_batch"));
  classes_.items.resize(images_.size());
  std::iota(classes_.items.begin(), classes_.items.end(), 0);
  classes_.purpose = "batches:classes";
  batches_per_epoch_ = rounds(images, wanted);
}

void Sampler::prepare_images(const Data& data, const Parameters& training) {
  batch_size_ = training.integer("batch_size");
  const auto images = static_cast<std::int64_t>(data.training.size());
  if (batch_size_ > images)
    throw Error(text("a batch of ", batch_size_, sampling_ == Sampling::triplets ? " triplets" : " images",
                     " is larger than the ", images, " training images; lower training.batch_size"));
  all_images_.items = data.training;
  all_images_.purpose = "batches:images";
  batches_per_epoch_ = rounds(images, batch_size_);
}

std::int64_t Sampler::smallest_batch() const {
  if (sampling_ == Sampling::images) return batch_size_;
  if (sampling_ == Sampling::triplets) return 3 * batch_size_;
  std::vector<std::int64_t> counts;
  for (const Queue& images : images_) counts.push_back(std::min(images_per_class_, std::ssize(images.items)));
  std::ranges::sort(counts);
  return std::accumulate(counts.begin(), counts.begin() + classes_per_batch_, std::int64_t{0});
}

std::vector<std::int64_t> Sampler::take(Queue& queue, std::int64_t count) const {
  std::vector<std::int64_t> taken, put_back;
  while (static_cast<std::int64_t>(taken.size()) < count) {
    if (queue.waiting.empty())
      for (const std::int64_t index :
           Random(seed_, queue.purpose, queue.round++).permutation(static_cast<std::int64_t>(queue.items.size())))
        queue.waiting.push_back(queue.items[static_cast<std::size_t>(index)]);
    const std::int64_t item = queue.waiting.back();
    queue.waiting.pop_back();
    // Two rounds meet inside this batch: what it already holds stays first in line for the next one.
    (std::ranges::find(taken, item) == taken.end() ? taken : put_back).push_back(item);
  }
  queue.waiting.insert(queue.waiting.end(), put_back.begin(), put_back.end());
  return taken;
}

std::vector<std::int64_t> Sampler::next_classes() {
  std::vector<std::int64_t> rows;
  for (const std::int64_t label : take(classes_, classes_per_batch_)) {
    Queue& images = images_[static_cast<std::size_t>(label)];
    const std::int64_t count = std::min(images_per_class_, static_cast<std::int64_t>(images.items.size()));
    const std::vector<std::int64_t> chosen = take(images, count);
    rows.insert(rows.end(), chosen.begin(), chosen.end());
  }
  return rows;
}

std::vector<std::int64_t> Sampler::next_triplets() {
  const std::vector<std::int64_t> anchors = take(all_images_, batch_size_);
  std::vector<std::int64_t> rows = anchors;
  Random random(seed_, "batches:triplets", drawn_);
  const auto any_of = [&random](const std::vector<std::int64_t>& items) { return items[random.below(items.size())]; };
  for (const std::int64_t anchor : anchors) {
    const auto& own = images_[static_cast<std::size_t>(label_of_row_[static_cast<std::size_t>(anchor)])].items;
    std::int64_t positive = anchor;
    while (positive == anchor) positive = any_of(own);
    rows.push_back(positive);
  }
  for (const std::int64_t anchor : anchors) {
    const auto label = [&](std::int64_t row) { return label_of_row_[static_cast<std::size_t>(row)]; };
    std::int64_t negative = anchor;
    while (label(negative) == label(anchor)) negative = any_of(all_images_.items);
    rows.push_back(negative);
  }
  return rows;
}

std::vector<std::int64_t> Sampler::next() {
  std::vector<std::int64_t> rows;
  switch (sampling_) {
    case Sampling::classes:
      rows = next_classes();
      break;
    case Sampling::triplets:
      rows = next_triplets();
      break;
    case Sampling::images:
      rows = take(all_images_, batch_size_);
      break;
  }
  ++drawn_;
  return rows;
}

void Sampler::skip(std::int64_t batches) {
  for (; batches > 0; --batches) (void)next();
}

}  // namespace osteon::training
