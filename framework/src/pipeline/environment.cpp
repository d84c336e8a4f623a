#include "pipeline/environment.hpp"

#include "training/runtime.hpp"

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/version.h>

#include <dlfcn.h>

#include <cstdlib>
#include <fstream>
#include <thread>

namespace osteon::pipeline {

std::string processor_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string blas_name() {
  using Config = const char* (*)();
  if (const auto config = reinterpret_cast<Config>(::dlsym(RTLD_DEFAULT, "openblas_get_config"))) return config();
  return "not OpenBLAS: matrix products may be slow";
}

std::map<std::string, std::string> environment(const config::Experiment& experiment, host::Registry& registry) {
  std::map<std::string, std::string> facts{{"LibTorch", TORCH_VERSION},
                                           {"compiler", __VERSION__},
                                           {"processor", processor_name()},
                                           {"cores", std::to_string(std::thread::hardware_concurrency())},
                                           {"threads", std::to_string(at::get_num_threads())},
                                           {"BLAS", blas_name()}};
  for (const auto& choice : experiment.plugins) {
    const host::LoadedPlugin& plugin = registry.find(choice->kind, choice->plugin);
    facts["plugin " + plugin.id()] =
        std::string(plugin.descriptor->version) + ", build " + plugin.build_id.substr(0, 12);
  }
  return facts;
}

void limit_threads(const config::Experiment& experiment) {
  const int threads = training::resolved_threads(experiment.sections.at("training"));
  at::set_num_threads(threads);
  // ITK reads this when its first filter is made, which is after this.
  ::setenv("ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS", std::to_string(threads).c_str(), 1);
  using SetThreads = void (*)(int);
  if (const auto set = reinterpret_cast<SetThreads>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) set(threads);
}

}  // namespace osteon::pipeline
