#include "pipeline/kept_memos.hpp"

namespace osteon::pipeline {

namespace {

constexpr const char* kTensor = "tensor";

}  // namespace

KeptMemos::KeptMemos(store::Store& store, std::map<std::string, std::string> builds)
    : store_(store), builds_(std::move(builds)), before_(keep_memos_with(this)) {}

KeptMemos::~KeptMemos() { keep_memos_with(before_); }

at::Tensor KeptMemos::kept(const std::string& name, const std::function<at::Tensor()>& make) {
  store::Ingredients ingredients{"memo", name, builds_};
  ingredients.parts["memo.name"] = name;
  const std::string key = ingredients.key();
  // Another process may be making the same; within this one a name is asked for once at a time (`memoised`).
  const store::Lock lock = store_.lock(key);
  {
    const std::lock_guard turn(storing_);
    keys_.insert(key);
    if (store_.use(key)) return store_.load(key).tensors.at(kTensor);
  }
  at::Tensor tensor = make();
  const std::lock_guard turn(storing_);
  store_.put(ingredients, {nlohmann::json::object(), {{kTensor, tensor}}});
  return tensor;
}

}  // namespace osteon::pipeline
