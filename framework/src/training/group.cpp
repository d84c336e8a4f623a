// The processes of a data-parallel training; see the header.

#include "training/group.hpp"

#include <osteon/error.hpp>

#include <ATen/Functions.h>

namespace osteon::training {

Group& Group::alone() {
  static Group group;
  return group;
}

Group::Group(const Launch& launch, const std::string& purpose, at::Device device)
    : rank_(launch.rank),
      size_(launch.size),
      link_(launch.size > 1 ? meet(launch, purpose, device) : std::unique_ptr<Link>()) {}

std::string Group::from_first(const std::string& words) {
  if (!link_) return words;
  const std::string key = text("words/", words_++);
  if (!is_first()) return link_->hear(key);
  link_->say(key, words);
  return words;
}

void Group::sum(at::Tensor& tensor) {
  if (link_) link_->sum(tensor);
}

void Group::copy_from_first(at::Tensor& tensor) {
  if (link_) link_->copy_from_first(tensor);
}

at::Tensor Group::gather(const at::Tensor& rows, std::int64_t count) {
  if (rows.size(0) != share(count).count())
    throw failure(text("training: ", rows.size(0), " rows for a share of ", share(count).count()));
  if (!link_) return rows.detach();
  // All ranks send as much as the largest share; what is beyond a rank's own is cut off again.
  std::vector<std::int64_t> sizes = rows.sizes().vec();
  sizes.front() = (count + size_ - 1) / size_;
  at::Tensor padded = at::zeros(sizes, rows.options());
  padded.narrow(0, 0, rows.size(0)).copy_(rows.detach());
  std::vector<at::Tensor> parts = link_->gather(padded);
  for (int rank = 0; rank < size_; ++rank) {
    at::Tensor& part = parts[static_cast<std::size_t>(rank)];
    part = part.narrow(0, 0, share_of(rank, count).count());
  }
  return at::cat(parts);
}

void Group::leave(const std::string& problem) {
  if (link_) link_->leave(false, problem);
}

void Group::leave_stopped() {
  if (link_) link_->leave(true, "stopped");
}

}  // namespace osteon::training
