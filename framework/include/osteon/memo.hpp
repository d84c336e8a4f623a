#pragma once

#include <osteon/export.hpp>

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

namespace osteon {

/// The tensor of this name, made the first time that anything asks for it: what several plugins, or one plugin in
/// several folds or runs, would work out alike. `name` must say everything that the tensor depends on (a digest of it),
/// parameters included. Who asks while it is being made waits. Kept until the process ends, and by a run in its store
/// until one of the shape and metric plugins that it evaluates with is rebuilt; nobody may change it.
OSTEON_API at::Tensor memoised(const std::string& name, const std::function<at::Tensor()>& make);

}  // namespace osteon
