#include "contract/contract.hpp"

#include "contract/kind.hpp"
#include "host/crash_guard.hpp"

#include <ATen/Context.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <thread>

namespace osteon::contract {

namespace {

namespace fs = std::filesystem;

KindContract contract_of(std::string_view kind) {
  if (kind == "loss") return loss_contract();
  if (kind == "metric") return metric_contract();
  if (kind == "classifier") return classifier_contract();
  if (kind == "backbone") return backbone_contract();
  if (kind == "renderer") return renderer_contract();
  if (kind == "surface") return surface_contract();
  if (kind == "source") return source_contract();
  if (kind == "shape") return shape_contract();
  if (kind == "format") return format_contract();
  if (kind == "reporter") return reporter_contract();
  throw Broken{text("kind: expected one of the host's ten, found \"", kind, "\"")};
}

std::string check_devices(const Candidate& candidate) {
  const std::string_view kind = candidate.plugin().descriptor->kind;
  if (kind != "loss" && kind != "backbone") throw NotForThisKind{"it is handed nothing that lies on another device"};
  if (!at::hasCUDA()) throw NotRun{"LibTorch sees no CUDA device here"};
  return kind == "loss" ? loss_devices(candidate) : backbone_devices(candidate);
}

/// The host finds a plugin by its name, so a file of another name would be another plugin, or none.
const host::LoadedPlugin& loaded(const fs::path& library) {
  const host::Stamp stamp = host::probe(library);
  (void)contract_of(stamp.kind);
  expect(library.stem() == stamp.name && library.extension() == ".so", "the file's name",
         text(stamp.name, ".so, after its plugin"), library.filename().string());
  static std::map<fs::path, std::unique_ptr<host::Registry>> registries;
  const fs::path folder = fs::absolute(library).parent_path();
  auto& registry = registries[folder];
  if (registry == nullptr) registry = std::make_unique<host::Registry>(std::vector<fs::path>{folder});
  const host::LoadedPlugin& plugin = registry->find(stamp.kind, stamp.name);
  expect(fs::equivalent(plugin.library, library), "the library that the host takes from this folder",
         library.filename().string(), plugin.library.string());
  return plugin;
}

std::string checked(std::string_view check, const Request& request, std::string& digest) {
  const bool is_first = check == "descriptor";
  const host::LoadedPlugin* plugin = nullptr;
  try {
    plugin = &loaded(request.library);
  } catch (const Broken&) {
    if (is_first) throw;
  } catch (const Error& error) {
    if (is_first) throw Broken{error.what()};
  }
  if (plugin == nullptr) throw NotRun{"it cannot be loaded (see descriptor)"};
  const Candidate candidate(*plugin, request.settings);
  const host::PluginCall call(plugin->descriptor->kind, plugin->descriptor->name);  // whom a crash is put down to
  const KindContract kind = contract_of(plugin->descriptor->kind);
  if (is_first) return check_descriptor(candidate, request.library);
  if (check == "parameters") return check_parameters(candidate);
  if (check == "outputs") return kind.outputs(candidate);
  if (check == "degenerate") return kind.degenerate(candidate);
  if (check == "determinism") return check_determinism(kind, candidate, digest);
  if (check == "threads") return kind.threads(candidate);
  if (check == "devices") return check_devices(candidate);
  if (check == "gradient") return kind.gradient(candidate);
  if (check == "state") return kind.state(candidate);
  if (check == "instances") return check_instances(kind, candidate);
  if (check == "memory") return check_memory(kind, candidate, request.seconds_of_use);
  throw failure(text("there is no check \"", check, "\""));
}

}  // namespace

Outcome run_check(std::string_view check, const Request& request) {
  // Two threads where there are two: what races at all can then be seen, and sums are cut alike on every machine.
  at::set_num_threads(std::min(2, std::max(1, static_cast<int>(std::thread::hardware_concurrency()))));
  Outcome outcome;
  try {
    outcome.says = checked(check, request, outcome.digest);
  } catch (const Broken& broken) {
    outcome = {Result::failed, broken.says, ""};
  } catch (const NotForThisKind& other) {
    outcome = {Result::not_for_this_kind, other.why, ""};
  } catch (const NotChecked& other) {
    outcome = {Result::not_checked, other.why, ""};
  } catch (const NotRun& other) {
    outcome = {Result::not_run, other.why, ""};
  } catch (const SettingMistake& mistake) {
    outcome = {Result::mistake, mistake.says, ""};
  } catch (const std::exception& error) {
    outcome = {Result::failed, "expected an answer, found an exception: " + words_of(error), ""};
  } catch (...) {
    outcome = {Result::failed, "expected an answer, found something thrown that is no std::exception", ""};
  }
  return outcome;
}

}  // namespace osteon::contract
