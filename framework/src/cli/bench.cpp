#include "bench/bench.hpp"
#include "cli/commands.hpp"
#include "cli/plugin_project.hpp"

#include <osteon/error.hpp>

#include <charconv>
#include <iostream>

namespace osteon::cli {

namespace {

struct BenchOptions {
  bench::Request request;
  std::string what, against;
  std::vector<std::string> settings, against_settings, sizes;
};

/// "loss/triplet" → its kind and its name.
bench::Wanted wanted_plugin(const std::string& word, const std::vector<std::string>& settings) {
  const std::size_t slash = word.find('/');
  require_plugin_kind(word.substr(0, slash));
  return {word.substr(0, slash), word.substr(slash + 1), settings};
}

/// --set of one plugin, where several are measured, would mean several things.
void require_one_plugin(const BenchOptions& options) {
  if (options.what.find('/') != std::string::npos) return;
  const std::string example = options.what.empty() ? "loss/triplet" : options.what + "/NAME";
  const auto refuse = [&](const char* option, const std::string& value) {
    throw Error(
        text(option, " ", value, ": needs one plugin to be named: osteon bench ", example, " ", option, " ", value));
  };
  if (!options.settings.empty()) refuse("--set", options.settings.front());
  if (!options.against.empty()) refuse("--against", options.against);
}

std::vector<std::int64_t> read_sizes(const std::vector<std::string>& words) {
  std::vector<std::int64_t> sizes;
  for (const std::string& word : words) {
    std::int64_t size = 0;
    const auto [end, problem] = std::from_chars(word.data(), word.data() + word.size(), size);
    if (problem != std::errc() || end != word.data() + word.size() || size < 1)
      throw Error(text("--sizes ", word, ": expected whole numbers from 1 on, as in --sizes 16,64,256"));
    if (std::ranges::find(sizes, size) == sizes.end()) sizes.push_back(size);
  }
  std::ranges::sort(sizes);
  return sizes;
}

bench::Request complete_request(const BenchOptions& options) {
  bench::Request request = options.request;
  request.sizes = read_sizes(options.sizes);
  require_one_plugin(options);
  if (options.what.find('/') == std::string::npos) {
    if (!options.what.empty()) require_plugin_kind(options.what);
    request.kind = options.what;
    return request;
  }
  request.plugins.push_back(wanted_plugin(options.what, options.settings));
  if (options.against.empty()) return request;
  const std::string kind = request.plugins.front().kind;
  const bool is_name = options.against.find('/') == std::string::npos;
  request.plugins.push_back(
      wanted_plugin(is_name ? kind + "/" + options.against : options.against, options.against_settings));
  if (request.plugins.back().kind != kind)
    throw Error(
        text("--against ", options.against, ": expected another ", kind, ", to be held against ", options.what));
  return request;
}

/// "loss images:16,64,256" and so on need the plugins; what the work is can be told without.
constexpr const char* kBenchFooter =
    "What is measured, through the host as an experiment calls it, at sizes of:\n"
    "  source      acquisitions  acquire\n"
    "  format      side          write and read volumes of side³ voxels and surfaces of 2 side² triangles\n"
    "  surface     side          extract a bone from side³ voxels\n"
    "  renderer    side          prepare side³ voxels; project AP and ML of side² pixels; their gradient by the pose\n"
    "  backbone    images        embed and train on pairs of 96 × 192 pixels\n"
    "  loss        images        value and gradient of a batch of 4 images a class\n"
    "  classifier  gallery       fit so many embeddings; answer 100 queries\n"
    "  shape       bones         fit so many bones; predict one from an X-ray pair\n"
    "  metric      images        evaluate a run of so many images, or so many predicted bones\n"
    "  reporter    figures       report a run of so many figures and points of a curve\n"
    "memory is what one call takes at most beyond its inputs; a line below each work says how its time grows.\n"
    "Times vary with what else the machine does: compare within one call (--against), look at the spread\n"
    "(--repetitions). Two files of --json are compared by Google Benchmark's tools/compare.py.";

}  // namespace

void add_bench(CLI::App& app, Common& common) {
  auto* command = app.add_subcommand(
      "bench", "Measure plugins on the standard work of their kind: time, throughput, memory, growth with size");
  auto options = std::make_shared<BenchOptions>();
  command
      ->add_option("WHAT", options->what,
                   "KIND/NAME, as in loss/triplet, or all plugins of a KIND; all there are when left out")
      ->type_name("KIND/NAME");
  command->add_option("--set", options->settings, "A parameter of the plugin: --set margin=0.2")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->take_all();
  command
      ->add_option("--against", options->against,
                   "Measure this plugin of the same kind in turns with the first, and print ratios")
      ->type_name("KIND/NAME");
  command->add_option("--against-set", options->against_settings, "A parameter of the plugin of --against")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false)
      ->take_all()
      ->needs("--against");
  command->add_option("--sizes", options->sizes, "Instead of the kind's own: --sizes 16,64,256")
      ->type_name("N")
      ->delimiter(',')
      ->allow_extra_args(false);
  command->add_option("--filter", options->request.filter, "Only benchmarks whose names match this regular expression")
      ->type_name("REGEX");
  command
      ->add_option("--repetitions", options->request.repetitions,
                   "Measure each so many times, and print median and variation (default 1; with --against 9)")
      ->type_name("N")
      ->check(CLI::Range(1, 1000));
  command->add_option("--min-time", options->request.min_time, "Least seconds of each repetition (default 0.1)")
      ->type_name("S")
      ->check(CLI::Range(0.0001, 3600.0));
  command->add_option("--threads", options->request.threads, "Threads (default: all cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
  command->add_option("--json", options->request.json, "Write the figures there too, as Google Benchmark does")
      ->type_name("FILE");
  command->add_flag("--list", options->request.list_only, "Print the names of the benchmarks and measure nothing");
  add_plugins_option(*command, common);
  command->footer(kBenchFooter);
  command->callback([&common, options] {
    const bench::Request request = complete_request(*options);
    host::Registry registry(host::Registry::search_path(common.plugin_folders));
    common.exit_code = bench::run(request, registry) ? 0 : 1;
  });
}

}  // namespace osteon::cli
