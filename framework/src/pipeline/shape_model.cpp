#include "pipeline/shape_model.hpp"

#include "config/document.hpp"
#include "pipeline/finished_run.hpp"
#include "pipeline/shape_gallery.hpp"
#include "pipeline/stage_tools.hpp"
#include "training/weights.hpp"

#include <osteon/error.hpp>

namespace osteon::pipeline {

namespace {

const config::PluginChoice& method_of(const RunContext& run, const std::string& shape) {
  std::vector<std::string> names;
  for (const config::PluginChoice* choice : run.experiment.all("shape")) {
    if (choice->instance == shape) return *choice;
    names.push_back(choice->instance);
  }
  throw Error(text("--shape ", shape, ": the run has ", names.empty() ? "no shape method" : config::join(names, ", ")));
}

std::string size_of(const at::Tensor& tensor) {
  std::string words;
  for (const std::int64_t size : tensor.sizes()) words += text(words.empty() ? "" : " × ", size);
  return words;
}

}  // namespace

std::vector<std::string> write_shape_model(const std::filesystem::path& run,
                                           const std::vector<std::filesystem::path>& plugin_folders,
                                           const std::string& shape, const std::filesystem::path& file) {
  const FinishedRun finished(run, plugin_folders);
  const config::PluginChoice& choice = method_of(finished.run(), shape);
  const host::ShapeHandle method(finished.run().registry.find("shape", choice.plugin), choice.parameters);
  const RunImages images = finished.load();
  if (!images.cohort.has_volumes())
    throw Error(text(run.string(), ": its bones are pairs of radiographs, without surfaces to learn shapes from"));
  const KnownShapes known(finished.run(), images.cohort, images.images);
  StageReport report(finished.run().reporters, "learn", shape, 0, "");
  const ShapeGallery gallery = known.gallery(images.images, images.fingerprints, [](std::size_t) { return true; });
  report.progress(0, 0, -1, text("learns from ", gallery.meshes.size(), " bones"));
  method.fit(gallery);
  const auto arrays = method.arrays();
  report.finish(text("learnt from ", gallery.meshes.size(), " bones, in the bone's own frame, mm"));
  if (arrays.empty())
    throw Error(text("--shape ", shape, ": this method keeps no model; name one that learns how shapes vary"));
  std::vector<training::WrittenTensor> tensors;
  std::vector<std::string> lines;
  for (const auto& [name, array] : arrays) {
    tensors.push_back(training::written(name, array));
    lines.push_back(text("  ", name, std::string(name.size() < 16 ? 16 - name.size() : 1, ' '), size_of(array)));
  }
  training::write_weights(file, tensors);
  lines.insert(lines.begin(), text("wrote ", file.string(), ":"));
  if (file.extension() == ".safetensors")
    lines.push_back(text("in Python: import safetensors.numpy; model = safetensors.numpy.load_file(\"",
                         file.filename().string(), "\")"));
  return lines;
}

}  // namespace osteon::pipeline
