// Our side of `scripts/peers search` beside scikit-learn: the classifiers as an experiment calls them, and what draws
// maps of embeddings, on the rows that benchmarks/embedding_peer.py wrote. Two threads. One task a call; prints the
// seconds of the computation alone and leaves its answer in the folder.
//
//     embedding-peer knn|svm|svm_search|pca|tsne FOLDER

#include "embedding/pca.hpp"
#include "embedding/tsne.hpp"
#include "host/handles.hpp"
#include "store/store.hpp"

#include <osteon/random.hpp>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <cstdio>
#include <iostream>

namespace osteon {
namespace {

using Clock = std::chrono::steady_clock;

struct Data {
  at::Tensor gallery, labels, queries;
};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

host::ClassifierHandle classifier(const std::string& task) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("classifier", task == "knn" ? "knn" : "svm");
  if (task == "knn") return {plugin, Parameters(plugin.schema, {{"k", std::int64_t{1}}})};
  const double c = task == "svm" ? 8 : 0, gamma = task == "svm" ? 1 : 0;  // 0: cross-validation
  return {plugin, Parameters(plugin.schema, {{"c", c}, {"gamma", gamma}, {"scale", std::string("none")}})};
}

/// The folds that the svm classifier deals with its seed 1, so that the other side can search on the same ones.
at::Tensor folds_of(const at::Tensor& labels) {
  constexpr std::int64_t kFolds = 5;
  at::Tensor fold = at::empty_like(labels);
  const std::int64_t classes = labels.max().item<std::int64_t>() + 1;
  for (std::int64_t c = 0; c < classes; ++c) {
    const at::Tensor members = labels.eq(c).nonzero().flatten();
    const std::vector<std::int64_t> order =
        Random(1, "svm folds", static_cast<std::uint64_t>(c)).permutation(members.numel());
    for (std::int64_t i = 0; i < members.numel(); ++i)
      fold[members[order[static_cast<std::size_t>(i)]].item<std::int64_t>()] = (i + c) % kFolds;
  }
  return fold;
}

double classify(const std::string& name, const Data& data, const std::filesystem::path& folder) {
  const host::ClassifierHandle own = classifier(name);
  const std::int64_t step = name == "svm_search" ? 3 : 1;
  const at::Tensor gallery = data.gallery.slice(0, 0, data.gallery.size(0), step).contiguous();
  const at::Tensor labels = data.labels.slice(0, 0, data.labels.size(0), step).contiguous();
  if (name == "svm_search") store::write_npy(folder / "folds.npy", folds_of(labels));
  const Clock::time_point start = Clock::now();
  own.fit(gallery, labels);
  const Prediction answer = own.predict(data.queries);
  const double seconds = seconds_since(start);
  store::write_npy(folder / ("ours-" + name + ".npy"), answer.labels);
  return seconds;
}

double components(const Data& data, const std::filesystem::path& folder) {
  (void)embedding::pca(data.gallery.narrow(0, 0, 200).contiguous(), 10);  // what only a first call costs
  const Clock::time_point start = Clock::now();
  const embedding::Pca own = embedding::pca(data.gallery, 10);
  const double seconds = seconds_since(start);
  store::write_npy(folder / "ours-pca.npy", at::tensor(own.explained, at::kDouble));
  return seconds;
}

double map(const Data& data, const std::filesystem::path& folder) {
  (void)embedding::tsne(data.gallery.narrow(0, 0, 200).contiguous(), {30, 10});
  const Clock::time_point start = Clock::now();
  const embedding::Tsne own = embedding::tsne(data.gallery, {});
  const double seconds = seconds_since(start);
  store::write_npy(folder / "ours-tsne.npy", own.points);
  return seconds;
}

double run(const std::string& task, const std::filesystem::path& folder) {
  const Data data{store::read_npy(folder / "gallery.npy"), store::read_npy(folder / "labels.npy"),
                  store::read_npy(folder / "queries.npy")};
  if (task == "pca") return components(data, folder);
  if (task == "tsne") return map(data, folder);
  return classify(task, data, folder);
}

}  // namespace
}  // namespace osteon

int main(int argc, char** argv) {
  using namespace osteon;
  at::set_num_threads(2);
  const std::string task = argc == 3 ? argv[1] : "";
  if (task != "knn" && task != "svm" && task != "svm_search" && task != "pca" && task != "tsne") {
    std::cerr << "embedding-peer knn|svm|svm_search|pca|tsne FOLDER\n";
    return 2;
  }
  try {
    std::printf("%.9f\n", run(task, argv[2]));
  } catch (const std::exception& e) {
    std::cerr << e.what() << "\n";
    return 1;
  }
  return 0;
}
