// Files of weights: which container a file is, and what all of them share.

#include "training/weights.hpp"

#include "training/weights_formats.hpp"

#include <ATen/Functions.h>

#include <algorithm>
#include <array>
#include <set>

namespace osteon::training {

std::int64_t StoredTensor::elements() const {
  std::int64_t count = 1;
  for (const std::int64_t size : sizes) count *= size;
  return count;
}

std::string shape_text(at::IntArrayRef sizes) {
  std::string result;
  for (const std::int64_t size : sizes) result += (result.empty() ? "" : " × ") + std::to_string(size);
  return result.empty() ? "scalar" : result;
}

std::string type_text(at::ScalarType type) {
  constexpr std::array<std::pair<at::ScalarType, const char*>, 10> kNames = {{{at::kFloat, "float32"},
                                                                              {at::kDouble, "float64"},
                                                                              {at::kHalf, "float16"},
                                                                              {at::kBFloat16, "bfloat16"},
                                                                              {at::kLong, "int64"},
                                                                              {at::kInt, "int32"},
                                                                              {at::kShort, "int16"},
                                                                              {at::kChar, "int8"},
                                                                              {at::kByte, "uint8"},
                                                                              {at::kBool, "bool"}}};
  for (const auto& [known, name] : kNames)
    if (known == type) return name;
  return c10::toString(type);
}

std::optional<std::int64_t> touched_elements(std::span<const std::int64_t> sizes,
                                             std::span<const std::int64_t> strides) {
  constexpr std::size_t kMostAxes = 16;
  constexpr std::int64_t kMost = std::int64_t{1} << 62;
  if (sizes.size() != strides.size() || sizes.size() > kMostAxes) return std::nullopt;
  std::int64_t last = 0, count = 1;
  bool empty = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] < 0 || strides[i] < 0) return std::nullopt;
    empty |= sizes[i] == 0;
    const std::int64_t size = std::max<std::int64_t>(sizes[i], 1);
    std::int64_t reach = 0;
    // LibTorch multiplies sizes of empty tensors too, so those must fit as well.
    if (__builtin_mul_overflow(count, size, &count) || __builtin_mul_overflow(size - 1, strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last) || count > kMost || last >= kMost)
      return std::nullopt;
  }
  return empty ? 0 : last + 1;
}

std::vector<std::int64_t> packed_strides(std::span<const std::int64_t> sizes) {
  std::vector<std::int64_t> strides(sizes.size(), 1);
  for (std::size_t i = sizes.size(); i-- > 1;) strides[i - 1] = strides[i] * std::max<std::int64_t>(sizes[i], 1);
  return strides;
}

void check_total(const StateDict& weights) {
  constexpr std::uint64_t kTimes = 4;  // shared tensors make two; more is no network
  std::uint64_t left = kTimes * weights.file->size();
  for (const StoredTensor& tensor : weights.tensors) {
    const auto elements = static_cast<std::uint64_t>(tensor.elements());
    if (elements > left / c10::elementSize(tensor.type))
      throw refusal(weights.file->path(), "its tensors together would take more than ", kTimes, " times the file's ",
                    weights.file->size(), " bytes: they repeat the same few numbers; it was made to fill the memory");
    left -= elements * c10::elementSize(tensor.type);
  }
}

const StoredTensor* StateDict::find(std::string_view name) const {
  const auto found = std::ranges::find(tensors, name, &StoredTensor::name);
  return found == tensors.end() ? nullptr : &*found;
}

at::Tensor StateDict::read(const StoredTensor& tensor) const {
  const std::int64_t touched = touched_elements(tensor.sizes, tensor.strides).value();
  at::Tensor flat = at::empty({touched}, tensor.type);
  file->read(tensor.first, flat.data_ptr(), flat.nbytes());
  if (touched == 0) return flat.reshape(tensor.sizes);
  return flat.as_strided(tensor.sizes, tensor.strides).contiguous();
}

StateDict read_state_dict(const std::filesystem::path& path, const std::string& key) {
  StateDict weights;
  weights.file = std::make_shared<const WeightsFile>(path);
  if (is_zip(*weights.file)) {
    read_zip(weights, key);
  } else if (is_legacy(*weights.file)) {
    read_legacy(weights, key);
  } else if (is_safetensors(*weights.file)) {
    if (!key.empty()) throw refusal(path, "no key \"", shown(key), "\": a .safetensors file holds one set of weights");
    read_safetensors(weights);
  } else {
    throw refusal(path, "no file of weights: expected PyTorch's .pth (written by torch.save) or .safetensors");
  }
  check_total(weights);
  return weights;
}

WrittenTensor written(std::string name, const at::Tensor& tensor) {
  return {std::move(name), tensor.scalar_type(), tensor.sizes().vec(), [tensor] { return tensor; }};
}

std::string_view bytes_of(const WrittenTensor& tensor, at::Tensor& holder) {
  holder = tensor.read().detach().cpu().contiguous();
  if (holder.scalar_type() != tensor.type || holder.sizes() != at::IntArrayRef(tensor.sizes))
    throw failure(text("tensor \"", tensor.name, "\" has another type or shape than was announced"));
  return {static_cast<const char*>(holder.data_ptr()), holder.nbytes()};
}

void write_weights(const std::filesystem::path& path, std::span<const WrittenTensor> tensors) {
  const std::string ending = path.extension().string();
  const bool zip = ending == ".pth" || ending == ".pt";
  if (!zip && ending != ".safetensors")
    throw refusal(path, "ends in \"", ending, "\"; weights are written as .pth or .safetensors");
  std::set<std::string_view> names;
  for (const WrittenTensor& tensor : tensors)
    if (!names.insert(tensor.name).second)
      throw refusal(path, "two tensors are named \"", shown(tensor.name), "\"; leave --drop-prefix out");
  WeightsSink sink(path);
  if (zip) {
    write_zip(sink, tensors);
  } else {
    write_safetensors(sink, tensors);
  }
  sink.finish();
}

}  // namespace osteon::training
