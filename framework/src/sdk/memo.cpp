#include "sdk/memo_keeper.hpp"

#include <osteon/memo.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

namespace osteon {

namespace {

struct Slot {
  std::mutex making;
  at::Tensor tensor;
};

std::atomic<MemoKeeper*> memo_keeper = nullptr;

}  // namespace

MemoKeeper* keep_memos_with(MemoKeeper* keeper) { return memo_keeper.exchange(keeper); }

at::Tensor memoised(const std::string& name, const std::function<at::Tensor()>& make) {
  static std::mutex guard;
  static std::map<std::string, std::unique_ptr<Slot>> slots;
  Slot* slot = nullptr;
  {
    const std::lock_guard lock(guard);
    auto& found = slots[name];
    if (!found) found = std::make_unique<Slot>();
    slot = found.get();
  }
  const std::lock_guard lock(slot->making);  // an error leaves it empty, and the next one tries again
  if (slot->tensor.defined()) return slot->tensor;
  MemoKeeper* const keeper = memo_keeper;
  slot->tensor = keeper == nullptr ? make() : keeper->kept(name, make);
  return slot->tensor;
}

}  // namespace osteon
