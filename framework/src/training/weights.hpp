#pragma once

// Weights of networks in files: PyTorch's .pth (the zip container of PyTorch ≥ 1.6 and the one before it) and
// .safetensors, read and written.

#include "training/weights_file.hpp"

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace osteon::training {

/// A tensor of a file. Its numbers stay there until `StateDict::read`.
struct StoredTensor {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<std::int64_t> sizes, strides;  ///< strides in elements; several tensors may share their numbers
  std::uint64_t first = 0;                   ///< byte of the first element in the file

  [[nodiscard]] std::int64_t elements() const;
};

/// "float32 64 × 3 × 7 × 7", "int64 scalar".
[[nodiscard]] std::string shape_text(at::IntArrayRef sizes);
[[nodiscard]] std::string type_text(at::ScalarType type);

/// The named tensors of a file, exactly as stored.
struct StateDict {
  std::shared_ptr<const WeightsFile> file;
  std::string container;              ///< "zip (PyTorch 1.6 or newer)", "legacy (before PyTorch 1.6)", "safetensors"
  std::string key;                    ///< the dictionary that holds them: "state_dict", "ema.model"; "" is the whole
  std::vector<StoredTensor> tensors;  ///< in the file's order
  std::vector<std::string> others;    ///< names beside them that stand for no tensor

  [[nodiscard]] const StoredTensor* find(std::string_view name) const;
  /// A contiguous tensor of its own, of the stored type. Throws `Error` when the file has changed meanwhile.
  [[nodiscard]] at::Tensor read(const StoredTensor& tensor) const;
};

/// Looks at what a file of weights holds: its container is told by its content, every size is checked against the
/// file's. `key` names the dictionary of tensors where a .pth has several; "" takes the only one. Throws `Error` that
/// names the file (not its folder): no such container, damaged, made to run code or to fill memory, no weights, several
/// dictionaries (all are named).
[[nodiscard]] StateDict read_state_dict(const std::filesystem::path& path, const std::string& key = "");

/// A tensor to be written; `read` is called once, when its turn has come, so that one at a time is in memory.
struct WrittenTensor {
  std::string name;
  at::ScalarType type = at::kFloat;
  std::vector<std::int64_t> sizes;
  std::function<at::Tensor()> read;
};
[[nodiscard]] WrittenTensor written(std::string name, const at::Tensor& tensor);

/// Writes .safetensors, or the zip container that Python's torch.load reads, by the name's ending (.pth, .pt). The file
/// appears under its name when it is complete and on the disk. Throws `Error` for another ending, for two tensors of
/// one name and for types that the format has not; a failure when the disk is full.
void write_weights(const std::filesystem::path& path, std::span<const WrittenTensor> tensors);

}  // namespace osteon::training
