#pragma once

#include <osteon/export.hpp>

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>

namespace osteon {

/// The tensor of this name, made the first time that anything in this process asks for it: what several plugins, or one
/// plugin in several folds, would work out alike. `name` must say everything that the tensor depends on (a digest of
/// it). Who asks while it is being made waits. Kept until the process ends; nobody may change it.
OSTEON_API at::Tensor memoised(const std::string& name, const std::function<at::Tensor()>& make);

}  // namespace osteon
