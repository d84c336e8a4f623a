// A pickle's bytes, block by block, and the bound on what it may build.

#include "training/weights_pickle.hpp"

#include <algorithm>

namespace osteon::training {

std::string_view PickleInput::take(std::uint64_t bytes) {
  constexpr std::uint64_t kBlock = 1 << 16;
  if (bytes > end_ - place_) throw refusal(file_.path(), "damaged or cut off: its pickle goes on beyond its end");
  if (place_ < buffer_first_ || place_ - buffer_first_ > buffer_.size() ||
      bytes > buffer_.size() - (place_ - buffer_first_)) {
    buffer_ = file_.read(place_, std::min(std::max(bytes, kBlock), end_ - place_));
    buffer_first_ = place_;
  }
  const std::string_view result(buffer_.data() + (place_ - buffer_first_), bytes);
  place_ += bytes;
  return result;
}

std::string PickleInput::line() {
  constexpr std::size_t kLongest = 1000;
  std::string result;
  for (char c = take(1).front(); c != '\n'; c = take(1).front()) {
    result += c;
    if (result.size() > kLongest) throw refusal(file_.path(), "damaged: a name in its pickle has no end");
  }
  return result;
}

void PickleInput::charge(std::uint64_t bytes) {
  if (bytes > allowance_)
    throw refusal(file_.path(), "its pickle builds far more than a file of ", file_.size(),
                  " bytes of weights needs; it was made to fill the memory");
  allowance_ -= bytes;
}

}  // namespace osteon::training
