#include "bench/bench.hpp"

#include "bench/display.hpp"
#include "bench/measure.hpp"
#include "bench/parameters.hpp"
#include "host/stop.hpp"
#include "pipeline/environment.hpp"
#include "training/training.hpp"

#include <osteon/build_stamp.hpp>
#include <osteon/error.hpp>

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <optional>
#include <regex>
#include <thread>

#define OSTEON_BENCH_QUOTE_(word) #word
#define OSTEON_BENCH_QUOTE(word) OSTEON_BENCH_QUOTE_(word)

namespace osteon::bench {

namespace fs = std::filesystem;

namespace {

constexpr int kComparedRepetitions = 9;  ///< from nine on Google Benchmark's compare.py tests whether two sides differ

/// A folder for the files of benchmarks, gone at the end.
class Scratch {
 public:
  Scratch() {
    std::string pattern = (fs::temp_directory_path() / "osteon-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw failure(pattern + ": cannot make a folder for temporary files");
    folder_ = pattern;
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  [[nodiscard]] fs::path folder_of(const std::string& kind, const std::string& name) const {
    fs::create_directories(folder_ / kind / name);
    return folder_ / kind / name;
  }

 private:
  fs::path folder_;
};

/// The parameters that must be given and are not.
std::vector<std::string> missing(const std::string& kind, const Schema& schema,
                                 const std::vector<std::string>& settings) {
  std::vector<std::string> names;
  for (const Parameter& parameter : schema.parameters)
    if (parameter.is_required && std::ranges::none_of(settings, [&](const std::string& setting) {
          return setting.starts_with(parameter.name + "=") || setting.starts_with(kind + "." + parameter.name + "=");
        }))
      names.push_back(parameter.name);
  return names;
}

Error needs_parameters(const std::string& id, const std::vector<std::string>& names) {
  std::string sets;
  for (const std::string& name : names) sets += " --set " + name + "=…";
  return Error(text(id, ": works on given data: osteon bench ", id, sets));
}

/// What is measured of one plugin.
std::vector<Family> families_of(const Wanted& wanted, const std::string& shown_as, const Request& request,
                                const Scratch& scratch, host::Registry& registry) {
  const host::LoadedPlugin& plugin = registry.find(wanted.kind, wanted.name);
  const std::vector<std::string> absent = missing(wanted.kind, plugin.schema, wanted.settings);
  const Parameters parameters = absent.empty() ? plugin_parameters(plugin, wanted.settings, registry)
                                               : throw needs_parameters(plugin.id(), absent);
  const Subject subject{&plugin, parameters, scratch.folder_of(wanted.kind, shown_as.substr(shown_as.find('/') + 1))};
  const StandardWork standard = standard_work(subject);
  for (const std::int64_t size : request.sizes)
    if (size < standard.least || size > standard.most)
      throw Error(text("--sizes ", size, ": ", plugin.id(), " is measured with ", standard.least, " to ", standard.most,
                       " ", standard.size));
  std::vector<Family> families;
  for (const Work& work : standard.works)
    families.push_back({shown_as, standard.size, work, request.sizes.empty() ? standard.sizes : request.sizes});
  return families;
}

/// All plugins of the kinds asked for; those that can't be measured without being told more are left out, and said.
std::vector<Family> families_of_kinds(const Request& request, const Scratch& scratch, host::Registry& registry) {
  std::vector<Family> families;
  for (const host::FoundPlugin& found : registry.list()) {
    if (found.kind == "?" || (!request.kind.empty() && found.kind != request.kind)) continue;
    const std::string id = found.kind + "/" + found.name;
    try {
      if (!found.problem.empty()) throw Error(text(id, ": cannot be used: ", found.problem));
      std::ranges::move(families_of({found.kind, found.name, {}}, id, request, scratch, registry),
                        std::back_inserter(families));
    } catch (const Error& e) {
      if (!request.sizes.empty() && std::string(e.what()).starts_with("--sizes")) throw;
      std::cerr << "left out   " << e.what() << "\n";
    }
  }
  if (families.empty())
    throw Error(request.kind.empty() ? std::string("there is no plugin on the search path that can be measured")
                                     : text("there is no ", request.kind, " on the search path that can be measured"));
  return families;
}

std::string settings_text(const Wanted& wanted) {
  std::string all;
  for (const std::string& setting : wanted.settings) all += (all.empty() ? "" : ",") + setting;
  return all.empty() ? "defaults" : all;
}

std::vector<Family> all_families(const Request& request, const Scratch& scratch, host::Registry& registry) {
  if (request.plugins.empty()) return families_of_kinds(request, scratch, registry);
  std::vector<Family> families;
  const Wanted &first = request.plugins.front(), &last = request.plugins.back();
  const bool is_same = request.is_comparison() && first.name == last.name;
  if (is_same && settings_text(first) == settings_text(last))
    throw Error(text("--against ", last.kind, "/", last.name,
                     ": is the same plugin with the same parameters; give one of them another value with --set or "
                     "--against-set"));
  for (const Wanted& wanted : request.plugins) {
    const std::string id = wanted.kind + "/" + wanted.name;
    const std::string shown_as = is_same ? text(id, "(", settings_text(wanted), ")") : id;
    std::ranges::move(families_of(wanted, shown_as, request, scratch, registry), std::back_inserter(families));
  }
  return families;
}

/// Leaves the benchmarks whose names match.
void apply_filter(const std::string& filter, std::vector<Family>& families) {
  if (filter.empty()) return;
  std::optional<std::regex> wanted;
  try {
    wanted.emplace(filter, std::regex::extended);
  } catch (const std::regex_error&) {
    throw Error(text("--filter ", filter, ": is no regular expression (POSIX extended)"));
  }
  const std::string example = families.front().name(families.front().sizes.front());
  for (Family& family : families)
    std::erase_if(family.sizes, [&](std::int64_t size) { return !std::regex_search(family.name(size), *wanted); });
  std::erase_if(families, [](const Family& family) { return family.sizes.empty(); });
  if (families.empty()) throw Error(text("--filter ", filter, ": matches no benchmark; one is ", example));
}

void list(const std::vector<Family>& families) {
  for (const Family& family : families)
    for (const std::int64_t size : family.sizes) std::cout << family.name(size) << "\n";
}

Facts facts_of(const Request& request, int threads, host::Registry& registry) {
  Facts facts{{"osteon", OSTEON_BENCH_QUOTE(OSTEON_BUILD_STAMP)},
              {"processor", pipeline::processor_name()},
              {"BLAS", pipeline::blas_name()},
              {"threads", std::to_string(threads)}};
  std::map<std::string, std::string> plugins;
  for (const Wanted& wanted : request.plugins) {
    const host::LoadedPlugin& plugin = registry.find(wanted.kind, wanted.name);
    std::string& fact = plugins[plugin.id()];
    if (fact.empty()) fact = text(plugin.descriptor->version, ", build ", plugin.build_id.substr(0, 12));
    fact += "; " + settings_text(wanted);
  }
  facts.insert(facts.end(), plugins.begin(), plugins.end());
  return facts;
}

/// As a run with [training] threads = N.
void limit_threads(int threads) {
  config::Experiment experiment;
  experiment.sections.set("training", std::make_shared<Parameters>(
                                          training::training_schema(),
                                          std::map<std::string, ParameterValue>{{"threads", std::int64_t{threads}}}));
  pipeline::limit_threads(experiment);
}

/// Google Benchmark takes its options from words.
void set_options(const Request& request) {
  const int repetitions =
      request.repetitions > 0 ? request.repetitions : (request.is_comparison() ? kComparedRepetitions : 1);
  std::vector<std::string> words{"osteon", text("--benchmark_min_time=", request.min_time),
                                 text("--benchmark_repetitions=", repetitions), "--benchmark_filter=all",
                                 text("--benchmark_enable_random_interleaving=", request.is_comparison())};
  if (!request.json.empty()) {
    words.push_back("--benchmark_out=" + request.json.string());
    words.emplace_back("--benchmark_out_format=json");
  }
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  int count = static_cast<int>(pointers.size());
  pointers.push_back(nullptr);
  benchmark::Initialize(&count, pointers.data());
}

/// Google Benchmark ends the program when it can't write, so this looks before.
void require_writable(const fs::path& file) {
  if (file.empty()) return;
  if (fs::is_directory(file) || !std::ofstream(file))
    throw Error(file.string() + ": cannot write; is its folder there and writable?");
}

}  // namespace

bool is_built_in() { return true; }

bool run(const Request& request, host::Registry& registry) {
  const int threads =
      request.threads > 0 ? request.threads : static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  limit_threads(threads);
  const Scratch scratch;
  std::vector<Family> families = all_families(request, scratch, registry);
  apply_filter(request.filter, families);
  if (request.list_only) return list(families), true;
  require_writable(request.json);
  set_options(request);
  Outcome outcome;
  for (const Family& family : families) register_family(family, outcome);
  const auto options = ::isatty(STDOUT_FILENO) ? Display::OO_ColorTabular : Display::OO_Tabular;
  Display display(options, families, facts_of(request, threads, registry));
  JsonFile file;
  if (request.json.empty())
    benchmark::RunSpecifiedBenchmarks(&display);
  else
    benchmark::RunSpecifiedBenchmarks(&display, &file);
  benchmark::ClearRegisteredBenchmarks();
  if (outcome.stopped) throw host::Stopped();
  if (request.is_comparison()) print_ratios(std::cout, families, display);
  if (!request.json.empty()) std::cout << "\nwritten    " << request.json.string() << "\n";
  return outcome.failed == 0;
}

StandardWork standard_work(const Subject& subject) {
  const std::string kind = subject.plugin->descriptor->kind;
  using Make = StandardWork (*)(const Subject&);
  static const std::map<std::string, Make> kinds{{"source", source_work},         {"format", format_work},
                                                 {"surface", surface_work},       {"renderer", renderer_work},
                                                 {"backbone", backbone_work},     {"loss", loss_work},
                                                 {"classifier", classifier_work}, {"shape", shape_work},
                                                 {"metric", metric_work},         {"reporter", reporter_work}};
  return kinds.at(kind)(subject);
}

}  // namespace osteon::bench
