#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

namespace osteon {

/// Where memoised tensors outlive this process.
class MemoKeeper {
 public:
  virtual ~MemoKeeper() = default;
  /// The tensor that was kept under this name, or else what `make` gives, kept from now on. Called from any thread.
  virtual at::Tensor kept(const std::string& name, const std::function<at::Tensor()>& make) = 0;
};

/// What `memoised` asks from now on for what this process has not made; `nullptr`: nobody. Returns who was asked
/// before.
MemoKeeper* keep_memos_with(MemoKeeper* keeper);

}  // namespace osteon
