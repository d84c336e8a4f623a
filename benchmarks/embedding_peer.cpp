// Our side of `scripts/peers search` beside scikit-learn: the classifiers as an experiment calls them, and what draws
// maps of embeddings, on the rows that benchmarks/embedding_peer.py wrote. Two threads. One task a call; prints the
// seconds of the computation alone and leaves its answer in the folder.
//
//     embedding-peer knn|svm|pca|tsne FOLDER

#include "embedding/pca.hpp"
#include "embedding/tsne.hpp"
#include "host/handles.hpp"
#include "store/store.hpp"

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

host::ClassifierHandle classifier(const std::string& name) {
  static host::Registry registry({std::filesystem::path(OSTEON_BUILD_DIR) / "lib/osteon/plugins"});
  const host::LoadedPlugin& plugin = registry.find("classifier", name);
  if (name == "knn") return {plugin, Parameters(plugin.schema, {{"k", std::int64_t{1}}})};
  return {plugin, Parameters(plugin.schema, {{"c", 8.0}, {"gamma", 1.0}, {"scale", std::string("none")}})};
}

double classify(const std::string& name, const Data& data, const std::filesystem::path& folder) {
  const host::ClassifierHandle own = classifier(name);
  const Clock::time_point start = Clock::now();
  own.fit(data.gallery, data.labels);
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
  if (task != "knn" && task != "svm" && task != "pca" && task != "tsne") {
    std::cerr << "embedding-peer knn|svm|pca|tsne FOLDER\n";
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
