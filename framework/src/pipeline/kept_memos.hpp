#pragma once

#include "sdk/memo_keeper.hpp"
#include "store/store.hpp"

#include <map>
#include <mutex>
#include <set>
#include <string>

namespace osteon::pipeline {

/// While it lives, what plugins memoise is kept in a store: the points of a sweep are processes of their own, and work
/// out once what they have in common.
class KeptMemos final : public MemoKeeper {
 public:
  /// `builds` are the plugins that may ask; a tensor is found again where they are the same.
  KeptMemos(store::Store& store, std::map<std::string, std::string> builds);
  KeptMemos(const KeptMemos&) = delete;
  KeptMemos& operator=(const KeptMemos&) = delete;
  ~KeptMemos() override;

  at::Tensor kept(const std::string& name, const std::function<at::Tensor()>& make) override;
  /// Of the artifacts that hold what was asked for.
  [[nodiscard]] const std::set<std::string>& keys() const { return keys_; }

 private:
  store::Store& store_;
  std::map<std::string, std::string> builds_;
  std::mutex storing_;
  std::set<std::string> keys_;
  MemoKeeper* before_;
};

}  // namespace osteon::pipeline
