#pragma once

// What the readers and writers of the single formats share.

#include "training/weights.hpp"

#include <optional>

namespace osteon::training {

/// Elements from the first to the last that a tensor of these sizes and strides touches, 0 when it is empty; nothing
/// when a number is negative, they don't belong together or don't fit 62 bits.
[[nodiscard]] std::optional<std::int64_t> touched_elements(std::span<const std::int64_t> sizes,
                                                           std::span<const std::int64_t> strides);
/// Strides of a tensor whose elements lie one after the other.
[[nodiscard]] std::vector<std::int64_t> packed_strides(std::span<const std::int64_t> sizes);

/// Throws `Error` when the tensors together are much larger than the file: many names for the same few numbers.
void check_total(const StateDict& weights);

[[nodiscard]] bool is_safetensors(const WeightsFile& file);
void read_safetensors(StateDict& weights);
void write_safetensors(WeightsSink& sink, std::span<const WrittenTensor> tensors);

[[nodiscard]] bool is_zip(const WeightsFile& file);
[[nodiscard]] bool is_legacy(const WeightsFile& file);
void read_zip(StateDict& weights, const std::string& key);
void read_legacy(StateDict& weights, const std::string& key);
void write_zip(WeightsSink& sink, std::span<const WrittenTensor> tensors);

/// A tensor's bytes, contiguous on the processor; `holder` keeps them. Throws a failure when it isn't what was
/// promised.
[[nodiscard]] std::string_view bytes_of(const WrittenTensor& tensor, at::Tensor& holder);

}  // namespace osteon::training
