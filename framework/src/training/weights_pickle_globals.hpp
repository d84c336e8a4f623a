#pragma once

// The few Python names that a state_dict's pickle may use.

#include <c10/core/ScalarType.h>

#include <optional>
#include <string_view>

namespace osteon::training {

struct PickleGlobal {
  enum class What {
    ordered_dictionary,
    size,
    rebuild_tensor,     ///< (storage, offset, sizes, strides, …)
    rebuild_tensor_v3,  ///< the same, with the type as seventh: storages of bytes
    rebuild_parameter,  ///< (tensor, …)
    parameter,          ///< files before PyTorch 0.4: made empty or of a tensor, then given a state
    tensor_class,       ///< the same for buffers
    storage,
    untyped_storage,
    type
  };
  What what = What::ordered_dictionary;
  at::ScalarType type = at::kFloat;  ///< of `storage`, `tensor_class` and `type`
};

/// What "collections.OrderedDict" and so on stands for; nothing for every other name.
[[nodiscard]] std::optional<PickleGlobal> known_global(std::string_view module, std::string_view name);

}  // namespace osteon::training
