#pragma once

// A restricted reader of Python's pickles (Python documentation, module pickletools): tensors, containers, numbers and
// texts, which is what a state_dict holds. A pickle is a program; anything in it that would call a function other than
// PyTorch's own way of putting a tensor together is refused by its name.

#include "training/weights_file.hpp"

#include <c10/core/ScalarType.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace osteon::training {

/// One value of a pickle: a number, or the place of something larger in `Pickle`.
struct PickleValue {
  enum class Kind : std::uint8_t { none, flag, integer, real, text, list, dictionary, global, storage, tensor, other };
  Kind kind = Kind::none;
  std::int64_t number = 0;

  [[nodiscard]] bool is(Kind wanted) const { return kind == wanted; }
};

struct PickledStorage {
  std::string key;                     ///< names the storage's bytes
  std::optional<at::ScalarType> type;  ///< none: `elements` are bytes
  std::int64_t elements = 0;           ///< of the whole storage
  std::int64_t first = 0;              ///< where a view into it starts (files before PyTorch 0.4)
};

struct PickledTensor {
  std::size_t storage = 0;
  at::ScalarType type = at::kFloat;
  std::int64_t offset = 0;  ///< of its first element, in elements from the storage's start
  std::vector<std::int64_t> sizes, strides;
  bool is_complete = false;
};

/// A whole pickle: values refer to each other by place, so that neither depth nor cycles need recursion.
struct Pickle {
  PickleValue root;
  std::vector<std::string> texts;
  std::vector<std::vector<PickleValue>> lists;  ///< and tuples
  std::vector<std::vector<std::pair<PickleValue, PickleValue>>> dictionaries;
  std::vector<PickledStorage> storages;
  std::vector<PickledTensor> tensors;

  [[nodiscard]] const std::string* text(PickleValue value) const {
    return value.is(PickleValue::Kind::text) ? &texts[static_cast<std::size_t>(value.number)] : nullptr;
  }
  [[nodiscard]] const std::vector<PickleValue>* list(PickleValue value) const {
    return value.is(PickleValue::Kind::list) ? &lists[static_cast<std::size_t>(value.number)] : nullptr;
  }
  [[nodiscard]] const std::vector<std::pair<PickleValue, PickleValue>>* dictionary(PickleValue value) const {
    return value.is(PickleValue::Kind::dictionary) ? &dictionaries[static_cast<std::size_t>(value.number)] : nullptr;
  }
};

/// The bytes of one or more pickles inside a file, and how much memory may still be taken for what they build: 16 MiB
/// and twice the file's size.
class PickleInput {
 public:
  PickleInput(const WeightsFile& file, std::uint64_t first, std::uint64_t size)
      : file_(file), place_(first), end_(first + size), allowance_((std::uint64_t{16} << 20) + 2 * file.size()) {}

  [[nodiscard]] const WeightsFile& file() const { return file_; }
  [[nodiscard]] std::uint64_t place() const { return place_; }
  /// The next bytes; valid until the next call. Throws `Error` beyond the end.
  std::string_view take(std::uint64_t bytes);
  std::uint64_t integer(std::size_t bytes) { return little_endian(take(bytes), 0, bytes); }
  /// Up to a line's end, which is left out.
  std::string line();
  /// Counts memory that is about to be taken. Throws `Error` when the allowance is used up.
  void charge(std::uint64_t bytes);

 private:
  const WeightsFile& file_;
  std::uint64_t place_, end_, allowance_;
  std::string buffer_;
  std::uint64_t buffer_first_ = 0;
};

/// Reads one pickle, protocols 2 to 5. Throws `Error` for everything that a state_dict doesn't need.
[[nodiscard]] Pickle read_pickle(PickleInput& input);

}  // namespace osteon::training
