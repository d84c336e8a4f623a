#include "pipeline/ranks.hpp"

#include "host/stop.hpp"
#include "pipeline/environment.hpp"
#include "pipeline/stage_tools.hpp"
#include "training/runtime.hpp"

#include <osteon/digest.hpp>

#include <nlohmann/json.hpp>

#include <cstdlib>

namespace osteon::pipeline {

namespace {

using nlohmann::json;

/// What names a store without telling its secret.
std::string name_of(const store::Store& store) { return sha256(store.salt()).substr(0, 16); }

void find_images_store(const store::Store& store, training::Group& group) {
  if (group.from_first("") != name_of(store))
    throw Error(text("rank ", group.rank(), " has another store than rank 0: ", store.root().string(),
                     "; all ranks need one folder that every machine sees (OSTEON_STORE)"));
}

}  // namespace

training::Launch launch_of(const config::Plan& plan, std::int64_t point) {
  const training::Launch launch = training::launch_from([](const char* name) { return std::getenv(name); });
  if (launch.size > 1 && plan.points.size() > 1 && point == 0)
    throw Error(text(launch.size, " processes were started for a sweep of ", plan.points.size(),
                     " points: together they train one (--point K); without WORLD_SIZE and srun one process runs all"));
  return launch;
}

std::unique_ptr<training::Group> join(const training::Launch& launch, const config::Experiment& experiment) {
  const Parameters& settings = experiment.sections.at("training");
  training::use_device(launch.local_rank);
  auto group = std::make_unique<training::Group>(launch, experiment.digest(), training::resolved_device(settings));
  training::divide_cores(group->sharing_cores());
  return group;
}

int as_rank(training::Group& group, const std::function<int()>& body) {
  try {
    const int code = body();
    if (code == 0)
      group.leave("");
    else
      group.leave_stopped();
    return code;
  } catch (const host::Stopped&) {
    group.leave_stopped();
    throw;
  } catch (const std::exception& e) {
    group.leave(e.what());
    throw;
  }
}

int follow_run(const config::Experiment& experiment, host::Registry& registry, training::Group& group) {
  limit_threads(experiment);
  const Reporters nobody;
  store::Store store(store::Store::standard_root());
  find_images_store(store, group);
  const RunContext run{experiment, registry, store, nobody, group};
  Records records;
  Cohort cohort = list_scans(run);
  make_volumes(run, cohort, records);
  make_surfaces(run, cohort, records);
  make_images(run, cohort, records);
  make_network_input(run, cohort, records);
  const std::int64_t folds = experiment.sections.at("split").integer("folds");
  for (std::int64_t fold = 0; fold < folds; ++fold)
    (void)train_model(run, cohort, load_images(run, cohort, fold), records);
  return 0;
}

void tell_images_made(const RunContext& run) {
  if (run.group.size() > 1) (void)run.group.from_first(name_of(run.store));
}

void tell_training(const RunContext& run, const store::Ingredients* ingredients) {
  (void)run.group.from_first(ingredients == nullptr ? "" : json(ingredients->parts).dump());
}

bool joins_training(const RunContext& run, const store::Ingredients& ingredients) {
  const std::string words = run.group.from_first("");
  if (words.empty()) return false;
  const auto first = json::parse(words).get<std::map<std::string, std::string>>();
  auto own = ingredients.parts;
  own["training.threads"] = first.at("training.threads");  // may differ: it changes the last bits
  for (const auto& [name, value] : first)
    if (!own.contains(name) || own.at(name) != value)
      throw failure(text("rank ", run.group.rank(), " would train something else than rank 0: ", name, " is ",
                         own.contains(name) ? own.at(name) : "nothing", " here and ", value,
                         " there; start all ranks with the same command, build and kind of processor"));
  return true;
}

store::Ingredients of_one_process(store::Ingredients ingredients, const Parameters& training) {
  ingredients.parts.erase("training.ranks");
  ingredients.parts["training.threads"] = std::to_string(training::threads_of_one_process(training));
  return ingredients;
}

}  // namespace osteon::pipeline
