#pragma once

// What the classifiers' tests share.

#include <osteon/error.hpp>

#include <ATen/Functions.h>

#include <string>
#include <vector>

namespace osteon {

/// Row by row: float32 `[n, columns]`.
inline at::Tensor matrix(std::vector<float> values, std::int64_t columns) {
  return at::tensor(values).reshape({-1, columns}).contiguous();
}

/// Of the `Error` that the body throws.
template <class Body>
std::string message_of(Body body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace osteon
