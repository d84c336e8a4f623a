// Fingerprints of many images, a few at a time.

#include "training/runtime.hpp"
#include "training/training.hpp"

#include <osteon/parallel.hpp>

#include <ATen/ATen.h>

#include <algorithm>

namespace osteon::training {

namespace {

/// Images in a chunk: a network's largest maps hold about 64 numbers a pixel, several of them alive at once; half a
/// gigabyte for these keeps a processor busy and lets 800 × 800 pixels through.
std::int64_t chunk_size(const Pixels& pixels) {
  constexpr std::int64_t kBytes = std::int64_t{1} << 29, kBytesPerPixel = 64 * 4 * 3;
  return std::clamp<std::int64_t>(kBytes / (pixels.height() * pixels.width() * kBytesPerPixel), 1, 64);
}

}  // namespace

at::Tensor embed_changed(FingerprintNetwork& network, const Pixels& pixels, std::span<const std::int64_t> rows,
                         const Parameters& training, const ChangeImages& change,
                         const std::function<void(std::int64_t, std::int64_t)>& progress) {
  const ThreadScope threads(resolved_threads(training));
  const at::Device device = resolved_device(training);
  const at::NoGradGuard no_graph;
  const AutocastScope autocast(device, resolved_precision(training) == "bf16");
  const bool was_training = network.is_training();
  prepare_device(device);
  network.to(device);
  network.eval();
  const std::int64_t images = std::ssize(rows);
  at::Tensor result = at::empty({images, network.embedding_size()}, at::kFloat);
  const std::int64_t chunk = images > 0 ? chunk_size(pixels) : 1;
  for (std::int64_t first = 0; first < images; first += chunk) {
    throw_if_stopped();
    const std::int64_t last = std::min(images, first + chunk);
    const auto chunk_rows = rows.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
    at::Tensor images_now = pixels.gather(chunk_rows);
    if (change) change(images_now, chunk_rows);
    result.slice(0, first, last).copy_(network.forward(images_now.to(device)));
    if (progress) progress(last, images);
  }
  network.train(was_training);
  return result;
}

at::Tensor embed(FingerprintNetwork& network, const Pixels& pixels, std::span<const std::int64_t> rows,
                 const Parameters& training, const std::function<void(std::int64_t, std::int64_t)>& progress) {
  return embed_changed(network, pixels, rows, training, {}, progress);
}

}  // namespace osteon::training
