#pragma once

// How the processes of a group speak with each other.

#include "training/launch.hpp"

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

namespace osteon::training {

/// All members wait at most as long as the other processes live; then they throw a failure that names the lost one, or
/// the stop signal where one was stopped. All ranks call the last three in the same order.
class Link {
 public:
  virtual ~Link() = default;

  /// How many of the processes, this one included, may run on the same cores of the same machine.
  [[nodiscard]] virtual int sharing_cores() const = 0;
  /// Leaves words for the others, of rank 0.
  virtual void say(const std::string& key, const std::string& words) = 0;
  /// Waits for these words.
  [[nodiscard]] virtual std::string hear(const std::string& key) = 0;

  /// In place, over all ranks.
  virtual void sum(at::Tensor& tensor) = 0;
  /// In place, rank 0's.
  virtual void copy_from_first(at::Tensor& tensor) = 0;
  /// One tensor of this shape from each rank, in order.
  [[nodiscard]] virtual std::vector<at::Tensor> gather(const at::Tensor& tensor) = 0;

  /// Tells the others what went wrong ("": nothing did), or that this rank was stopped, and waits until rank 0 may go.
  virtual void leave(bool is_stop, const std::string& problem) = 0;
};

/// Meets the others; errors are those of `Group`'s constructor.
[[nodiscard]] std::unique_ptr<Link> meet(const Launch& launch, const std::string& purpose, at::Device device);

}  // namespace osteon::training
