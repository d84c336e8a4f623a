#pragma once

// The processes that train one network together, each on its share of every batch (data-parallel training): LibTorch's
// c10d, over Gloo on processors and NCCL on CUDA devices where LibTorch has it.

#include "training/link.hpp"

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>

namespace osteon::training {

/// One of the processes, and how it speaks with the others. All call the same members in the same order. When one of
/// them is lost or ends with an error, the others throw a failure that names it from whatever they are waiting in,
/// within `kSilence` seconds; when one is stopped (Ctrl-C), so are the others.
class Group {
 public:
  /// How long nothing may be heard of a process before it counts as lost, in seconds. One whose connections break (it
  /// was killed) is told from the rest within a few.
  static constexpr double kSilence = 30;

  /// This process by itself: rank 0 of 1. All that it says or gathers comes back as it is.
  [[nodiscard]] static Group& alone();

  /// Meets the other processes of `launch`; alone where there are none. All must bring the same `purpose` (experiment
  /// and program, by digest). Tensors travel by way of `device`: NCCL's or the processor. Throws `Error` when rank 0
  /// can't listen or isn't reached, when somebody is missing after `launch.join_seconds`, comes twice or for another
  /// purpose, or when LibTorch was built without c10d or Gloo.
  Group(const Launch& launch, const std::string& purpose, at::Device device = at::kCPU);
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  [[nodiscard]] int rank() const { return rank_; }
  [[nodiscard]] int size() const { return size_; }
  /// Rank 0: the one that does all that needs doing once.
  [[nodiscard]] bool is_first() const { return rank_ == 0; }
  /// How many of the processes, this one included, may run on the same cores of the same machine.
  [[nodiscard]] int sharing_cores() const { return link_ ? link_->sharing_cores() : 1; }

  /// A range of `count` things.
  struct Share {
    std::int64_t first, last;
    [[nodiscard]] std::int64_t count() const { return last - first; }
  };
  /// This rank's: shares follow each other by rank, and differ by one in size at most.
  [[nodiscard]] Share share(std::int64_t count) const { return share_of(rank_, count); }

  /// Rank 0's text, whenever it comes: the others wait for it as long as rank 0 lives.
  [[nodiscard]] std::string from_first(const std::string& words);
  /// The same of a yes or no.
  [[nodiscard]] bool decided_by_first(bool answer) { return from_first(answer ? "yes" : "no") == "yes"; }

  /// In place, over all ranks: the sum of a float tensor's values, the same bits in every rank.
  void sum(at::Tensor& tensor);
  /// In place: rank 0's values.
  void copy_from_first(at::Tensor& tensor);
  /// Every rank's rows below each other, `[count, …]` from this rank's `[share(count).count(), …]`, without a graph.
  [[nodiscard]] at::Tensor gather(const at::Tensor& rows, std::int64_t count);

  /// Says goodbye with what went wrong ("": nothing did), which the others then tell their users. Rank 0 waits until
  /// the others have gone.
  void leave(const std::string& problem);
  /// The same of who was asked to stop.
  void leave_stopped();

 private:
  Group() = default;
  [[nodiscard]] Share share_of(int rank, std::int64_t count) const {
    return {count * rank / size_, count * (rank + 1) / size_};
  }

  int rank_ = 0, size_ = 1;
  std::int64_t words_ = 0;      ///< how many times `from_first` was called
  std::unique_ptr<Link> link_;  ///< none where this process is alone
};

}  // namespace osteon::training
