#include "pipeline/opened.hpp"

#include "pipeline/environment.hpp"

namespace osteon::pipeline {

OpenedExperiment::OpenedExperiment(const RunOptions& options)
    : registry_(host::Registry::search_path(options.plugin_folders)),
      plan_(config::load(options.request, sections(), registry_)),
      store_(store::Store::standard_root()),
      reporters_(plan_.points.front().experiment, registry_),
      run_{plan_.points.front().experiment, registry_, store_, reporters_} {
  limit_threads(run_.experiment);
}

void make_folder(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem) throw failure(text(folder.string(), ": cannot make the folder: ", problem.message()));
}

}  // namespace osteon::pipeline
