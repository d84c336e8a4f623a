#include "imaging/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace osteon::imaging {

namespace {

using Floats = float __attribute__((vector_size(32)));
constexpr std::int64_t kLanes = 8;

/// to[i] = Σ weight[t] · source[t][i].
OSTEON_CLONES void weighted_sum(const float* const* sources, const float* weights, std::int64_t taps, float* to,
                                std::int64_t count) {
  std::int64_t i = 0;
  for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
    Floats first{}, second{};
    for (std::int64_t t = 0; t < taps; ++t) {
      Floats a, b;
      std::memcpy(&a, sources[t] + i, sizeof a);
      std::memcpy(&b, sources[t] + i + kLanes, sizeof b);
      first += weights[t] * a;
      second += weights[t] * b;
    }
    std::memcpy(to + i, &first, sizeof first);
    std::memcpy(to + i + kLanes, &second, sizeof second);
  }
  for (; i < count; ++i) {
    float sum = 0;
    for (std::int64_t t = 0; t < taps; ++t) sum += weights[t] * sources[t][i];
    to[i] = sum;
  }
}

}  // namespace

std::vector<float> gaussian(double sigma) {
  if (sigma == 0) return {1.0F};
  const int radius = static_cast<int>(std::ceil(4 * sigma));
  std::vector<double> weights;
  double sum = 0;
  for (int i = -radius; i <= radius; ++i) sum += weights.emplace_back(std::exp(-0.5 * i * i / (sigma * sigma)));
  std::vector<float> kernel;
  for (const double weight : weights) kernel.push_back(static_cast<float>(weight / sum));
  return kernel;
}

void blur(const float* from, float* to, std::int64_t rows, std::int64_t columns, std::span<const float> kernel) {
  const auto taps = static_cast<std::int64_t>(kernel.size()), radius = taps / 2;
  std::vector<float> padded(static_cast<std::size_t>(columns + 2 * radius));
  std::vector<float> across(static_cast<std::size_t>(rows * columns));
  std::vector<const float*> sources(kernel.size());
  for (std::int64_t t = 0; t < taps; ++t) sources[static_cast<std::size_t>(t)] = padded.data() + t;
  for (std::int64_t row = 0; row < rows; ++row) {
    const float* line = from + row * columns;
    std::fill_n(padded.begin(), radius, line[0]);
    std::copy_n(line, columns, padded.begin() + radius);
    std::fill_n(padded.begin() + radius + columns, radius, line[columns - 1]);
    weighted_sum(sources.data(), kernel.data(), taps, across.data() + row * columns, columns);
  }
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t t = 0; t < taps; ++t)
      sources[static_cast<std::size_t>(t)] =
          across.data() + std::clamp<std::int64_t>(row + t - radius, 0, rows - 1) * columns;
    weighted_sum(sources.data(), kernel.data(), taps, to + row * columns, columns);
  }
}

OSTEON_CLONES void mix_to_grey(const float* water, const float* bone, float water_weight, float bone_weight,
                               float offset, std::uint8_t* to, std::int64_t count) {
  using Integers = std::int32_t __attribute__((vector_size(32)));
  using Bytes = std::uint8_t __attribute__((vector_size(8)));
  std::int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    Floats w, b;
    std::memcpy(&w, water + i, sizeof w);
    std::memcpy(&b, bone + i, sizeof b);
    Floats grey = water_weight * w + bone_weight * b + offset;
    const Floats black = {}, white = black + 255.0F;
    grey = grey > black ? grey : black;
    grey = grey < white ? grey : white;
    const Integers whole = __builtin_convertvector(grey + 0.5F, Integers);
    const Bytes bytes = __builtin_convertvector(whole, Bytes);
    std::memcpy(to + i, &bytes, sizeof bytes);
  }
  for (; i < count; ++i)
    to[i] = static_cast<std::uint8_t>(
        std::clamp(water_weight * water[i] + bone_weight * bone[i] + offset, 0.0F, 255.0F) + 0.5F);
}

}  // namespace osteon::imaging
